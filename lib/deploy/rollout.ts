/**
 * A graph on its way, from watches: its state, and the facts that diagnoses are made from.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { OPERATOR_SUFFIX } from "../platform/charts.ts";
import { findOperators } from "../platform/operators.ts";
import type { ClusterFacts, OperatorFact } from "./diagnosis/types.ts";
import { componentObjects, type GraphState, graphState } from "./graph_state.ts";
import { graphKinds } from "./graphs.ts";
import { followObjects, type Snapshot } from "./live_objects.ts";
import { followLogTails } from "./log_tails.ts";

/** A graph at one moment. */
export interface RolloutMoment {
  /** Its state; undefined while it is not there. */
  readonly state: GraphState | undefined;
  /** What a diagnosis is made from; undefined while the graph is not there. */
  readonly facts: ClusterFacts | undefined;
  /** Why the objects may be out of date: a connection was lost and is being made again. */
  readonly outdated: string | undefined;
}

/** Options of {@link followRollout}. */
export interface RolloutOptions {
  /** Namespace of the graph. */
  readonly namespace: string;
  /** Name of the graph. */
  readonly name: string;
  /** API version in which the graph is read. */
  readonly apiVersion: string;
  /** Ends it without an error. */
  readonly signal: AbortSignal;
  /** After how many milliseconds to yield again although nothing has changed. */
  readonly dueInMs?: () => number | undefined;
}

const KARPENTER = "karpenter.sh/v1";
// Objects of the cluster have their events here.
const CLUSTER_EVENTS = "default";
// Logs come in bursts, and each look at them costs a few milliseconds.
const LOG_PAUSE_MS = 300;
const OPERATOR_EVERY_MS = 3_000;

function rolloutKinds(apiVersion: string) {
  const optional = true as const;
  const { graphs, componentDeployments, deployments, pods } = graphKinds(apiVersion);
  return {
    graphs,
    componentDeployments,
    deployments,
    pods,
    events: { apiVersion: "v1", kind: "Event", optional },
    claims: { apiVersion: "v1", kind: "PersistentVolumeClaim", optional },
    nodes: { apiVersion: "v1", kind: "Node", optional },
    storageClasses: { apiVersion: "storage.k8s.io/v1", kind: "StorageClass", optional },
    nodePools: { apiVersion: KARPENTER, kind: "NodePool", optional },
    nodeClaims: { apiVersion: KARPENTER, kind: "NodeClaim", optional },
    claimEvents: {
      apiVersion: "v1",
      kind: "Event",
      namespace: CLUSTER_EVENTS,
      fieldSelector: "involvedObject.kind=NodeClaim",
      optional,
    },
  } as const;
}

type RolloutSnapshot = Snapshot<ReturnType<typeof rolloutKinds>>;

/** Yields the graph whenever something about it changed, or when asked to. */
export async function* followRollout(
  ctx: Context,
  kube: Kube,
  options: RolloutOptions,
): AsyncGenerator<RolloutMoment> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  let outdated: string | undefined;
  let wake: () => void = () => {};
  await using tails = followLogTails(ctx, kube, {
    namespace: options.namespace,
    signal,
    onTelling: () => wake(),
  });
  const operators = operatorsOf(ctx, kube, signal, () => wake());
  const changes = followObjects(kube, {
    kinds: rolloutKinds(options.apiVersion),
    namespace: options.namespace,
    signal,
    onRetry: (reason) => {
      outdated = reason;
      wake();
    },
  });
  let next = changes.next();
  let latest: RolloutSnapshot | undefined;
  try {
    for (;;) {
      const timer = new AbortController();
      const due = options.dueInMs?.();
      const first = await Promise.race([
        next,
        new Promise<"log">((resolve) => wake = () => resolve("log")),
        ...(due === undefined ? [] : [
          ctx.clock.sleep(due, AbortSignal.any([signal, timer.signal])).then(
            () => "due" as const,
            () => "due" as const,
          ),
        ]),
      ]);
      timer.abort();
      if (first === "log") await ctx.clock.sleep(LOG_PAUSE_MS, signal).catch(() => {});
      if (typeof first === "object") {
        if (first.done) return;
        latest = first.value;
        outdated = undefined;
        next = changes.next();
      } else if (signal.aborted) return;
      if (latest === undefined) continue;
      const moment = read(latest, options.name, tails.lines, operators.known(latest));
      if (moment.facts !== undefined) {
        tails.update(moment.facts.components.flatMap((component) => component.pods));
      }
      yield { ...moment, outdated };
    }
  } finally {
    stop.abort();
    await changes.return(undefined);
  }
}

function read(
  snapshot: RolloutSnapshot,
  name: string,
  logs: ReadonlyMap<string, readonly string[]>,
  operators: readonly OperatorFact[] | undefined,
): Omit<RolloutMoment, "outdated"> {
  const graph = snapshot.graphs.find((one) => one.metadata.name === name);
  if (graph === undefined) return { state: undefined, facts: undefined };
  const objects = { ...snapshot, graph };
  return {
    state: graphState(objects),
    facts: {
      graph,
      components: componentObjects(objects),
      events: [...snapshot.events ?? [], ...snapshot.claimEvents ?? []],
      pods: snapshot.pods,
      claims: snapshot.claims ?? [],
      nodes: snapshot.nodes,
      nodePools: snapshot.nodePools,
      nodeClaims: snapshot.nodeClaims,
      storageClasses: snapshot.storageClasses,
      operators,
      logs,
    },
  };
}

/**
 * Who looks after the namespace. An operator in it is among the watched Deployments; one for the
 * whole cluster is looked for when there is none.
 */
function operatorsOf(
  ctx: Context,
  kube: Kube,
  signal: AbortSignal,
  onChange: () => void,
): { known(snapshot: RolloutSnapshot): readonly OperatorFact[] | undefined } {
  let elsewhere: readonly OperatorFact[] | undefined;
  let looking = false;
  const look = async () => {
    while (!signal.aborted) {
      const found = await clusterOperators(kube);
      if (found !== undefined && JSON.stringify(found) !== JSON.stringify(elsewhere)) {
        elsewhere = found;
        onChange();
      }
      if (found?.some((one) => one.ready > 0) === true) return;
      await ctx.clock.sleep(OPERATOR_EVERY_MS, signal).catch(() => {});
    }
  };
  return {
    known({ deployments }) {
      const here = deployments.filter(({ metadata: { name, deletionTimestamp } }) =>
        deletionTimestamp === undefined &&
        (name === OPERATOR_SUFFIX || name.endsWith(`-${OPERATOR_SUFFIX}`))
      );
      if (here.length > 0) return here.map(operatorFact);
      if (!looking) {
        looking = true;
        look().catch(() => {});
      }
      return elsewhere;
    },
  };
}

async function clusterOperators(kube: Kube): Promise<OperatorFact[] | undefined> {
  try {
    const found = await findOperators(kube);
    const deployments = await Promise.all(
      found.flatMap(({ namespace, deployment }) =>
        deployment === undefined
          ? []
          : [kube.get({ apiVersion: "apps/v1", kind: "Deployment", namespace, name: deployment })]
      ),
    );
    return deployments.filter((one) => one !== undefined).map(operatorFact);
  } catch {
    // Who may not look at other namespaces cannot say that nobody is there.
    return undefined;
  }
}

function operatorFact(deployment: KubeObject): OperatorFact {
  const { namespace, name } = deployment.metadata;
  return { name: `${namespace}/${name}`, ready: deployment["status"]?.readyReplicas ?? 0 };
}
