/**
 * Taking things away, in the order of their dependencies, ours only.
 *
 * @module
 */
import { resolveRelease } from "../blueprint/release.ts";
import { type Context, withContext } from "../cli/context.ts";
import { preconditionError, TaskError } from "../cli/errors.ts";
import type { Plan, Step } from "../cli/plan.ts";
import type { Kube } from "../kube/types.ts";
import { localDeleteSteps } from "../local/delete.ts";
import {
  forgetTarget,
  openTarget,
  recallTarget,
  resolveTarget,
  type Target,
  type TargetChoice,
} from "../target/target.ts";
import { claimsStep, stayingText } from "./claims.ts";
import { findDeployed, type Found, onlyNamed } from "./cleanup_found.ts";
import { graphSteps, type Staying } from "./cleanup_steps.ts";
import { GRAPH_KIND } from "./graph_state.ts";
import { endDownloads } from "./prefetch/job.ts";
import { waitForRest } from "./remove.ts";
import { type SharedConnection, sharedConnection } from "./session.ts";
import { ALONE_MS } from "./stuck.ts";

export { graphStep, requestSteps } from "./cleanup_steps.ts";

/** What should go. */
export type CleanupLevel =
  | { readonly kind: "graph"; readonly name: string }
  | { readonly kind: "graphs" }
  | { readonly kind: "all"; readonly cache: boolean };

/** What the command line says besides the level. */
export interface CleanupChoice extends TargetChoice {
  /** Claims of our graphs and the models in them, too; they stay unless told. */
  readonly volumes?: boolean | undefined;
}

/** A plan with the connection that its steps use. */
export interface PreparedCleanup extends AsyncDisposable {
  /** What will go. */
  readonly plan: Plan;
}

/**
 * Plans a cleanup. What does not carry our label stays, and so does what an Application of
 * somebody else would make again; the plan says so.
 *
 * @throws {TaskError} GRAPH_UNKNOWN (exit code 2); GRAPH_STAYS (exit code 3) when the graph that
 * is named is not ours to remove; CLEANUP_TARGET for `all` on a cluster that was not made here; as
 * `openTarget`.
 */
export async function planCleanup(
  ctx: Context,
  level: CleanupLevel,
  choice: CleanupChoice,
): Promise<PreparedCleanup> {
  if (level.kind === "all") return await planAll(ctx, level.cache, choice);
  const target = await resolveTarget(ctx, choice);
  const all = await look(ctx, target);
  const found = level.kind === "graphs" ? { ...all, orphans: [] } : onlyNamed(all, level.name);
  const connection = sharedConnection(ctx, target);
  const { steps, stays } = graphSteps(found, connection);
  if (level.kind === "graph" && steps.length === 0) requireMovable(level.name, stays);
  const withClaims = choice.volumes === true && found.claims.length > 0;
  return {
    plan: {
      task: "cleanup",
      facts: {
        target: target.kind,
        namespace: target.namespace,
        stays: level.kind === "graph" ? "other graphs and the platform" : "the platform",
        takes: "seconds, as graphs go side by side; " +
          `${ALONE_MS / 1000} s more for what a finalizer holds`,
      },
      warnings: [
        ...stays.map(({ text }) => text),
        ...(withClaims ? [] : found.claims.map((one) => stayingText(one, target.kind !== "local"))),
      ],
      steps: [
        ...steps,
        ...(level.kind === "graphs" && all.orphans.length > 0 ? [restStep(all, connection)] : []),
        ...(level.kind === "graphs" ? downloadSteps(all, connection) : []),
        ...(withClaims ? [claimsStep(found.claims, connection)] : []),
      ],
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

async function look(ctx: Context, target: Target): Promise<Found> {
  const kube = await openTarget(ctx, target);
  try {
    return await findDeployed(ctx, kube, target);
  } finally {
    kube.close();
  }
}

const REST_MS = 60_000;

/**
 * Waits for what a removal that was broken off has left to go by itself. Nothing on it says whose
 * graph it was, so it is not touched.
 */
function restStep(
  { orphans, namespace, apiVersion }: Found,
  connection: SharedConnection,
): Step {
  return {
    id: "rest",
    title: `Wait for the rest of ${orphans.join(", ")}`,
    touches: [],
    deadlineMs: REST_MS + 30_000,
    run: async (ctx) => {
      const options = { names: orphans, namespace, apiVersion, timeoutMs: REST_MS };
      const left = await waitForRest(ctx, await connection.connect(), options);
      if (left.length === 0) return undefined;
      ctx.ui.warn(
        `Still there of graphs that are gone: ${left.join(", ")}; deno task cleanup NAME removes ` +
          "what is left of the graph of that name",
      );
      return `${left.length} objects stay`;
    },
  };
}

/** Ends the downloads of models; what they have brought stays in its claim. */
function downloadSteps({ downloads, namespace }: Found, connection: SharedConnection): Step[] {
  if (downloads.length === 0) return [];
  return [{
    id: "downloads",
    title: "Remove the Jobs that download models",
    touches: downloads.map((name) => `Job ${namespace}/${name}`),
    deadlineMs: 60_000,
    run: async (ctx) => {
      const names = await endDownloads(ctx, await connection.connect(), { namespace });
      return names.length === 0 ? "were already gone" : `${names.length} of them`;
    },
  }];
}

/** The one graph that is named has to stay: that is no success. */
function requireMovable(name: string, stays: readonly Staying[]): void {
  const [first] = stays;
  if (first === undefined) return;
  throw preconditionError(
    "GRAPH_STAYS",
    stays.map(({ text }) => text).join("; "),
    first.comesBack
      ? "Do what is said there, then run it again. Nothing was touched."
      : `Whoever made it removes it: kubectl delete dynamographdeployments.nvidia.com ${name}`,
  );
}

/** The embedded cluster goes as a whole: its processes, ports and folders. */
async function planAll(
  ctx: Context,
  cache: boolean,
  choice: CleanupChoice,
): Promise<PreparedCleanup> {
  const target = await recallTarget(ctx) === undefined
    ? undefined
    : await resolveTarget(ctx, choice);
  if (target !== undefined && target.kind !== "local") {
    throw preconditionError(
      "CLEANUP_TARGET",
      `The cluster of target ${target.kind} was not made here, so --all does not remove it`,
      "deno task cleanup --platform removes the graphs and the platform.",
    );
  }
  const warnings = target === undefined ? [] : await whatOthersHave(ctx, target);
  const steps: Step[] = [...await localDeleteSteps(ctx, { cache }), {
    id: "target",
    title: "Forget the target",
    touches: [`${ctx.home}/target.json`],
    deadlineMs: 10_000,
    run: (stepCtx) => forgetTarget(stepCtx),
  }];
  return {
    plan: {
      task: "cleanup",
      facts: {
        target: "local",
        namespace: target?.namespace ?? "-",
        stays: cache ? "results of bench" : `results of bench; downloads and builds (${ctx.cache})`,
        cost: "nothing: it runs on this machine",
        takes: "some seconds",
      },
      warnings,
      steps,
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const LOOK_MS = 5_000;
const BUILT_IN = ["default", "kube-node-lease", "kube-public", "kube-system"];

/**
 * What others made in the embedded cluster, which goes with it. Whether the API server answers is
 * of no matter to the steps; only a proof that the kubeconfig means another cluster is.
 *
 * @throws {TaskError} TARGET_OTHER_CLUSTER.
 */
async function whatOthersHave(ctx: Context, target: Target): Promise<string[]> {
  const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(LOOK_MS)]);
  try {
    const kube = await openTarget(withContext(ctx, { signal }), target);
    try {
      return await othersTexts(kube, target);
    } finally {
      kube.close();
    }
  } catch (error) {
    if (ctx.signal.aborted || !(error instanceof TaskError)) throw error;
    if (error.code === "TARGET_OTHER_CLUSTER") throw error;
    return [
      `What is in the cluster cannot be looked at (${error.message}); its processes and files go ` +
      "all the same",
    ];
  }
}

async function othersTexts(kube: Kube, target: Target): Promise<string[]> {
  const apiVersion = resolveRelease(target.release).graphApiVersion;
  const [spaces, graphs] = await Promise.all([
    kube.list({ apiVersion: "v1", kind: "Namespace" }),
    kube.list({ apiVersion, kind: GRAPH_KIND }),
  ]);
  const texts = [
    ...spaces.items.map(({ metadata: { name } }) => name)
      .filter((name) => name !== target.namespace && !BUILT_IN.includes(name))
      .map((name) => `namespace ${name}`),
    ...graphs.items.filter(({ metadata: { labels } }) =>
      labels?.["app.kubernetes.io/managed-by"] !== "dynamo-eks"
    ).map(({ metadata }) => `graph ${metadata.namespace}/${metadata.name}`),
  ];
  return texts.length === 0
    ? []
    : [`What others made in the embedded cluster goes with it: ${texts.join(", ")}`];
}
