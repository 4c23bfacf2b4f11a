/**
 * From 1.0: replacing workers. A changed worker gets a new component beside the old one;
 * replicas move over in steps, as in a Deployment with 25 % surge and unavailability.
 *
 * @module
 */
import { timestamp } from "../conditions.ts";
import { isDeploymentReady } from "../deployment_state.ts";
import { ANNOTATION, LABEL } from "../names.ts";
import type { Component, ComponentSpec, Deployment, Graph, RollingUpdate } from "../types.ts";
import type { GraphComponents } from "./components.ts";
import { isWorker } from "./graph_model.ts";

/** What a rollout is planned from. */
export interface RolloutInput {
  /** The graph. */
  readonly graph: Graph;
  /** What it asks for. */
  readonly wanted: GraphComponents;
  /** Components of the graph that exist. */
  readonly existing: readonly Component[];
  /** The Deployment of a component, when it exists. */
  readonly deploymentOf: (component: Component) => Deployment | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What to do now; the next change of a Deployment brings the next step. */
export interface RolloutPlan {
  /** Components with the replicas of this step; older generations included. */
  readonly components: readonly Component[];
  /** Names of components to delete. */
  readonly obsolete: readonly string[];
  /** Progress; undefined when no workers were ever replaced. */
  readonly rollout: RollingUpdate | undefined;
  /** Hash to note in the graph's annotation; undefined while replacing. */
  readonly settledHash: string | undefined;
}

/** Plans one step. */
export function planRollout(input: RolloutInput): RolloutPlan {
  const { wanted, graph } = input;
  const steps = wanted.specs.map((spec, index) => step(input, spec, wanted.objects[index]!));
  const replaced = steps.filter((one) => one.old.length > 0);
  const before = graph.status?.rollingUpdate;
  if (replaced.length === 0) {
    return {
      components: steps.map((one) => one.component),
      obsolete: [],
      rollout: before,
      settledHash: wanted.hash,
    };
  }
  const finished = replaced.every((one) => one.finished);
  const startTime = before?.phase === "InProgress" && before.startTime !== undefined
    ? before.startTime
    : timestamp(input.now);
  const updatedComponents = replaced.filter((one) => one.finished).map((one) => one.name).sort();
  return {
    components: steps.flatMap((one) => [one.component, ...(finished ? [] : one.old)]),
    obsolete: finished
      ? replaced.flatMap((one) => one.old.map((component) => component.metadata.name))
      : [],
    rollout: finished
      ? { phase: "Completed", startTime, endTime: timestamp(input.now), updatedComponents }
      : { phase: "InProgress", startTime, updatedComponents },
    settledHash: finished ? wanted.hash : undefined,
  };
}

interface Step {
  readonly name: string;
  readonly component: Component;
  /** Older generations, with the replicas they should have. */
  readonly old: readonly Component[];
  readonly finished: boolean;
}

function step(input: RolloutInput, spec: ComponentSpec, component: Component): Step {
  const name = spec.name;
  const old = isWorker(spec)
    ? input.existing.filter((one) =>
      one.metadata.labels?.[LABEL.component] === name &&
      one.metadata.name !== component.metadata.name &&
      one.metadata.labels?.[LABEL.workerHash] !== undefined
    )
    : [];
  if (old.length === 0) return { name, component, old, finished: true };
  const desired = spec.replicas ?? 1;
  const current = input.existing.find((one) => one.metadata.name === component.metadata.name);
  const counts = stepCounts({
    desired,
    started: current?.spec.replicas ?? 0,
    available: available(current, input),
    old: old.map((one) => one.spec.replicas ?? 1),
  });
  const fresh = current === undefined ? undefined : input.deploymentOf(current);
  return {
    name,
    component: { ...component, spec: { ...component.spec, replicas: counts.replicas } },
    old: old.map((one, index) => ({
      ...one,
      spec: { ...one.spec, replicas: counts.old[index] ?? 0 },
    })),
    finished: counts.replicas === desired && current?.spec.replicas === desired &&
      old.every((one) => one.spec.replicas === 0) && isDeploymentReady(fresh),
  };
}

function available(component: Component | undefined, input: RolloutInput): number {
  if (component === undefined) return 0;
  return input.deploymentOf(component)?.status?.availableReplicas ?? 0;
}

/** Replicas of one step. */
export interface StepCounts {
  /** Replicas of the new generation. */
  readonly replicas: number;
  /** Replicas of each older generation. */
  readonly old: readonly number[];
}

/**
 * The next step: new replicas up to a quarter above the desired count (rounded up), old ones
 * down as far as a quarter below it (rounded down) is still covered by available new ones.
 */
export function stepCounts(now: {
  desired: number;
  started: number;
  available: number;
  old: readonly number[];
}): StepCounts {
  const surge = Math.ceil(now.desired * 0.25);
  const mayMiss = Math.floor(now.desired * 0.25);
  const oldTotal = now.old.reduce((sum, one) => sum + one, 0);
  const room = now.desired + surge - oldTotal;
  const replicas = Math.min(now.desired, Math.max(now.started, room));
  const keep = Math.min(oldTotal, Math.max(0, now.desired - mayMiss - now.available));
  let excess = oldTotal - keep;
  const old = now.old.map((count) => {
    const cut = Math.min(count, excess);
    excess -= cut;
    return count - cut;
  });
  return { replicas, old };
}

/** Annotations that note the settled hash, when they differ from what the graph has. */
export function settledAnnotation(
  graph: Graph,
  hash: string | undefined,
): Record<string, string> | undefined {
  if (hash === undefined || graph.metadata.annotations?.[ANNOTATION.workerHash] === hash) {
    return undefined;
  }
  return { [ANNOTATION.workerHash]: hash };
}
