/**
 * What goes inside an EKS cluster before the cluster itself does: graphs, the platform, and what
 * its controllers have made in AWS.
 *
 * @module
 */
import { loadBlueprint } from "../blueprint/blueprint.ts";
import { resolveRelease } from "../blueprint/release.ts";
import type { Context } from "../cli/context.ts";
import { messageOf, TaskError } from "../cli/errors.ts";
import { exists, removeAll } from "../cli/files.ts";
import type { Step } from "../cli/plan.ts";
import { findDeployed, type Found } from "../deploy/cleanup_found.ts";
import { graphSteps } from "../deploy/cleanup_steps.ts";
import type { Kube } from "../kube/types.ts";
import { PLATFORM_CHART } from "../platform/charts.ts";
import { platformRemovalSteps } from "../platform/remove.ts";
import { platformState } from "../platform/state.ts";
import type { EksCluster } from "../target/eks_cluster.ts";
import { openTarget, recallTarget, type Target } from "../target/target.ts";
import { stackKubeconfig } from "../terraform/work_folder.ts";
import { clusterSteps, type Patience } from "./cluster_steps.ts";
import { findHoldings, holdingText } from "./holdings.ts";
import { type AwsPlace, isPlaceOf, type OpenPlace } from "./place.ts";

/** The steps inside a cluster. */
export interface Inside extends AsyncDisposable {
  /** In the order of their dependencies. */
  readonly steps: readonly Step[];
  /** What others have in the cluster and would lose, in words. */
  readonly foreign: readonly string[];
  /** Namespaces of others with pods. */
  readonly strangers: readonly string[];
}

/** Why a cluster cannot be asked, while everything else can still go. */
const UNREACHABLE =
  /^(CLUSTER_DOWN|KUBE_(UNREACHABLE|UNAUTHORIZED|FORBIDDEN|CREDENTIALS|TIMEOUT|SERVERTIMEOUT|SERVICEUNAVAILABLE))$/;

/**
 * Opens the cluster and plans the steps inside it; a text says why that cannot be. Looks only.
 *
 * @throws {TaskError} TARGET_OTHER_CLUSTER when it is another cluster than the one installed.
 */
export async function planInside(
  ctx: Context,
  open: OpenPlace,
  options: {
    /** The cluster as EKS has it. */
    readonly cluster: EksCluster | undefined;
    /** How long controllers may take. */
    readonly patience?: Partial<Patience> | undefined;
  },
): Promise<Inside | string> {
  const { cluster } = options;
  if (cluster === undefined) return "there is no such cluster any more";
  const scratch = await ctx.fs.makeTempDir({ prefix: "dynamo-eks-cleanup-" });
  const dispose: (() => void | Promise<void>)[] = [() => removeAll(ctx, scratch)];
  try {
    const target = await targetOf(ctx, open.place, { cluster, scratch });
    const kube = await openTarget(ctx, target);
    dispose.push(() => kube.close());
    const platform = await installed(ctx, kube, target);
    const { namespace } = platform;
    const release = resolveRelease(platform.release);
    const holdings = await findHoldings(kube, { namespace, release });
    const graphs = await allGraphs(ctx, kube, {
      target: platform,
      namespaces: holdings.graphNamespaces,
    });
    const strange = [...holdings.balancers, ...holdings.claims].filter((one) => !one.ours);
    return {
      steps: [
        ...graphs.steps,
        ...await platformRemovalSteps(ctx, { kube, target, namespace, definitions: false }),
        ...clusterSteps({
          kube,
          aws: open.aws,
          cluster: open.place.cluster,
          holdings,
          patience: options.patience,
        }),
      ],
      foreign: [...graphs.foreign, ...strange.map(holdingText)],
      strangers: holdings.strangers,
      [Symbol.asyncDispose]: () => disposeAll(dispose),
    };
  } catch (error) {
    await disposeAll(dispose);
    if (error instanceof TaskError && UNREACHABLE.test(error.code)) return messageOf(error);
    throw error;
  }
}

async function disposeAll(dispose: readonly (() => void | Promise<void>)[]): Promise<void> {
  for (const one of dispose) await one();
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
  if (remembered?.cluster !== undefined && isPlaceOf(place, remembered.cluster)) return remembered;
  const { name, region, account, endpoint } = cluster;
  const own = stackKubeconfig(ctx, { region, name });
  const blueprint = await loadBlueprint(ctx);
  return {
    kind: "eks",
    kubeconfig: await exists(ctx, own) ? own : await plainKubeconfig(ctx, cluster, scratch),
    namespace: blueprint.namespace.value,
    release: blueprint.dynamoVersion.value.replace(/^v/, ""),
    cluster: {
      ...{ name, region, account, endpoint },
      ...(place.profile === undefined ? {} : { profile: place.profile }),
    },
  };
}

/** Where the cluster is; tokens are made by the tasks themselves. */
async function plainKubeconfig(
  ctx: Context,
  { name, endpoint, authority }: EksCluster,
  folder: string,
): Promise<string> {
  const path = `${folder}/kubeconfig`;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server: endpoint, "certificate-authority-data": authority } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  await ctx.fs.writeTextFile(path, JSON.stringify(config), { mode: 0o600 });
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
