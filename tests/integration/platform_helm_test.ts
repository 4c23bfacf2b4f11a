/**
 * The platform by real helm on a real control plane, with small charts of ours: fresh, twice,
 * upgraded, interrupted, adopted, refused, removed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import { type Context, type ProcessResult, withContext } from "../../lib/cli/context.ts";
import { TaskError } from "../../lib/cli/errors.ts";
import { silentStep } from "../../lib/cli/testing.ts";
import { FOREIGN_HELM_MS, installRelease } from "../../lib/helm/install.ts";
import { findHelm } from "../../lib/helm/program.ts";
import { type HelmRelease, helmReleases } from "../../lib/helm/releases.ts";
import type { Kube } from "../../lib/kube/types.ts";
import { planPlatform, platformState } from "../../lib/platform/install.ts";
import { platformValues } from "../../lib/platform/values.ts";
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
const OPERATOR = "dynamo-platform-dynamo-operator-controller-manager";

async function release(kube: Kube, name = "dynamo-platform"): Promise<HelmRelease | undefined> {
  return (await helmReleases(kube, { names: [name] }))[0];
}

Deno.test("by helm: fresh, twice, upgraded over the end of dynamo-crds, removed, without a secret in sight", () =>
  withPlatformCluster(async (cluster) => {
    const { ctx, kube, namespace, install, remove, options, written } = cluster;
    const first = await install("0.4.1", { ngcPullSecret: true });
    assert.deepEqual(Object.keys(first), [
      "platform-namespace",
      "platform-hf-token",
      "platform-pull-secret",
      // The chart of the platform refuses itself where the definitions are not served.
      "helm-dynamo-crds",
      "helm-dynamo-platform",
      "platform-ready",
    ]);
    const made = await release(kube);
    assert.equal(made?.status, "deployed");
    assert.ok(made.ours && !made.adopted);
    assert.deepEqual(
      made.values,
      platformValues(resolveRelease("0.4.1"), { pullSecret: "ngc-pull-secret" }),
    );
    const etcd = { apiVersion: "apps/v1", kind: "StatefulSet", name: "dynamo-platform-etcd" };
    assert.ok(await kube.get({ ...etcd, namespace }));
    const secret = await kube.get({
      apiVersion: "v1",
      kind: "Secret",
      namespace,
      name: "hf-token-secret",
    });
    assert.equal(atob(secret!["data"].HF_TOKEN), PLANTED.HF_TOKEN);

    const again = await install("0.4.1", { ngcPullSecret: true });
    assert.match(again["helm-dynamo-crds"]!, /skipped: installed \(revision 1\)/);
    assert.match(again["helm-dynamo-platform"]!, /skipped: installed \(revision 1\)/);
    assert.equal((await release(kube))?.revision, 1);

    // A graph that may not survive is in the way of the upgrade, a downgrade is not offered.
    const graph = await plantGraph(kube, namespace);
    await assert.rejects(planPlatform(ctx, options("1.4.2")), { code: "PLATFORM_UPGRADE_GRAPHS" });
    await assert.rejects(remove(), { code: "PLATFORM_IN_USE" });
    await kube.delete({ ...graph, name: graph.metadata.name, namespace });
    const before = await kube.get(CRD);
    const upgraded = await install("1.4.2");
    assert.match(upgraded["definitions-handover"]!, /as they were/);
    assert.equal(await release(kube, "dynamo-crds"), undefined);
    const after = await kube.get(CRD);
    assert.equal(after?.metadata.uid, before?.metadata.uid);
    assert.equal(await kube.get({ ...etcd, namespace }), undefined);
    assert.deepEqual(
      (await release(kube))?.values,
      platformValues(resolveRelease("1.4.2")),
    );
    await assert.rejects(planPlatform(ctx, options("1.2.0")), { code: "PLATFORM_DOWNGRADE" });
    const down = await install("1.2.0", { forceDowngrade: true });
    assert.equal(down["helm-dynamo-platform"], "was 1.4.2");

    const removed = await remove();
    assert.equal(removed["remove-namespace"], "gone");
    assert.equal((await kube.get(CRD))?.metadata.uid, before?.metadata.uid);
    assert.equal((await platformState(kube)).releases.length, 0);

    const text = written();
    assert.ok(text.includes("helm") && text.includes("values.json"));
    for (
      const planted of [PLANTED.HF_TOKEN, PLANTED.NGC_API_KEY, PLANTED.CHART_REPOSITORY_PASSWORD]
    ) {
      assert.ok(!text.includes(planted), `${planted.slice(0, 6)}… was written`);
      assert.ok(!text.includes(btoa(`$oauthtoken:${planted}`)));
    }
  }));

Deno.test("a helm that was killed leaves a release that the next run goes on from", () =>
  withPlatformCluster(async (cluster) => {
    const { ctx, kube, namespace, install, options } = cluster;
    await install("1.2.0", { timeoutMs: 20_000 });
    const hang = `${ctx.home}/hang.yaml`;
    await Deno.writeTextFile(hang, "hang: true\n");

    // Upgrade, killed half way.
    await assert.rejects(killedInstall(cluster, "1.4.2", hang), { code: "HELM_FAILED" });
    assert.equal((await release(kube))?.status, "pending-upgrade");
    const said = await install("1.4.2");
    assert.equal(said["helm-dynamo-platform"], "was 1.4.2");
    assert.equal((await release(kube))?.status, "deployed");
    assert.ok(cluster.written().includes("was left pending-upgrade"));

    // First install, killed half way; then it is not known whose helm it was.
    await cluster.remove();
    await assert.rejects(killedInstall(cluster, "1.4.2", hang), { code: "HELM_FAILED" });
    const pending = await release(kube);
    assert.equal(pending?.status, "pending-install");
    await Deno.remove(`${ctx.home}/helm`, { recursive: true });
    // As a revision's label is that of the one before, it is no proof of age.
    await kube.patch(pending.records.at(-1)!, "merge", {
      metadata: { labels: { modifiedAt: "1700000000" } },
    });
    await assert.rejects(
      install("1.4.2"),
      (error) => error instanceof TaskError && error.code === "HELM_BUSY" && error.exitCode === 3,
    );
    const later: Context = withContext(ctx, {
      clock: { ...ctx.clock, now: () => ctx.clock.now() + FOREIGN_HELM_MS },
    });
    const { steps } = await planPlatform(later, options("1.4.2"));
    for (const step of steps) if (step.skip === undefined) await step.run(later, silentStep);
    const done = await release(kube);
    assert.equal(done?.status, "deployed");
    assert.equal(done.namespace, namespace);
  }));

/** Installs with a hook that never ends, and kills helm once it has written its record. */
async function killedInstall(
  { ctx, kube, options }: PlatformCluster,
  version: string,
  valuesFile: string,
): Promise<void> {
  const killing = withContext(ctx, {
    processes: {
      ...ctx.processes,
      run: (command, args, more) =>
        args[0] === "upgrade"
          ? runAndKill(kube, command, args, more?.env ?? {})
          : ctx.processes.run(command, args, more),
    },
  });
  const { steps } = await planPlatform(killing, options(version, { valuesFile }));
  for (const step of steps) if (step.skip === undefined) await step.run(killing, silentStep);
}

async function runAndKill(
  kube: Kube,
  command: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<ProcessResult> {
  const child = new Deno.Command(command, {
    args: [...args],
    env,
    stdout: "null",
    stderr: "null",
  }).spawn();
  const end = performance.now() + 20_000;
  while (!(await release(kube))?.status.startsWith("pending-")) {
    if (performance.now() > end) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill("SIGKILL");
  const { code } = await child.status;
  return { code, stdout: "", stderr: "killed" };
}

Deno.test("a second operator is refused, and a repository that is down changes nothing", () =>
  withPlatformCluster(async ({ ctx, kube, namespace, install, options, repository }) => {
    repository.isDown = true;
    const quick = withContext(ctx, { clock: { ...ctx.clock, sleep: () => Promise.resolve() } });
    await assert.rejects(planPlatform(quick, options("1.4.2")), {
      code: "CHART_UNREACHABLE",
      exitCode: 3,
    });
    assert.equal(
      await kube.get({ apiVersion: "v1", kind: "Namespace", name: namespace }),
      undefined,
    );
    repository.isDown = false;
    await install("1.4.2");
    await assert.rejects(
      planPlatform(ctx, options("1.4.2", { namespace: `${namespace}-2` })),
      (error) =>
        error instanceof TaskError && error.code === "PLATFORM_ELSEWHERE" &&
        error.message.includes(namespace) &&
        error.evidence.includes(`Deployment ${namespace}/${OPERATOR}`) &&
        error.evidence.includes(`ClusterRoleBinding ${OPERATOR}`) &&
        error.hint!.includes(`helm uninstall dynamo-platform --namespace ${namespace}`),
    );
    // What is there needs no charts.
    repository.isDown = true;
    assert.match(
      (await install("1.4.2", { chartRepository: repository.folder }))["helm-dynamo-platform"]!,
      /skipped/,
    );
  }));

Deno.test("what somebody installed with helm is used, taken over when told, and never removed", () =>
  withPlatformCluster(async (cluster) => {
    const { ctx, kube, helm, kubeconfig, namespace, install, remove, options, repository } =
      cluster;
    const byHand = async (args: string[]) => {
      const all = [...args, "--kubeconfig", kubeconfig, "--namespace", namespace];
      const result = await ctx.processes.run(helm, all);
      assert.equal(result.code, 0, result.stderr);
    };
    const chart = `${repository.folder}/dynamo-platform-1.2.0.tgz`;
    await byHand([
      ...["upgrade", "theirs", chart, "--install", "--create-namespace"],
      ...["--set", "dynamo-operator.replicas=2", "--set", "global.nats.install=true"],
    ]);
    const kept = await install("1.2.0");
    assert.match(kept["helm-dynamo-platform"]!, /skipped: .*theirs of somebody else is used/);
    assert.match(kept["platform-ready"]!, /v1beta1/);
    const state = await platformState(kube);
    assert.deepEqual(state.releases.map(({ name, ours }) => [name, ours]), [["theirs", false]]);
    await assert.rejects(planPlatform(ctx, options("1.4.2")), { code: "PLATFORM_FOREIGN" });
    const untouched = await remove();
    assert.match(untouched["remove-release-theirs"]!, /not this project's/);
    assert.match(untouched["remove-namespace"]!, /stays/);
    assert.equal((await release(kube, "theirs"))?.revision, 1);

    await install("1.4.2", { adopt: true });
    const adopted = await release(kube, "theirs");
    assert.ok(adopted?.ours && adopted.adopted);
    const operator = adopted.values["dynamo-operator"] as { replicas: number };
    assert.equal(operator.replicas, 2);
    // Its values are kept in later runs, too, and nothing is done twice.
    assert.match((await install("1.4.2"))["helm-dynamo-platform"]!, /skipped: installed/);
    await byHand(["uninstall", "theirs", "--wait"]);
  }));

Deno.test("definitions that somebody applied are taken over by the chart; a broken operator is explained", () =>
  withPlatformCluster(async ({ ctx, kube, namespace, install, options, remove }) => {
    // The definitions are there from the tests before, and helm knows of no release with them.
    const theirs = await kube.get(CRD);
    if (theirs !== undefined) {
      await kube.patch(CRD, "merge", {
        metadata: {
          annotations: { "meta.helm.sh/release-name": null },
          labels: { "app.kubernetes.io/managed-by": null },
        },
      });
    }
    await assert.rejects(install("0.4.1", { storageClass: "none" }), { code: "STORAGE_CLASS" });
    await install("0.4.1");
    const ref = { apiVersion: "apps/v1", kind: "Deployment", name: OPERATOR, namespace };
    await kube.patch(ref, "merge", {
      spec: { template: { spec: { nodeSelector: { "no-such": "node" } } } },
    });
    const { steps } = await planPlatform(ctx, options("0.4.1", { timeoutMs: 3000 }));
    const ready = steps.find((step) => step.id === "platform-ready")!;
    await assert.rejects(
      ready.run(ctx, silentStep),
      (error) =>
        error instanceof TaskError && error.exitCode === 4 && error.message.includes(OPERATOR) &&
        error.evidence.some((line) => line.startsWith("pod dynamo-platform-")) &&
        error.evidence.some((line) => line.includes("affinity")),
    );
    const removed = await remove({ definitions: true });
    assert.match(removed["remove-definitions"]!, /removed/);
    assert.equal(await kube.get(CRD), undefined);
  }));

Deno.test("helm that fails says why", () =>
  withPlatformCluster(async ({ ctx, kube, kubeconfig, repository }) => {
    const helm = await findHelm(ctx);
    await assert.rejects(
      installRelease(ctx, helm, {
        kube,
        target: { kubeconfig },
        name: "dynamo-platform",
        namespace: "default",
        chart: `${repository.folder}/dynamo-platform-1.4.2.tgz`,
        values: { etcd: { enabled: true } },
        timeoutMs: 5000,
      }),
      (error) =>
        error instanceof TaskError && error.code === "HELM_FAILED" &&
        error.message.includes("etcd.enabled is no longer a value"),
    );
  }));
