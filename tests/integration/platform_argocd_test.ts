/**
 * The platform by Argo CD's Applications: Argo CD's real definition, a stand-in for its
 * controller that renders with real helm, a real control plane.
 *
 * @module
 */
import assert from "node:assert/strict";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import { withContext } from "../../lib/cli/context.ts";
import { TaskError } from "../../lib/cli/errors.ts";
import { silentStep } from "../../lib/cli/testing.ts";
import type { Kube, KubeObject } from "../../lib/kube/types.ts";
import { planPlatform } from "../../lib/platform/install.ts";
import { platformValues } from "../../lib/platform/values.ts";
import { ARGOCD } from "./argocd_controller.ts";
import {
  PLANTED,
  plantGraph,
  type PlatformCluster,
  withPlatformCluster,
} from "./platform_support.ts";

const CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  name: "dynamographdeployments.nvidia.com",
} as const;

function application(kube: Kube, name: string): Promise<KubeObject | undefined> {
  const kind = { apiVersion: "argoproj.io/v1alpha1", kind: "Application" } as const;
  return kube.get({ ...kind, name, namespace: ARGOCD });
}

function withArgoCd(body: (cluster: PlatformCluster) => Promise<void>): Promise<void> {
  return withPlatformCluster(body, { argocd: true });
}

Deno.test("by Argo CD where it runs: definitions first, twice, upgraded, removed with what it installed", () =>
  withArgoCd(async ({ ctx, kube, argocd, namespace, install, remove, options }) => {
    const first = await install("0.9.1");
    assert.deepEqual(Object.keys(first), [
      "platform-namespace",
      "platform-hf-token",
      "argocd-repository",
      "argocd-dynamo-crds",
      "argocd-dynamo-platform",
      "platform-ready",
    ]);
    // The platform's chart refuses to be rendered where the definitions are not served.
    assert.deepEqual(argocd?.synced, ["dynamo-crds", "dynamo-platform"]);
    const made = await application(kube, "dynamo-platform");
    assert.deepEqual(
      made?.["spec"].source.helm.valuesObject,
      platformValues(resolveRelease("0.9.1")),
    );
    await install("0.9.1");
    const again = await application(kube, "dynamo-platform");
    assert.equal(again?.metadata.generation, made?.metadata.generation);

    const graph = await plantGraph(kube, namespace);
    await assert.rejects(planPlatform(ctx, options("1.4.2")), { code: "PLATFORM_UPGRADE_GRAPHS" });
    await assert.rejects(remove(), { code: "PLATFORM_IN_USE" });
    await kube.delete({ ...graph, name: graph.metadata.name, namespace });
    const nats = { apiVersion: "apps/v1", kind: "StatefulSet", name: "dynamo-platform-nats" };
    assert.ok(await kube.get({ ...nats, namespace }));
    const before = await kube.get(CRD);
    const upgraded = await install("1.4.2");
    assert.equal(upgraded["argocd-dynamo-platform"], "Synced and Healthy");
    assert.equal(await application(kube, "dynamo-crds"), undefined);
    assert.equal((await kube.get(CRD))?.metadata.uid, before?.metadata.uid);
    assert.equal(await kube.get({ ...nats, namespace }), undefined);

    const removed = await remove();
    assert.equal(removed["remove-namespace"], "gone");
    assert.equal(await application(kube, "dynamo-platform"), undefined);
    assert.equal((await kube.get(CRD))?.metadata.uid, before?.metadata.uid);
  }));

Deno.test("a private mirror: the login is used by us and by Argo CD, and is nowhere else", () =>
  withArgoCd(async ({ kube, install, remove, repository, written }) => {
    await install("1.4.2");
    const secret = await kube.get({
      apiVersion: "v1",
      kind: "Secret",
      namespace: ARGOCD,
      name: "dynamo-chart-repository",
    });
    const { CHART_REPOSITORY_USERNAME: user, CHART_REPOSITORY_PASSWORD: password } = PLANTED;
    const made = await application(kube, "dynamo-platform");
    assert.equal(atob(secret!["data"].url), made?.["spec"].source.repoURL);
    const expected = `Basic ${btoa(`${user}:${password}`)}`;
    assert.ok(repository.requests.length >= 4);
    for (const { path, authorization } of repository.requests) {
      assert.equal(authorization, expected, path);
    }
    const text = written() + JSON.stringify(made);
    for (const planted of [password, PLANTED.HF_TOKEN, PLANTED.NGC_API_KEY]) {
      assert.ok(!text.includes(planted));
    }
    const removed = await remove();
    assert.match(removed["remove-secrets"]!, /dynamo-chart-repository/);
  }));

Deno.test("an Application that cannot be synced, or does not become healthy, is explained", () =>
  withArgoCd(async ({ ctx, kube, namespace, install, options }) => {
    const file = `${ctx.home}-values.yaml`;
    await Deno.writeTextFile(file, "etcd: {enabled: true}\n");
    await assert.rejects(
      install("1.4.2", { valuesFile: file }),
      (error) =>
        error instanceof TaskError && error.code === "APPLICATION_FAILED" &&
        error.message.includes("etcd.enabled is no longer a value"),
    );
    // The same command with good values goes on.
    await install("1.4.2");
    await Deno.writeTextFile(
      file,
      "dynamo-operator: {replicas: 2, nodeSelector: {no-such: node}}\n",
    );
    await assert.rejects(
      install("1.4.2", { valuesFile: file, timeoutMs: 3000 }),
      (error) =>
        error instanceof TaskError && error.code === "APPLICATION_NOT_SYNCED" &&
        error.exitCode === 4 && error.message.includes("Progressing") &&
        error.evidence.some((line) => line.startsWith("pod dynamo-platform-")),
    );

    // Broken off while it waits; the next run goes on.
    const stop = new AbortController();
    const broken = withContext(ctx, { signal: stop.signal });
    const { steps } = await planPlatform(broken, options("1.4.2", { valuesFile: file }));
    const step = steps.find((one) => one.id === "argocd-dynamo-platform")!;
    setTimeout(() => stop.abort(new Error("interrupted")), 800);
    await assert.rejects(step.run(broken, silentStep), /interrupted/);
    assert.equal((await install("1.4.2"))["argocd-dynamo-platform"], "Synced and Healthy");
    const operator = await kube.list({ apiVersion: "apps/v1", kind: "Deployment" }, { namespace });
    assert.equal(operator.items[0]?.["spec"].replicas, 1);
  }));

Deno.test("somebody's Application is used, taken over when told; without its controller nothing is deleted", () =>
  withArgoCd(async ({ ctx, kube, argocd, namespace, install, remove, options, repository }) => {
    const theirs = {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "Application",
      metadata: { name: "theirs", namespace: ARGOCD },
      spec: {
        project: "default",
        source: {
          repoURL: repository.url,
          chart: "dynamo-platform",
          targetRevision: "1.2.0",
          helm: { values: "dynamo-operator: {replicas: 2}\nglobal: {nats: {install: true}}\n" },
        },
        destination: { server: "https://kubernetes.default.svc", namespace },
        syncPolicy: { automated: {}, syncOptions: ["CreateNamespace=true"] },
      },
    };
    await kube.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    await kube.create(theirs);
    const kept = await install("1.2.0");
    assert.match(kept["argocd-dynamo-platform"]!, /skipped: .*theirs of somebody else is used/);
    await assert.rejects(planPlatform(ctx, options("1.4.2")), { code: "PLATFORM_FOREIGN" });
    await assert.rejects(planPlatform(ctx, options("1.2.0", { by: "helm" })), {
      code: "PLATFORM_BY",
    });
    assert.match((await remove())["remove-application-theirs"]!, /not this project's/);

    await install("1.4.2", { adopt: true });
    const adopted = await application(kube, "theirs");
    assert.equal(adopted?.["spec"].source.helm.valuesObject["dynamo-operator"].replicas, 2);
    assert.equal(adopted.metadata.labels?.["app.kubernetes.io/managed-by"], "dynamo-eks");
    await install("1.4.2");

    await assert.rejects(
      planPlatform(ctx, options("1.4.2", { namespace: `${namespace}-2` })),
      (error) =>
        error instanceof TaskError && error.code === "PLATFORM_ELSEWHERE" &&
        error.hint!.includes("Application theirs"),
    );
    await argocd!.pause();
    await assert.rejects(planPlatform(ctx, options("1.4.2")), { code: "ARGOCD_MISSING" });
    await assert.rejects(remove(), { code: "ARGOCD_MISSING" });
    assert.equal((await application(kube, "theirs"))?.metadata.deletionTimestamp, undefined);
    await argocd!.resume();
  }));
