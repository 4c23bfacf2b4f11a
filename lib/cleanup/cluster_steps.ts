/**
 * Steps inside a cluster that goes: what has something in AWS that terraform does not know of,
 * while the controllers that can take it away still run.
 *
 * @module
 */
import type { AwsSession } from "../aws/session.ts";
import { findClassicBalancers } from "../aws/sweep/classic_balancers.ts";
import { findLoadBalancers } from "../aws/sweep/find_services.ts";
import { asLeak } from "../aws/sweep/ownership.ts";
import type { Resource } from "../aws/sweep/types.ts";
import type { Context } from "../cli/context.ts";
import { messageOf, TaskError, timeoutError } from "../cli/errors.ts";
import type { Step } from "../cli/plan.ts";
import type { StepUi } from "../cli/ui.ts";
import type { Kube } from "../kube/types.ts";
import { stopUsers } from "./claim_users.ts";
import {
  type Claim,
  type Holding,
  type Holdings,
  holdingText,
  NODE_KINDS,
  poolOf,
} from "./holdings.ts";
import { takeAway, untilGone } from "./take_away.ts";

/** What the steps work with. */
export interface ClusterStepsOptions {
  /** The cluster; it has to stay open until the steps have run. */
  readonly kube: Kube;
  /** AWS in its region. */
  readonly aws: AwsSession;
  /** Name of the cluster. */
  readonly cluster: string;
  /** What goes. */
  readonly holdings: Holdings;
  /** Milliseconds that each kind may take before it is helped; see {@link PATIENCE}. */
  readonly patience?: Partial<Patience> | undefined;
}

/** How long controllers and the API server may take, in milliseconds. */
export interface Patience {
  /** Load balancers. */
  readonly balancers: number;
  /** Disks. */
  readonly claims: number;
  /** Nodes that are drained. */
  readonly drain: number;
  /** Nodes that are told to go at once. */
  readonly force: number;
  /** The API server, that answers with faults or, once it had answered, not at all. */
  readonly answer: number;
}

/** A load balancer goes within two minutes, a disk within one; a GPU node drains for longer. */
export const PATIENCE: Patience = {
  balancers: 5 * 60_000,
  claims: 5 * 60_000,
  drain: 15 * 60_000,
  force: 5 * 60_000,
  answer: 2 * 60_000,
};

/** Load balancers, disks, nodes: in this order, each skipped where there is nothing. */
export function clusterSteps(options: ClusterStepsOptions): Step[] {
  return [balancerStep(options), claimStep(options), nodeStep(options)];
}

const SPARE_MS = 2 * 60_000;

function balancerStep(options: ClusterStepsOptions): Step {
  const { kube, holdings: { balancers } } = options;
  const { balancers: patienceMs } = { ...PATIENCE, ...options.patience };
  return {
    id: "load-balancers",
    title: "Remove load balancers",
    touches: balancers.map(holdingText),
    deadlineMs: 2 * patienceMs + SPARE_MS,
    ...(balancers.length === 0 ? { skip: "there are none" } : {}),
    run: async (ctx, ui) => {
      await takeAway(ctx, kube, balancers, {
        patienceMs,
        onProgress: (left) => ui.update(`${left.length} of ${balancers.length} left`),
      });
      const left = await balancersLeft(ctx, options, ui, patienceMs);
      return left === 0
        ? `${balancers.length} gone, and their load balancers`
        : `${balancers.length} gone; ${left} load balancers are left to the sweep`;
    },
  };
}

/** Waits until AWS has none with the cluster's tags any more; returns how many it still has. */
async function balancersLeft(
  ctx: Context,
  { aws, cluster }: ClusterStepsOptions,
  ui: StepUi,
  patienceMs: number,
): Promise<number> {
  const scope = { cluster, region: aws.region };
  const end = ctx.clock.monotonic() + patienceMs;
  const within = aws.within({ signal: ctx.signal });
  for (;;) {
    const found = await allBalancers(within).catch((error) => {
      if (!(error instanceof TaskError) || error.code !== "AWS_DENIED") throw error;
      ctx.ui.warn(`Load balancers cannot be looked at: ${messageOf(error)}`);
      return [];
    });
    const left = found.filter((one) =>
      one.kind !== "target-group" && asLeak(one, scope)?.belonging === "own"
    );
    if (left.length === 0 || ctx.clock.monotonic() >= end) return left.length;
    ui.update(`AWS still has ${left.map((one) => one.name).join(", ")}`);
    await ctx.clock.sleep(Math.min(3_000, patienceMs), ctx.signal);
  }
}

async function allBalancers(aws: AwsSession): Promise<Resource[]> {
  return (await Promise.all([findLoadBalancers(aws), findClassicBalancers(aws)])).flat();
}

function claimStep(options: ClusterStepsOptions): Step {
  const { kube, holdings: { claims } } = options;
  const { claims: patienceMs } = { ...PATIENCE, ...options.patience };
  return {
    id: "disks",
    title: "Remove disks and shared folders",
    touches: claims.map((one) => `${holdingText(one)}, with its data`),
    deadlineMs: 3 * patienceMs + SPARE_MS,
    ...(claims.length === 0 ? { skip: "there are none" } : {}),
    run: async (ctx, ui) => {
      const volumes = await volumesOf(kube, claims);
      const stopped = await stopUsers(ctx, kube, claims);
      if (stopped.length > 0) ui.update(`stops ${stopped.join(", ")}`);
      await takeAway(ctx, kube, claims, {
        patienceMs,
        onProgress: (left) => ui.update(`${left.length} of ${claims.length} claims left`),
      });
      // A volume is gone when the driver has deleted its disk.
      const left = await untilGone(
        ctx,
        kube,
        volumes,
        patienceMs,
        (left) => ui.update(`${left.length} of ${volumes.length} volumes left`),
      );
      return `${claims.length} claims gone, ${volumes.length - left.length} volumes` +
        (left.length === 0 ? "" : `; ${left.length} are left to the sweep`);
    },
  };
}

/** Volumes that go with their claims. Those that are kept by policy stay for the sweep. */
async function volumesOf(kube: Kube, claims: readonly Claim[]): Promise<Holding[]> {
  const { items } = await kube.list({ apiVersion: "v1", kind: "PersistentVolume" });
  const names = new Set(claims.map((one) => one.volume));
  return items.filter(({ metadata, spec }) =>
    names.has(metadata.name) && spec?.persistentVolumeReclaimPolicy === "Delete"
  ).map(({ apiVersion, kind, metadata: { name, uid = "" } }) => ({
    ref: { apiVersion, kind, name },
    uid,
    ours: true,
    detail: "",
  }));
}

function nodeStep(options: ClusterStepsOptions): Step {
  const { kube, holdings: { nodes } } = options;
  const { drain, force } = { ...PATIENCE, ...options.patience };
  const of = (kind: string) => nodes.filter((one) => one.ref.kind === kind);
  const pools = of(NODE_KINDS.pool.kind);
  // Nodes that were not there when it was agreed to go if their pool was; others are told.
  const known = new Set(nodes.map(({ uid }) => uid));
  const poolNames = new Set<string | undefined>(pools.map(({ ref }) => ref.name));
  return {
    id: "nodes",
    title: "Remove nodes",
    touches: nodes.map(holdingText),
    deadlineMs: drain + 3 * force + SPARE_MS,
    ...(nodes.length === 0 ? { skip: "Karpenter has none" } : {}),
    run: async (ctx, ui) => {
      // Without pools no new nodes come, whatever waits for one.
      for (const { ref, uid } of pools) await kube.delete(ref, { propagation: "Background", uid });
      const claims = (await currentClaims(kube)).filter((one) =>
        known.has(one.uid) || poolNames.has(one.pool)
      );
      for (const { ref, uid } of claims) await kube.delete(ref, { uid });
      const say = (left: readonly Holding[]) =>
        ui.update(`drains ${left.length} of ${claims.length} nodes`);
      const slow = await untilGone(ctx, kube, claims, drain, say);
      for (const one of slow) await endAtOnce(ctx, kube, one);
      await takeAway(ctx, kube, slow, { patienceMs: force, onProgress: say });
      await takeAway(ctx, kube, [...pools, ...of(NODE_KINDS.class.kind)], {
        patienceMs: force,
        onProgress: (left) => ui.update(`${left.map((one) => one.ref.name).join(", ")} left`),
      });
      const again = await currentClaims(kube);
      if (again.length > 0) throw nodesLeft(again);
      return `${claims.length} nodes, ${pools.length} pools`;
    },
  };
}

async function currentClaims(
  kube: Kube,
): Promise<(Holding & { readonly pool: string | undefined })[]> {
  const { items } = await kube.list(NODE_KINDS.claim);
  return items.map((one) => ({
    ref: { ...NODE_KINDS.claim, name: one.metadata.name },
    uid: one.metadata.uid ?? "",
    ours: true,
    detail: one["status"]?.nodeName ?? "",
    pool: poolOf(one),
  }));
}

/** Karpenter stops draining at this time, whatever disruption budgets say (its API, 1.0). */
async function endAtOnce(ctx: Context, kube: Kube, holding: Holding): Promise<void> {
  if (await kube.get(holding.ref) === undefined) return;
  ctx.ui.warn(`${holdingText(holding)} does not drain: it ends now`);
  const time = new Date(ctx.clock.now()).toISOString();
  await kube.patch(holding.ref, "merge", {
    metadata: { annotations: { "karpenter.sh/nodeclaim-termination-timestamp": time } },
  });
}

function nodesLeft(left: readonly Holding[]): TaskError {
  return timeoutError("NODES_LEFT", `${left.length} nodes came again while the pools went`, {
    hint: "Run the same task again.",
    evidence: left.map(holdingText),
  });
}
