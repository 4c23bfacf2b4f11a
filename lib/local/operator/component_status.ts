/**
 * Status of a DynamoComponentDeployment, in both behaviours.
 *
 * @module
 */
import { messageOf } from "../../cli/errors.ts";
import { cutMessage, type NewCondition, setConditions } from "./conditions.ts";
import { deploymentCounts, isDeploymentReady } from "./deployment_state.ts";
import type { OperatorFeatures } from "./features.ts";
import { prune } from "./json.ts";
import { LABEL } from "./names.ts";
import type { Component, ComponentCounts, ComponentStatus, Deployment } from "./types.ts";

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
    ...(legacy || deployment === undefined ? {} : countsField(component, deployment, features)),
  });
}

/** Where the workers of a component register: its Dynamo namespace, with the worker hash. */
export function runtimeNamespace(component: Component): string {
  const labels = component.metadata.labels ?? {};
  const hash = labels[LABEL.workerHash];
  const base = labels[LABEL.namespace] ?? "";
  return hash === undefined ? base : `${base}-${hash}`;
}

/** The fields of counts that a release's schema has. */
export function knownCounts(counts: ComponentCounts, features: OperatorFeatures): ComponentCounts {
  const { componentNames, runtimeNamespace, ...rest } = counts;
  return {
    ...rest,
    ...(features.componentNames && componentNames !== undefined ? { componentNames } : {}),
    ...(features.runtimeNamespace && runtimeNamespace !== undefined ? { runtimeNamespace } : {}),
  };
}

function countsField(
  component: Component,
  deployment: Deployment,
  features: OperatorFeatures,
): Partial<ComponentStatus> {
  const counts = knownCounts(
    deploymentCounts(deployment, runtimeNamespace(component)),
    features,
  );
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
      message: cutMessage(`Failed to reconcile DynamoComponentDeployment: ${messageOf(error)}`),
    }], now),
  };
}
