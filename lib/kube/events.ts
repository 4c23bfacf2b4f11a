/**
 * Why a pod is not ready, in short lines: its conditions, containers, events and last log
 * lines. Meant as `evidence` of errors, so nothing here throws.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { messageOf } from "../cli/errors.ts";
import { isReadyPod } from "./service_pod.ts";
import type { Kube, KubeObject, ListOptions, ObjectRef } from "./types.ts";

/** Options of {@link explainPod}. */
export interface ExplainOptions {
  /** Most events; 5 unless given. */
  readonly events?: number;
  /** Most log lines of a container that is not ready; 5 unless given. */
  readonly logLines?: number;
}

/** Options of {@link evidence}. */
export interface EvidenceOptions extends ExplainOptions, ListOptions {
  /** Namespace of the pods. */
  readonly namespace: string;
  /** Most pods, those that are not ready first; 3 unless given. */
  readonly pods?: number;
  /** Objects whose events come first, for example a graph or a Deployment. */
  readonly objects?: readonly ObjectRef[];
}

const EVENTS = 5;
const LOG_LINES = 5;
const PODS = 3;
const LONGEST_LINE = 300;

/** Lines about the pods of a selector and the objects above them. Never throws. */
export async function evidence(kube: Kube, options: EvidenceOptions): Promise<string[]> {
  const lines: string[] = [];
  for (const object of options.objects ?? []) {
    lines.push(...await eventLines(kube, object, options));
  }
  try {
    const { items } = await kube.list({ apiVersion: "v1", kind: "Pod" }, options);
    const troubled = items.filter((pod) => !isReadyPod(pod));
    const shown = (troubled.length > 0 ? troubled : items).slice(0, options.pods ?? PODS);
    if (items.length === 0) lines.push(`no pods in ${options.namespace}`);
    for (const pod of shown) lines.push(...await linesOfPod(kube, pod, options));
    const hidden = troubled.length - shown.length;
    if (hidden > 0) lines.push(`${hidden} more pods are not ready`);
  } catch (error) {
    lines.push(`pods cannot be read: ${messageOf(error)}`);
  }
  return lines;
}

/** Lines about one pod. Never throws. */
export async function explainPod(
  kube: Kube,
  pod: { readonly name: string; readonly namespace: string },
  options: ExplainOptions = {},
): Promise<string[]> {
  try {
    const object = await kube.get({ apiVersion: "v1", kind: "Pod", ...pod });
    return object === undefined
      ? [`pod ${pod.name}: it is gone`]
      : await linesOfPod(kube, object, options);
  } catch (error) {
    return [`pod ${pod.name} cannot be read: ${messageOf(error)}`];
  }
}

/** The latest events of an object, oldest first. Never throws. */
export async function eventLines(
  kube: Kube,
  object: ObjectRef,
  options: ExplainOptions = {},
): Promise<string[]> {
  try {
    const { items } = await kube.list<EventObject>({ apiVersion: "v1", kind: "Event" }, {
      namespace: object.namespace,
      fieldSelector: `involvedObject.kind=${object.kind},involvedObject.name=${object.name}`,
    });
    const latest = items.sort((a, b) => eventTime(a).localeCompare(eventTime(b)))
      .slice(-(options.events ?? EVENTS));
    return latest.map((event) => {
      const count = event.series?.count ?? event.count ?? 1;
      const times = count > 1 ? ` ×${count}` : "";
      return short(`  ${event.type ?? "Event"} ${event.reason}${times}: ${event.message}`);
    });
  } catch (error) {
    return [`  events of ${object.name} cannot be read: ${messageOf(error)}`];
  }
}

interface EventObject extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly series?: { readonly count?: number };
}

/**
 * When an event was last seen, RFC 3339; empty when it does not say. Newer reporters fill in
 * series and eventTime, older ones lastTimestamp.
 */
export function eventTime(event: KubeObject): string {
  return event["series"]?.lastObservedTime ?? event["lastTimestamp"] ?? event["eventTime"] ??
    event.metadata.creationTimestamp ?? "";
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason?: string;
    readonly message?: string;
  };
}

interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

async function linesOfPod(
  kube: Kube,
  pod: KubeObject,
  options: ExplainOptions,
): Promise<string[]> {
  const { name, namespace = "default" } = pod.metadata;
  const containers: readonly ContainerStatus[] = [
    ...pod["status"]?.initContainerStatuses ?? [],
    ...pod["status"]?.containerStatuses ?? [],
  ];
  const ref = { apiVersion: "v1", kind: "Pod", name, namespace };
  const lines = [`pod ${name}: ${phaseOf(pod)}`, ...conditionLines(pod)];
  lines.push(...await eventLines(kube, ref, options));
  for (const container of containers.filter(isTroubled)) {
    lines.push(containerLine(container));
    lines.push(...await logLines(kube, { name, namespace }, container, options));
  }
  return lines;
}

function phaseOf(pod: KubeObject): string {
  if (pod.metadata.deletionTimestamp !== undefined) return "is being deleted";
  const phase: string = pod["status"]?.phase ?? "has no status";
  return isReadyPod(pod) ? `${phase}, ready` : `${phase}, not ready`;
}

function conditionLines(pod: KubeObject): string[] {
  const conditions: readonly Condition[] = pod["status"]?.conditions ?? [];
  return conditions
    .filter(({ status, message, reason }) => status !== "True" && (message || reason))
    .map(({ type, reason, message }) =>
      short(`  ${type} is false: ${[reason, message].filter(Boolean).join(", ")}`)
    );
}

// An init container that ended well is not ready either.
function isTroubled({ ready, state }: ContainerStatus): boolean {
  return !ready && state?.terminated?.exitCode !== 0;
}

function containerLine({ name, restartCount, state, lastState }: ContainerStatus): string {
  const last = lastState?.terminated === undefined
    ? ""
    : `; before that it ${endOf(lastState.terminated)}`;
  const restarts = restartCount > 0 ? `, ${restartCount} restarts` : "";
  return short(`  container ${name}: ${stateOf(state)}${restarts}${last}`);
}

function stateOf(state: ContainerState | undefined): string {
  if (state?.terminated !== undefined) return endOf(state.terminated);
  if (state?.running !== undefined) return "running, not ready";
  const { reason, message } = state?.waiting ?? {};
  return `waiting${reason ? `: ${reason}` : ""}${message ? `, ${message}` : ""}`;
}

function endOf({ exitCode, reason }: NonNullable<ContainerState["terminated"]>): string {
  return `ended with exit code ${exitCode}${reason ? ` (${reason})` : ""}`;
}

async function logLines(
  kube: Kube,
  pod: { readonly name: string; readonly namespace: string },
  { name, state, restartCount }: ContainerStatus,
  options: ExplainOptions,
): Promise<string[]> {
  const tailLines = options.logLines ?? LOG_LINES;
  if (tailLines === 0) return [];
  // While it waits to be started again, only the container before has a log.
  const previous = state?.waiting !== undefined && restartCount > 0;
  if (state?.waiting !== undefined && !previous) return [];
  const lines: string[] = [];
  try {
    for await (const line of kube.logs(pod, { container: name, tailLines, previous })) {
      lines.push(short(`    ${line}`));
    }
  } catch (error) {
    lines.push(short(`    its log cannot be read: ${messageOf(error)}`));
  }
  return lines;
}

function short(line: string): string {
  // deno-lint-ignore no-control-regex -- logs may hold characters that would move the cursor
  const plain = stripVTControlCharacters(line).replaceAll(/[\x00-\x08\x0b-\x1f\x7f]+/g, " ");
  const one = plain.replaceAll(/\s*\n\s*/g, " ").trimEnd();
  return one.length <= LONGEST_LINE ? one : `${one.slice(0, LONGEST_LINE - 1)}…`;
}
