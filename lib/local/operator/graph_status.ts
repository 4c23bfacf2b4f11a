/**
 * Status of a DynamoGraphDeployment, in both behaviours.
 *
 * @module
 */
import { messageOf, TaskError } from "../../cli/errors.ts";
import { knownCounts, runtimeNamespace } from "./component_status.ts";
import {
  conditionStatus,
  cutMessage,
  type NewCondition,
  setConditions,
  timestamp,
} from "./conditions.ts";
import { addCounts } from "./deployment_state.ts";
import type { OperatorFeatures } from "./features.ts";
import { prune } from "./json.ts";
import { LABEL } from "./names.ts";
import type { Component, ComponentCounts, Graph, GraphStatus, RollingUpdate } from "./types.ts";

/** What a graph's status is computed from. */
export interface GraphState {
  /** Components the graph asks for, as they are now. */
  readonly wanted: readonly Component[];
  /** Those and the older generations of workers. */
  readonly all: readonly Component[];
  /** Progress of a worker change. */
  readonly rollout?: RollingUpdate | undefined;
}

/** Status of a graph whose components are in place. */
export function graphStatus(
  graph: Graph,
  state: GraphState,
  features: OperatorFeatures,
  now: number,
): GraphStatus {
  const rolling = state.rollout?.phase === "Pending" || state.rollout?.phase === "InProgress";
  const waiting = waitingFor(state, features);
  const ready = waiting === undefined && !rolling;
  const condition: NewCondition = {
    type: "Ready",
    status: ready ? "True" : "False",
    ...(rolling
      ? { reason: "rolling_update_in_progress", message: "Rolling update in progress" }
      : waiting === undefined
      ? { reason: "all_resources_are_ready", message: "All resources are ready" }
      : { reason: "some_resources_are_not_ready", message: cutMessage(waiting) }),
  };
  const status = withReady(graph, features, ready ? "successful" : "pending", condition, now);
  if (features.behaviour === "legacy") return status;
  const restart = graph.spec?.restart?.id;
  return prune<GraphStatus>({
    ...status,
    ...graphCounts(graph, state, features),
    rollingUpdate: features.workerHash ? rollingUpdate(graph, state.rollout) : undefined,
    restart: restart === undefined
      ? undefined
      : { observedID: restart, phase: ready ? "Completed" : "Restarting" },
  });
}

/** What is not ready, in words; undefined when all is. */
function waitingFor(state: GraphState, features: OperatorFeatures): string | undefined {
  const waiting = state.wanted.flatMap((one) => {
    const reason = notReady(one, features);
    return reason === undefined ? [] : [{ name: one.metadata.name, reason }];
  });
  if (waiting.length === 0) return undefined;
  if (features.behaviour === "legacy") {
    return `${waiting.length} resources not ready: [${waiting.map((one) => one.name).join(" ")}]`;
  }
  const lines = waiting.map((one) => `${one.name}: ${one.reason}`).sort();
  return `Resources not ready: ${lines.join("; ")}`;
}

function notReady(component: Component, features: OperatorFeatures): string | undefined {
  if (features.observedGeneration) {
    const generation = component.metadata.generation ?? 0;
    const observed = component.status?.observedGeneration ?? 0;
    if (observed < generation) {
      return `spec not yet processed: generation=${generation}, observedGeneration=${observed}`;
    }
  }
  if (conditionStatus(component.status?.conditions, "Available") === "True") return undefined;
  return "Component deployment not ready - Available condition not true";
}

/** Progress as the graph's API version spells it. */
function rollingUpdate(
  graph: Graph,
  rollout: RollingUpdate | undefined,
): RollingUpdate | undefined {
  if (rollout === undefined) return graph.status?.rollingUpdate;
  if (graph.apiVersion === "nvidia.com/v1beta1") return rollout;
  const { updatedComponents, ...rest } = rollout;
  return updatedComponents === undefined ? rest : { ...rest, updatedServices: updatedComponents };
}

function graphCounts(
  graph: Graph,
  state: GraphState,
  features: OperatorFeatures,
): Partial<GraphStatus> {
  const beta = graph.apiVersion === "nvidia.com/v1beta1";
  const groups = new Map<string, ComponentCounts[]>();
  const newest = new Map<string, Component>();
  for (const component of state.all) {
    const name = component.metadata.labels?.[LABEL.component] ?? component.metadata.name;
    if (state.wanted.includes(component)) newest.set(name, component);
    const { component: counts, service } = component.status ?? {};
    const own = counts ?? service;
    if (own === undefined) continue;
    const named = { ...own, componentNames: [component.metadata.name] };
    groups.set(name, [...groups.get(name) ?? [], named]);
  }
  const entries = [...groups].flatMap(([name, counts]) => {
    const sum = addCounts(counts);
    if (sum === undefined) return [];
    const current = newest.get(name);
    const namespace = current === undefined ? {} : { runtimeNamespace: runtimeNamespace(current) };
    const known = knownCounts({ ...sum, ...namespace }, features);
    return [[name, beta ? known : { ...known, componentName: sum.componentNames?.[0] ?? "" }]];
  });
  return { [beta ? "components" : "services"]: Object.fromEntries(entries) };
}

/** Status of a graph that could not be realised. */
export function failedGraphStatus(
  graph: Graph,
  error: unknown,
  features: OperatorFeatures,
  now: number,
): GraphStatus {
  const own = error instanceof TaskError ? /^OPERATOR_(.+)$/.exec(error.code)?.[1] : undefined;
  const reason = own === undefined || own === "SPEC"
    ? "failed_to_reconcile_the_resources"
    : own.toLowerCase();
  return withReady(graph, features, "failed", {
    type: "Ready",
    status: "False",
    reason,
    message: cutMessage(messageOf(error)),
  }, now);
}

function withReady(
  graph: Graph,
  features: OperatorFeatures,
  state: string,
  ready: NewCondition,
  now: number,
): GraphStatus {
  const generation = graph.metadata.generation;
  const observed = features.observedGeneration && generation !== undefined
    ? { observedGeneration: generation }
    : {};
  const conditions = setConditions(graph.status?.conditions, [{ ...ready, ...observed }], now);
  return {
    ...graph.status,
    ...observed,
    state,
    // 0.4.1 writes the time anew on every pass.
    conditions: features.behaviour === "legacy"
      ? conditions.map((one) => ({ ...one, lastTransitionTime: timestamp(now) }))
      : conditions,
  };
}
