import assert from "node:assert/strict";
import { parseAll } from "@std/yaml";
import type { KubeObject } from "../../../kube/types.ts";
import type { ComponentSpec } from "../types.ts";
import { selfSignedCertificate } from "./certificate.ts";
import { convertObject, KEPT_SPEC } from "./convert.ts";
import { offerPatch } from "./offer.ts";
import { toComponent } from "./to_component.ts";
import { toService } from "./to_service.ts";
import { convertReview, serveConversion } from "./webhook.ts";

const ALPHA = "nvidia.com/v1alpha1";
const BETA = "nvidia.com/v1beta1";

const GOLDEN = new URL("../../../../tests/golden/", import.meta.url);

async function examples(version: string): Promise<KubeObject[]> {
  const found: KubeObject[] = [];
  for await (const entry of Deno.readDir(new URL(`${version}/`, GOLDEN))) {
    // What the release lacks is a text, and claims, adapters and requests are not converted.
    if (!entry.name.endsWith(".yaml")) continue;
    const text = await Deno.readTextFile(new URL(`${version}/${entry.name}`, GOLDEN));
    const objects = parseAll(text) as KubeObject[];
    found.push(...objects.filter((object) => object.kind === "DynamoGraphDeployment"));
  }
  assert.ok(found.length > 0, version);
  return found;
}

Deno.test("every example comes back as it went, in both directions", async () => {
  for (const [version, from, to] of [["1.0.2", ALPHA, BETA], ["1.6.1", BETA, ALPHA]] as const) {
    for (const example of await examples(version)) {
      const there = convertObject(example, to);
      assert.equal(there.apiVersion, to);
      const back = convertObject(there, from);
      assert.deepEqual(back, {
        ...example,
        metadata: { ...example.metadata, annotations: example.metadata.annotations ?? {} },
      });
    }
  }
});

Deno.test("defaults of the server do not break the way back, changes go through", async () => {
  const [example] = await examples("1.0.2");
  const stored = convertObject(example!, BETA);
  for (const component of stored["spec"].components) component.replicas ??= 1;
  assert.deepEqual(convertObject(stored, ALPHA)["spec"], example!["spec"]);
  stored["spec"].components[0].replicas = 7;
  const name = stored["spec"].components[0].name;
  assert.equal(convertObject(stored, ALPHA)["spec"].services[name].replicas, 7);
});

Deno.test("a component is the same after a way through v1alpha1", () => {
  const component: ComponentSpec = {
    name: "W",
    type: "prefill",
    replicas: 2,
    sharedMemorySize: "16Gi",
    compilationCache: { pvcName: "cache", mountPath: "/c" },
    runtimeVersionOverride: "1.6.1",
    scalingAdapter: {},
    podTemplate: {
      metadata: { labels: { a: "b" }, annotations: { c: "d" } },
      spec: {
        nodeSelector: { e: "f" },
        containers: [
          {
            name: "main",
            image: "i:1.6.1",
            env: [{ name: "A", value: "1" }],
            envFrom: [{ secretRef: { name: "s" } }],
            resources: { limits: { "nvidia.com/gpu": "1" } },
            volumeMounts: [{ name: "v", mountPath: "/v" }],
          },
          { name: "side", image: "s" },
        ],
      },
    },
  };
  assert.deepEqual(toComponent("W", toService(component)), component);
  assert.deepEqual(toService({ name: "X", sharedMemorySize: "0" }).sharedMemory, {
    disabled: true,
  });
});

Deno.test("a v1alpha1 service as the real conversion makes it", () => {
  const component = toComponent("W", {
    componentType: "worker",
    subComponentType: "prefill",
    envFromSecret: "hf",
    resources: { limits: { gpu: "1" }, requests: { custom: { "ephemeral-storage": "2Gi" } } },
    extraPodSpec: { mainContainer: { name: "", image: "i:1", resources: {} } },
  });
  assert.deepEqual(component, {
    name: "W",
    type: "prefill",
    podTemplate: {
      metadata: { labels: { "nvidia.com/dynamo-sub-component-type": "prefill" } },
      spec: {
        containers: [{
          name: "main",
          image: "i:1",
          envFrom: [{ secretRef: { name: "hf" } }],
          resources: {
            limits: { "nvidia.com/gpu": "1" },
            requests: { "ephemeral-storage": "2Gi" },
          },
        }],
      },
    },
  });
});

Deno.test("statuses change their words, and an alien kind is refused", () => {
  const status = {
    state: "successful",
    components: { W: { componentKind: "Deployment", componentNames: ["g-w"], replicas: 1 } },
    rollingUpdate: { phase: "Completed", updatedComponents: ["W"] },
  };
  const graph: KubeObject = {
    apiVersion: BETA,
    kind: "DynamoGraphDeployment",
    metadata: { name: "g" },
    spec: { components: [] },
    status,
  };
  const alpha = convertObject(graph, ALPHA);
  assert.equal(alpha["status"].services.W.componentName, "g-w");
  assert.deepEqual(alpha["status"].rollingUpdate.updatedServices, ["W"]);
  assert.deepEqual(convertObject(alpha, BETA)["status"], status);
  const review = convertReview({
    request: {
      uid: "1",
      desiredAPIVersion: BETA,
      objects: [{ apiVersion: ALPHA, kind: "DynamoModel", metadata: { name: "m" } }],
    },
  });
  // deno-lint-ignore no-explicit-any -- a review as the API server reads it
  assert.equal((review["response"] as any).result.status, "Failed");
});

Deno.test("the webhook answers over TLS with its own certificate", async () => {
  await using server = await serveConversion(Deno.serve, Date.now());
  using client = Deno.createHttpClient({ caCerts: [server.certificate] });
  const [example] = await examples("1.0.2");
  const response = await fetch(server.url, {
    client,
    method: "POST",
    body: JSON.stringify({
      request: { uid: "7", desiredAPIVersion: BETA, objects: [example] },
    }),
  });
  const { response: answer } = await response.json();
  assert.equal(answer.uid, "7");
  assert.equal(answer.convertedObjects[0].apiVersion, BETA);
  assert.ok(answer.convertedObjects[0].metadata.annotations[KEPT_SPEC]);
  const bad = await fetch(server.url, { client, method: "POST", body: "x" });
  assert.equal(bad.status, 400);
  await bad.body?.cancel();
  const { certificate } = await selfSignedCertificate(Date.now());
  using stranger = Deno.createHttpClient({ caCerts: [certificate] });
  await assert.rejects(fetch(server.url, { client: stranger }));
});

Deno.test("a definition is pointed at the webhook once", () => {
  const crd = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "x" },
    spec: {
      group: "nvidia.com",
      names: { kind: "X", plural: "xs" },
      versions: [
        { name: "v1alpha1", served: false, storage: false },
        { name: "v1beta1", served: true, storage: true },
      ],
    },
  };
  const server = { url: "https://127.0.0.1:1/convert", certificate: "pem" };
  const patch = offerPatch(crd, server);
  assert.deepEqual(patch.map((one) => one["path"]), [
    "/spec/versions/0/name",
    "/spec/conversion",
    "/spec/versions/0/served",
  ]);
  const conversion = {
    strategy: "Webhook",
    webhook: { clientConfig: { url: server.url, caBundle: btoa("pem") } },
  };
  const [alpha, beta] = crd.spec.versions;
  const settled = {
    ...crd,
    spec: { ...crd.spec, conversion, versions: [{ ...alpha!, served: true }, beta!] },
  };
  assert.deepEqual(offerPatch(settled, server), []);
  assert.equal(offerPatch(settled, { ...server, url: "https://127.0.0.1:2/convert" }).length, 3);
  const old = { ...crd, spec: { ...crd.spec, versions: [{ ...alpha!, storage: true }] } };
  assert.deepEqual(offerPatch(old, server), []);
});
