/**
 * Reading Kubernetes objects for diagnoses. Pure.
 *
 * @module
 */
import { eventTime } from "../../kube/events.ts";
import type { KubeObject } from "../../kube/types.ts";
import type { ComponentObjects, Diagnosis } from "./types.ts";

/**
 * Makes a diagnosis of a component: code, cause, hint, and the milliseconds that it has to stand;
 * one without them may mend itself.
 */
export type Make = (code: string, cause: string, hint: string, graceMs?: number) => Diagnosis;

/** Makes diagnoses of one component. */
export function makerFor(component: string): Make {
  return (code, cause, hint, graceMs) => ({
    code,
    component,
    cause,
    hint,
    final: graceMs !== undefined,
    graceMs: graceMs ?? 0,
  });
}

/** A container with what Kubernetes says about it. */
export interface ContainerFact {
  /** Name of the pod. */
  readonly pod: string;
  /** Name of the container. */
  readonly name: string;
  /** Image reference of the manifest. */
  readonly image: string;
  /** Whether it runs before the others. */
  readonly init: boolean;
  /** Its status. */
  readonly status: KubeObject;
}

/** Pods of a component that are neither ready nor going. */
export function troubledPods(component: ComponentObjects): KubeObject[] {
  return component.pods.filter((pod) =>
    pod.metadata.deletionTimestamp === undefined && !conditionIs(pod, "Ready", "True")
  );
}

/** Containers of a pod, those that run first in front, with their status. */
export function containersOf(pod: KubeObject): ContainerFact[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod["status"] ?? {};
  const { initContainers = [], containers = [] } = pod["spec"] ?? {};
  const facts = (statuses: KubeObject[], specs: KubeObject[], init: boolean) =>
    statuses.map((status): ContainerFact => ({
      pod: pod.metadata.name,
      name: status["name"],
      image: specs.find((spec) => spec["name"] === status["name"])?.["image"] ??
        status["image"] ?? "",
      init,
      status,
    }));
  return [
    ...facts(initContainerStatuses, initContainers, true),
    ...facts(containerStatuses, containers, false),
  ];
}

/** Events about an object, oldest first; by uid where both sides have one. */
export function eventsAbout(events: readonly KubeObject[], object: KubeObject): KubeObject[] {
  return events.filter(({ involvedObject = {} }) =>
    involvedObject.kind === object.kind && involvedObject.name === object.metadata.name &&
    (involvedObject.uid === undefined || object.metadata.uid === undefined ||
      involvedObject.uid === object.metadata.uid)
  ).sort((a, b) => eventTime(a).localeCompare(eventTime(b)));
}

/** The newest event of those reasons. */
export function latestEvent(
  events: readonly KubeObject[],
  object: KubeObject,
  ...reasons: readonly string[]
): KubeObject | undefined {
  return eventsAbout(events, object).findLast((event) => reasons.includes(event["reason"]));
}

/** Whether a condition has that status. */
export function conditionIs(object: KubeObject, type: string, status: string): boolean {
  return conditionOf(object, type)?.["status"] === status;
}

/** A condition of an object. */
export function conditionOf(object: KubeObject, type: string): KubeObject | undefined {
  return (object["status"]?.conditions ?? []).find((one: KubeObject) => one["type"] === type);
}

/** GPUs that a pod asks for. */
export function podGpus(pod: KubeObject): number {
  return (pod["spec"]?.containers ?? []).reduce(
    (sum: number, { resources = {} }: KubeObject) =>
      sum + Number(resources.limits?.["nvidia.com/gpu"] ?? 0),
    0,
  );
}

/** Node pool that a pod insists on. */
export function podPool(pod: KubeObject): string | undefined {
  return pod["spec"]?.nodeSelector?.["karpenter.sh/nodepool"];
}

/** The first `most` characters of a text on one line. */
export function oneLine(text: string, most = 240): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

/** `1 node`, `3 nodes`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
