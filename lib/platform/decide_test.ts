import assert from "node:assert/strict";
import { resolveRelease } from "../blueprint/release.ts";
import { TaskError } from "../cli/errors.ts";
import type { HelmRelease } from "../helm/releases.ts";
import { decide, type PlatformRequest } from "./decide.ts";
import type { FoundOperator } from "./operators.ts";
import type { FoundApplication, FoundCrd, PlatformState } from "./state.ts";

const EMPTY: PlatformState = {
  operators: [],
  releases: [],
  applications: [],
  crds: [],
  graphs: [],
  argocd: { served: false, ready: false, problem: "there is none" },
  storageClasses: [],
};
const ARGOCD = { served: true, ready: true, namespace: "argocd" };

function request(version: string, more: Partial<PlatformRequest> = {}): PlatformRequest {
  return { release: resolveRelease(version), namespace: "dynamo-cloud", source: "http", ...more };
}

function helm(chart: string, version: string, more: Partial<HelmRelease> = {}): HelmRelease {
  return {
    name: chart,
    namespace: chart === "dynamo-crds" ? "default" : "dynamo-cloud",
    revision: 1,
    status: "deployed",
    chart,
    version,
    changedAt: 0,
    ours: true,
    adopted: false,
    values: {},
    records: [],
    ...more,
  };
}

function application(chart: string, version: string, ours = true): FoundApplication {
  return {
    name: chart,
    namespace: "argocd",
    chart,
    version,
    destination: chart === "dynamo-crds" ? "default" : "dynamo-cloud",
    ours,
    adopted: false,
    deleting: false,
    values: {},
  };
}

function operator(namespace: string, more: Partial<FoundOperator> = {}): FoundOperator {
  return {
    namespace,
    namespaceExists: true,
    deployment: "dynamo-platform-dynamo-operator-controller-manager",
    clusterWide: true,
    evidence: [`Deployment ${namespace}/x`, "ClusterRoleBinding y"],
    ...more,
  };
}

function refused(state: Partial<PlatformState>, asked: PlatformRequest): TaskError {
  try {
    decide({ ...EMPTY, ...state }, asked);
  } catch (error) {
    assert.ok(error instanceof TaskError);
    assert.ok(error.hint);
    return error;
  }
  throw new Error("not refused");
}

Deno.test("a fresh cluster: definitions before the platform up to 0.9, the platform alone after", () => {
  const old = decide(EMPTY, request("0.9.0"));
  assert.deepEqual(
    old.actions.map(({ chart, kind }) => [chart.name, chart.version, chart.namespace, kind]),
    [
      ["dynamo-crds", "0.9.0", "default", "install"],
      ["dynamo-platform", "0.9.0-post1", "dynamo-cloud", "install"],
    ],
  );
  assert.ok(old.actions[0]!.chart.wave < old.actions[1]!.chart.wave);
  const now = decide(EMPTY, request("1.6.1"));
  assert.deepEqual(now.actions.map((one) => one.chart.name), ["dynamo-platform"]);
});

Deno.test("Argo CD installs where it runs; what is there decides, and flags that contradict it are refused", () => {
  assert.equal(decide(EMPTY, request("1.6.1")).by, "helm");
  assert.equal(decide({ ...EMPTY, argocd: ARGOCD }, request("1.6.1")).by, "argocd");
  assert.equal(decide({ ...EMPTY, argocd: ARGOCD }, request("1.6.1", { by: "helm" })).by, "helm");
  assert.equal(
    decide({ ...EMPTY, argocd: ARGOCD }, request("1.6.1", { source: "oci" })).by,
    "helm",
  );
  const installed = { ...EMPTY, argocd: ARGOCD, releases: [helm("dynamo-platform", "1.6.1")] };
  assert.equal(decide(installed, request("1.6.1")).by, "helm");
  assert.equal(refused(installed, request("1.6.1", { by: "argocd" })).code, "PLATFORM_BY");
  assert.equal(refused({}, request("1.6.1", { by: "argocd" })).code, "ARGOCD_MISSING");
  assert.equal(
    refused({ argocd: ARGOCD }, request("1.6.1", { by: "argocd", source: "folder" })).code,
    "ARGOCD_SOURCE",
  );
});

Deno.test("a second operator for the whole cluster is refused with the place of the first", () => {
  const error = refused(
    { operators: [operator("other", { helmRelease: "dyn" })] },
    request("1.6.1"),
  );
  assert.equal(error.code, "PLATFORM_ELSEWHERE");
  assert.equal(error.exitCode, 3);
  assert.match(error.message, /in other already/);
  assert.match(error.hint!, /--namespace other.*helm uninstall dyn --namespace other/);
  assert.deepEqual(error.evidence, ["Deployment other/x", "ClusterRoleBinding y"]);

  const { deployment: _gone, ...traces } = operator("other");
  assert.match(refused({ operators: [traces] }, request("1.6.1")).message, /still holds/);
  const leftover = decide(
    { ...EMPTY, operators: [{ ...traces, namespaceExists: false }] },
    request("1.6.1"),
  );
  assert.match(leftover.warnings[0]!, /is gone/);
  const narrow = decide(
    { ...EMPTY, operators: [operator("other", { clusterWide: false })] },
    request("1.6.1"),
  );
  assert.match(narrow.warnings[0]!, /for its namespace only/);
});

Deno.test("what somebody else installed is kept in its version, and else not fought", () => {
  const foreign = helm("dynamo-platform", "1.6.1", { name: "theirs", ours: false });
  const kept = decide({ ...EMPTY, releases: [foreign] }, request("1.6.1"));
  assert.deepEqual(kept.actions.map(({ name, kind }) => [name, kind]), [["theirs", "keep"]]);

  const other = { releases: [{ ...foreign, version: "1.5.1" }] };
  const error = refused(other, request("1.6.1"));
  assert.equal(error.code, "PLATFORM_FOREIGN");
  assert.match(error.hint!, /--dynamo-version 1\.5\.1.*--adopt/s);
  const adopted = decide({ ...EMPTY, ...other }, request("1.6.1", { adopt: true }));
  assert.deepEqual(
    adopted.actions.map(({ name, kind, adopted }) => [name, kind, adopted]),
    [["theirs", "upgrade", true]],
  );
  const failed = { releases: [{ ...foreign, status: "failed" as const }] };
  assert.equal(refused(failed, request("1.6.1")).code, "PLATFORM_FOREIGN");

  const byHand = { operators: [operator("dynamo-cloud")] };
  assert.equal(refused(byHand, request("1.6.1")).code, "PLATFORM_UNMANAGED");
  const twice = {
    releases: [foreign],
    applications: [application("dynamo-platform", "1.6.1", false)],
  };
  assert.equal(refused(twice, request("1.6.1")).code, "PLATFORM_TWICE");

  // Definitions that came with somebody's platform are not installed over it.
  const crd = definition(["v1alpha1"]);
  const old = { ...foreign, version: "0.9.0-post1" };
  const withCrds = decide({ ...EMPTY, releases: [old], crds: [crd] }, request("0.9.0"));
  assert.deepEqual(withCrds.actions.map((one) => one.kind), ["keep", "keep"]);
});

function definition(stored: readonly string[]): FoundCrd {
  return {
    name: "dynamographdeployments.nvidia.com",
    kind: "DynamoGraphDeployment",
    served: stored,
    stored,
    established: true,
  };
}

Deno.test("upgrades say what changes; those that graphs may not survive want the graphs gone", () => {
  const state: PlatformState = {
    ...EMPTY,
    releases: [helm("dynamo-platform", "0.9.0-post1"), helm("dynamo-crds", "0.9.0")],
    crds: [definition(["v1alpha1"])],
  };
  const up = decide(state, request("1.6.1"));
  assert.deepEqual(up.actions.map(({ kind, from }) => [kind, from]), [["upgrade", "0.9.0-post1"]]);
  assert.deepEqual(up.handover?.releases.map((one) => one.name), ["dynamo-crds"]);
  assert.ok(up.warnings.some((one) => one.startsWith("From 1.0.0: ")));

  const graphs = [{ namespace: "a", name: "vllm" }];
  const error = refused({ ...state, graphs }, request("1.6.1"));
  assert.equal(error.code, "PLATFORM_UPGRADE_GRAPHS");
  assert.match(error.message, /a\/vllm/);
  decide({ ...state, graphs }, request("1.6.1", { forceUpgrade: true }));
  // Nothing that graphs notice: no questions.
  const near = { ...EMPTY, graphs, releases: [helm("dynamo-platform", "1.5.0")] };
  assert.deepEqual(decide(near, request("1.5.1")).warnings, []);

  // Somebody else's chart of the definitions stays, and that is said.
  const theirs = {
    ...state,
    releases: [state.releases[0]!, helm("dynamo-crds", "0.9.0", { ours: false })],
  };
  const left = decide(theirs, request("1.6.1"));
  assert.equal(left.handover, undefined);
  assert.ok(left.warnings.some((one) => one.includes("do not uninstall it")));
});

Deno.test("downgrades are refused, and not even forced over objects the older release cannot read", () => {
  const state = {
    ...EMPTY,
    releases: [helm("dynamo-platform", "1.1.0")],
    crds: [definition(["v1alpha1"])],
  };
  assert.equal(refused(state, request("1.0.2")).code, "PLATFORM_DOWNGRADE");
  const forced = decide(state, request("1.0.2", { forceDowngrade: true }));
  assert.match(forced.warnings[0]!, /not deleted/);
  const stored = { ...state, crds: [definition(["v1alpha1", "v1beta1"])] };
  assert.equal(refused(stored, request("1.0.2", { forceDowngrade: true })).code, "CRDS_STORED");
  // A second build of the same numbers is newer.
  const post = {
    ...EMPTY,
    releases: [helm("dynamo-platform", "0.9.0"), helm("dynamo-crds", "0.9.0")],
  };
  assert.equal(decide(post, request("0.9.0")).actions[1]!.kind, "upgrade");
});
