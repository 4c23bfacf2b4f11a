/**
 * What goes inside an EKS cluster before the cluster itself does: graphs, the platform, and what
 * its controllers have made in AWS.
 *
 * @module
 */
import { loadBlueprint } from "../blueprint/blueprint.ts";
import { resolveRelease } from "../blueprint/release.ts";
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { exists, removeAll } from "../cli/files.ts";
import type { Step } from "../cli/plan.ts";
import { findDeployed, type Found } from "../deploy/cleanup_found.ts";
import { graphSteps } from "../deploy/cleanup_steps.ts";
import type { Kube } from "../kube/types.ts";
import { PLATFORM_CHART } from "../platform/charts.ts";
import { platformRemovalSteps } from "../platform/remove.ts";
import { platformState } from "../platform/state.ts";
import type { EksCluster } from "../target/eks_cluster.ts";
import { writeEksKubeconfig } from "../target/eks_kubeconfig.ts";
import { openTarget, recallTarget, type Target } from "../target/target.ts";
import { clusterSteps, PATIENCE, type Patience } from "./cluster_steps.ts";
import { findHoldings, type Holding, type Holdings, holdingText, NODE_KINDS } from "./holdings.ts";
import { type AwsPlace, isPlaceOf, type OpenPlace } from "./place.ts";
import { cannotBeAsked, leaveOutWhenLost, type Reach, throughFaults } from "./unanswered.ts";

/** The steps inside a cluster. */
export interface Inside extends AsyncDisposable {
  /** In the order of their dependencies. */
  readonly steps: readonly Step[];
  /** Whether the API server still answers while they run. */
  readonly reach: Readonly<Reach>;
  /** What others have in the cluster and would lose, in words. */
  readonly foreign: readonly string[];
  /** Namespaces of others with pods. */
  readonly strangers: readonly string[];
}

/** Options of {@link planInside}. */
export interface InsideOptions {
  /** The cluster as EKS has it. */
  readonly cluster: EksCluster | undefined;
  /** How long controllers and the API server may take. */
  readonly patience?: Partial<Patience> | undefined;
}

/**
 * Opens the cluster and plans the steps inside it; a text says why that cannot be. Looks only.
 *
 * @throws {TaskError} TARGET_OTHER_CLUSTER when it is another cluster than the one installed.
 */
export async function planInside(
  ctx: Context,
  open: OpenPlace,
  { cluster, patience = {} }: InsideOptions,
): Promise<Inside | string> {
  if (cluster === undefined) return "there is no such cluster any more";
  if (cluster.endpoint === "") return `it is ${cluster.status}, and has no API server`;
  const patienceOf = { ...PATIENCE, ...patience };
  try {
    return await throughFaults(
      ctx,
      patienceOf.answer,
      () => lookInside(ctx, open, { cluster, patience: patienceOf }),
    );
  } catch (error) {
    if (cannotBeAsked(error)) return messageOf(error);
    throw error;
  }
}

async function lookInside(
  ctx: Context,
  open: OpenPlace,
  { cluster, patience }: { readonly cluster: EksCluster; readonly patience: Patience },
): Promise<Inside> {
  await using opened = new AsyncDisposableStack();
  const scratch = await ctx.fs.makeTempDir({ prefix: "dynamo-eks-cleanup-" });
  opened.defer(() => removeAll(ctx, scratch));
  const target = await targetOf(ctx, open.place, { cluster, scratch });
  const kube = await openTarget(ctx, target);
  opened.defer(() => kube.close());
  const platform = await installed(ctx, kube, target);
  const { namespace } = platform;
  const release = resolveRelease(platform.release);
  const holdings = await findHoldings(kube, { namespace, release });
  const graphs = await allGraphs(ctx, kube, {
    target: platform,
    namespaces: holdings.graphNamespaces,
  });
  const steps = [
    ...graphs.steps,
    ...await platformRemovalSteps(ctx, { kube, target, namespace, definitions: false }),
    ...clusterSteps({ kube, aws: open.aws, cluster: open.place.cluster, holdings, patience }),
  ];
  const reach: Reach = { lost: undefined };
  const lost = { kube, reach, patienceMs: patience.answer };
  // From here on it is the caller's.
  const kept = opened.move();
  return {
    steps: steps.map((step) => leaveOutWhenLost(step, lost)),
    reach,
    foreign: [...graphs.foreign, ...foreignOf(holdings).map(holdingText)],
    strangers: holdings.strangers,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** What others made and would lose. A claim of a node is whose its pool is. */
function foreignOf({ balancers, claims, nodes }: Holdings): Holding[] {
  return [...balancers, ...claims, ...nodes].filter((one) =>
    !one.ours && one.ref.kind !== NODE_KINDS.claim.kind
  );
}

/**
 * The cluster as a target: as it was installed, else (an install that did not come to its end)
 * with what AWS knows.
 */
async function targetOf(
  ctx: Context,
  place: AwsPlace,
  { cluster, scratch }: { readonly cluster: EksCluster; readonly scratch: string },
): Promise<Target> {
  const remembered = await recallTarget(ctx);
  if (remembered?.cluster !== undefined && isPlaceOf(place, remembered.cluster)) {
    const { kubeconfig } = remembered;
    if (kubeconfig !== undefined && await exists(ctx, kubeconfig)) return remembered;
    return { ...remembered, kubeconfig: await ownKubeconfig(ctx, place, { cluster, scratch }) };
  }
  const { name, region, account, endpoint } = cluster;
  const blueprint = await loadBlueprint(ctx);
  return {
    kind: "eks",
    kubeconfig: await ownKubeconfig(ctx, place, { cluster, scratch }),
    namespace: blueprint.namespace.value,
    release: blueprint.dynamoVersion.value.replace(/^v/, ""),
    cluster: {
      ...{ name, region, account, endpoint },
      ...(place.profile === undefined ? {} : { profile: place.profile }),
    },
  };
}

/** A kubeconfig of the cluster as AWS knows it; helm makes its tokens by the program that it names. */
async function ownKubeconfig(
  ctx: Context,
  { profile }: AwsPlace,
  { cluster, scratch }: { readonly cluster: EksCluster; readonly scratch: string },
): Promise<string> {
  const path = `${scratch}/kubeconfig`;
  await writeEksKubeconfig(ctx, path, {
    ...cluster,
    ...(profile === undefined ? {} : { profile }),
  });
  return path;
}

/** The target with the namespace that the platform really is in. */
async function installed(ctx: Context, kube: Kube, target: Target): Promise<Target> {
  const { releases, applications } = await platformState(kube);
  const helm = releases.find((one) => one.ours && one.chart === PLATFORM_CHART);
  const argo = applications.find((one) => one.ours && one.chart === PLATFORM_CHART);
  const namespace = helm?.namespace ?? argo?.destination ?? target.namespace;
  if (namespace !== target.namespace) ctx.ui.debug(`The platform is in ${namespace}`);
  return { ...target, namespace };
}

/** All graphs of the cluster, those of others as well: they are told, and agreed to apart. */
async function allGraphs(
  ctx: Context,
  kube: Kube,
  { target, namespaces }: { readonly target: Target; readonly namespaces: readonly string[] },
): Promise<{ readonly steps: Step[]; readonly foreign: string[] }> {
  const connection = {
    connect: () => Promise.resolve(kube),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const steps: Step[] = [];
  const foreign: string[] = [];
  for (const namespace of namespaces) {
    const found = await findDeployed(ctx, kube, { ...target, namespace });
    foreign.push(...graphSteps(found, connection).stays.map(({ text }) => `${namespace}: ${text}`));
    steps.push(
      ...graphSteps(takenOver(found), connection).steps.map((step) =>
        namespace === target.namespace ? step : { ...step, id: `${step.id}-${namespace}` }
      ),
    );
  }
  return { steps, foreign };
}

function takenOver(found: Found): Found {
  const ours = true;
  return {
    ...found,
    graphs: found.graphs.map((one) => ({ ...one, ours })),
    requests: found.requests.map((one) => ({ ...one, ours })),
    managers: found.managers.map((one) => ({ ...one, ours })),
  };
}
