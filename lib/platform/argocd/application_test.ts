import assert from "node:assert/strict";
import { resolveRelease } from "../../blueprint/release.ts";
import type { KubeObject } from "../../kube/types.ts";
import { platformCharts } from "../charts.ts";
import { applicationObject, repositorySecret } from "./application.ts";
import { whyNotSynced } from "./sync.ts";

const REPOSITORY = "https://charts.example.com/dynamo";

function applications(version: string): KubeObject[] {
  return platformCharts(resolveRelease(version), "dynamo-cloud").map((chart) =>
    applicationObject({
      chart,
      name: chart.name,
      argocdNamespace: "argocd",
      repository: REPOSITORY,
      values: { etcd: { enabled: true } },
    })
  );
}

Deno.test("one Application a chart: waves, server-side apply, cascade, ignored bundles", () => {
  const [crds, platform] = applications("0.4.1");
  const wave = (one: KubeObject | undefined) =>
    Number(one?.metadata.annotations?.["argocd.argoproj.io/sync-wave"]);
  assert.ok(wave(crds) < wave(platform));
  for (const one of [crds!, platform!]) {
    assert.deepEqual(one.metadata.finalizers, ["resources-finalizer.argocd.argoproj.io"]);
    const options: string[] = one["spec"].syncPolicy.syncOptions;
    assert.ok(options.includes("ServerSideApply=true") && options.includes("CreateNamespace=true"));
    assert.ok(JSON.stringify(one["spec"].ignoreDifferences).includes("caBundle"));
  }
  assert.equal(crds!["spec"].syncPolicy.automated.prune, false);
  assert.equal(platform!["spec"].destination.namespace, "dynamo-cloud");
});

Deno.test("a repository's Secret names the very URL that the Application uses", () => {
  const secret = repositorySecret({
    argocdNamespace: "argocd",
    repository: REPOSITORY,
    login: { username: "me", password: "planted-password" },
  });
  assert.equal(secret["stringData"].url, applications("1.6.1")[0]!["spec"].source.repoURL);
  assert.equal(secret.metadata.labels?.["argocd.argoproj.io/secret-type"], "repository");
  assert.ok(!JSON.stringify(applications("1.6.1")).includes("planted-password"));
});

Deno.test("Synced and Healthy count only for what is asked for now", () => {
  const wanted = applications("1.6.1")[0]!;
  const status = (source: unknown, more: Record<string, unknown> = {}) => ({
    ...wanted,
    status: {
      sync: { status: "Synced", comparedTo: { source } },
      health: { status: "Healthy" },
      ...more,
    },
  });
  const { source } = wanted["spec"];
  assert.equal(whyNotSynced(status(source), wanted), undefined);
  assert.match(whyNotSynced(wanted, wanted)!, /not looked/);
  assert.match(
    whyNotSynced(status({ ...source, targetRevision: "1.5.1" }), wanted)!,
    /this version/,
  );
  assert.match(
    whyNotSynced(status({ ...source, helm: { ...source.helm, valuesObject: {} } }), wanted)!,
    /this version/,
  );
  assert.equal(
    whyNotSynced(status(source, { health: { status: "Progressing" } }), wanted),
    "Synced, Progressing",
  );
  assert.match(
    whyNotSynced(status(source, { operationState: { phase: "Running" } }), wanted)!,
    /syncing/,
  );
});
