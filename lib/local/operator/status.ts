/**
 * Status of graphs and components, in both behaviours.
 *
 * @module
 */
import { messageOf, TaskError } from "../../cli/errors.ts";
import { conditionStatus, type NewCondition, setConditions, timestamp } from "./conditions.ts";
import { addCounts, deploymentCounts, isDeploymentReady } from "./deployment_state.ts";
import type { OperatorFeatures } from "./features.ts";
import { prune } from "./json.ts";
import { LABEL } from "./names.ts";
import type {
  Component,
  ComponentCounts,
  ComponentStatus,
  Deployment,
  Graph,
  GraphStatus,
  RollingUpdate,
} from "./types.ts";

/** Status of a component on its first pass. */
export function firstComponentStatus(component: Component, now: number): ComponentStatus {
  const starting = {
    status: "Unknown",
    reason: "Reconciling",
    message: "Starting to reconcile DynamoComponentDeployment",
  } as const;
  return {
    conditions: setConditions(component.status?.conditions, [
      { type: "Available", ...starting },
      { type: "DynamoComponentReady", ...starting },
    ], now),
  };
}

/** Status of a component whose objects are in place. */
export function componentStatus(
  component: Component,
  deployment: Deployment | undefined,
  features: OperatorFeatures,
  now: number,
): ComponentStatus {
  const ready = isDeploymentReady(deployment);
  const legacy = features.behaviour === "legacy";
  // Without Grove and LeaderWorkerSet 0.4.1 waits for no set at all, and succeeds.
  const vacuous = legacy && (component.spec.multinode?.nodeCount ?? 1) > 1;
  const available: NewCondition = vacuous
    ? {
      type: "Available",
      status: "True",
      reason: "AllLeaderWorkerSetsReady",
      message: "All LeaderWorkerSets are ready",
    }
    : {
      type: "Available",
      status: ready ? "True" : "False",
      reason: ready ? "DeploymentReady" : "DeploymentNotReady",
      message: ready ? "Deployment is ready" : "Deployment is not ready",
    };
  // In 0.4.1 this condition never leaves its first value.
  const second: NewCondition[] = legacy ? [] : [{
    type: "DynamoComponentReady",
    status: ready ? "True" : "False",
    reason: ready ? "ComponentReady" : "ComponentNotReady",
    message: ready ? "DynamoComponent is ready" : "DynamoComponent is not ready",
  }];
  return prune<ComponentStatus>({
    ...component.status,
    conditions: setConditions(component.status?.conditions, [available, ...second], now),
    observedGeneration: features.observedGeneration ? component.metadata.generation : undefined,
    ...(legacy || deployment === undefined
      ? {}
      : countsField(component, deploymentCounts(deployment, runtimeNamespace(component)))),
  });
}

function runtimeNamespace(component: Component): string {
  const labels = component.metadata.labels ?? {};
  const hash = labels[LABEL.workerHash];
  const base = labels[LABEL.namespace] ?? "";
  return hash === undefined ? base : `${base}-${hash}`;
}

function countsField(component: Component, counts: ComponentCounts): Partial<ComponentStatus> {
  if (component.apiVersion === "nvidia.com/v1beta1") return { component: counts };
  return { service: { ...counts, componentName: component.metadata.name } };
}

/** Status of a component that could not be realised. */
export function failedComponentStatus(
  component: Component,
  error: unknown,
  now: number,
): ComponentStatus {
  return {
    ...component.status,
    conditions: setConditions(component.status?.conditions, [{
      type: "Available",
      status: "False",
      reason: "Reconciling",
      message: cut(`Failed to reconcile DynamoComponentDeployment: ${messageOf(error)}`),
    }], now),
  };
}

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
  const legacy = features.behaviour === "legacy";
  const waiting = state.wanted.flatMap((one) => {
    const reason = notReady(one, features);
    return reason === undefined ? [] : [{ name: one.metadata.name, reason }];
  });
  const rolling = state.rollout?.phase === "Pending" || state.rollout?.phase === "InProgress";
  const names = waiting.map((one) => one.name);
  const [reason, message] = rolling
    ? ["rolling_update_in_progress", "Rolling update in progress"]
    : waiting.length === 0
    ? ["all_resources_are_ready", "All resources are ready"]
    : [
      "some_resources_are_not_ready",
      legacy
        ? `${waiting.length} resources not ready: [${names.join(" ")}]`
        : `Resources not ready: ${
          waiting.map((one) => `${one.name}: ${one.reason}`).sort().join("; ")
        }`,
    ];
  const ready = waiting.length === 0 && !rolling;
  const counts = legacy ? {} : graphCounts(graph, state);
  const restart = graph.spec?.restart?.id;
  return prune<GraphStatus>({
    ...withReady(graph, features, ready ? "successful" : "pending", {
      type: "Ready",
      status: ready ? "True" : "False",
      reason: reason!,
      message: cut(message!),
    }, now),
    ...counts,
    rollingUpdate: legacy ? undefined : state.rollout ?? graph.status?.rollingUpdate,
    restart: legacy || restart === undefined
      ? undefined
      : { observedID: restart, phase: ready ? "Completed" : "Restarting" },
  });
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

function graphCounts(graph: Graph, state: GraphState): Partial<GraphStatus> {
  const beta = graph.apiVersion === "nvidia.com/v1beta1";
  const groups = new Map<string, ComponentCounts[]>();
  for (const component of state.all) {
    const name = component.metadata.labels?.[LABEL.component] ?? component.metadata.name;
    const counts = component.status?.component ?? component.status?.service;
    if (counts !== undefined) groups.set(name, [...groups.get(name) ?? [], counts]);
  }
  const wanted = new Map(
    state.wanted.map((one) => [one.metadata.labels?.[LABEL.component] ?? "", one]),
  );
  const entries = [...groups].flatMap(([name, counts]) => {
    const sum = addCounts(counts);
    if (sum === undefined) return [];
    const current = wanted.get(name);
    const runtime = current === undefined
      ? sum
      : { ...sum, runtimeNamespace: runtimeNamespace(current) };
    return [[
      name,
      beta ? runtime : { componentName: runtime.componentNames[0] ?? "", ...runtime },
    ]];
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
    message: cut(messageOf(error)),
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

/** A message within the length the schema allows. */
function cut(text: string): string {
  return text.length <= 32_000 ? text : `${text.slice(0, 32_000)}…`;
}
