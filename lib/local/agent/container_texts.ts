/**
 * What is said about containers, and how ends of processes become Kubernetes' terms. Pure.
 *
 * @module
 */
import type { AgentConfig } from "../agent_config.ts";
import type { ExitRecord } from "./container_files.ts";
import { publicNetworkWarning } from "./network.ts";
import type { TerminatedState } from "./pod_types.ts";

/** The end of a process that its parent saw. */
export function whatEnded(exit: ExitRecord, processId?: number): TerminatedState {
  return {
    exitCode: exit.code,
    ...(exit.signal === undefined ? {} : { signal: exit.signal }),
    reason: exit.error !== undefined ? "StartError" : exit.code === 0 ? "Completed" : "Error",
    ...(exit.error === undefined ? {} : { message: exit.error }),
    startedAt: wholeSeconds(exit.startedAt),
    finishedAt: wholeSeconds(exit.finishedAt),
    ...(processId === undefined ? {} : { containerID: `process://${processId}` }),
  };
}

/** The end of a process that nobody saw, in a kubelet's words. */
export function unknownEnd(
  startedAt: string,
  finishedAt: string,
  processId?: number,
): TerminatedState {
  return {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was looked at",
    startedAt,
    finishedAt,
    ...(processId === undefined ? {} : { containerID: `process://${processId}` }),
  };
}

/** One line in the CRI format for the log of a container without a process. */
export function simulatedLine(now: number, reason: string): string {
  return `${new Date(now).toISOString()} stdout F (simulated) ${reason}\n`;
}

/** The warning about a network that is not private. */
export function networkWarning(reason: string, config: AgentConfig): string {
  return publicNetworkWarning(reason, config.python.dynamoVersion);
}

// The API's times have no fractions.
function wholeSeconds(time: string): string {
  return time.replace(/\.\d+Z$/, "Z");
}
