import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { testRelease } from "../graph/testing.ts";
import { loadOwnManifest } from "./own_manifest.ts";

const GRAPH = (apiVersion: string) => `
apiVersion: ${apiVersion}
kind: DynamoGraphDeployment
metadata: {name: mine}
spec:
  components:
  - name: Frontend
    type: frontend
    envFrom: [{secretRef: {name: hf-token-secret}}]
    image: nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.4.2
`;

async function load(text: string, version: string, namespace?: string, keepImages = false) {
  await using test = await testContext();
  const path = `${test.ctx.home}.yaml`;
  await Deno.writeTextFile(path, text);
  const manifest = await loadOwnManifest(test.ctx, path, {
    release: testRelease(version),
    namespace: namespace ?? "dynamo-cloud",
    namespaceGiven: namespace !== undefined,
    keepImages,
  });
  assert.equal(await Deno.readTextFile(path), text, "the user's file stays as it is");
  return manifest;
}

Deno.test("a manifest is deployed, asked and given its token like an example", async () => {
  const { deployment, notes } = await load(GRAPH("nvidia.com/v1beta1"), "1.6.1");
  assert.equal(deployment.tokenSecret, "hf-token-secret");
  assert.deepEqual(deployment.graphs, [{
    name: "mine",
    namespace: "dynamo-cloud",
    apiVersion: "nvidia.com/v1beta1",
    ask: "chat",
    service: "mine-frontend",
  }]);
  assert.match(notes.join(), /1\.4\.2 → .*:1\.6\.1/);
  const same = await load(GRAPH("nvidia.com/v1beta1"), "1.4.2");
  assert.match(same.notes.join(), /are of 1\.4\.2 already/);
});

Deno.test("images of a mirror are refused, unless they are to be kept", async () => {
  const mirrored = GRAPH("nvidia.com/v1beta1").replace("nvcr.io/", "mirror.example.com/");
  await assert.rejects(
    load(mirrored, "1.6.1"),
    (error) =>
      error instanceof TaskError && error.code === "IMAGES_FOREIGN" &&
      /--keep-images/.test(error.hint ?? ""),
  );
  for (const text of [mirrored, GRAPH("nvidia.com/v1beta1")]) {
    const manifest = await load(text, "1.6.1", undefined, true);
    assert.match(manifest.text, /ai-dynamo\/vllm-runtime:1\.4\.2/);
    assert.deepEqual(manifest.notes, ["The images stay as they are"]);
    assert.equal(
      manifest.deployment.objects[0]?.metadata.labels?.["app.kubernetes.io/managed-by"],
      "dynamo-eks",
    );
  }
});

Deno.test("a Secret's values are not in the text that is shown", async () => {
  const secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: hush}\n";
  const manifest = await load(GRAPH("nvidia.com/v1beta1") + secret, "1.6.1");
  assert.equal(manifest.deployment.objects.length, 2);
  assert.ok(!manifest.text.includes("hush"), manifest.text);
});

Deno.test("what cannot go to the release or the namespace is refused", async () => {
  const beta = GRAPH("nvidia.com/v1beta1");
  const cases: [() => Promise<unknown>, string][] = [
    [() => load(beta, "1.0.2"), "API_VERSION"],
    [
      () => load(beta.replace("name: mine", "name: mine, namespace: a"), "1.6.1", "b"),
      "NAMESPACE_OTHER",
    ],
    [() => load(beta.replace("GraphDeployment", "Something"), "1.6.1"), "GRAPH_NONE"],
  ];
  for (const [attempt, code] of cases) {
    await assert.rejects(attempt(), (error) => error instanceof TaskError && error.code === code);
  }
});
