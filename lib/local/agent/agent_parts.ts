/**
 * What all parts of the node agent share.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import type { Kube } from "../../kube/types.ts";
import type { AgentConfig } from "../agent_config.ts";
import type { BackoffTimes } from "./backoff.ts";
import type { EventRecorder } from "./events.ts";
import type { Network } from "./network.ts";
import type { ServedPod } from "./services.ts";

/** What all parts of the node agent share. */
export interface AgentParts {
  /** The way out; its signal ends the agent. */
  readonly ctx: Context;
  /** The cluster. */
  readonly kube: Kube;
  /** What the agent was told. */
  readonly config: AgentConfig;
  /** Folder of this project's Python scripts. */
  readonly scripts: string;
  /** Folder of the model without weights. */
  readonly modelFolder: string;
  /** Where events go. */
  readonly events: EventRecorder;
  /** When containers that ended are started again. */
  readonly backoff: BackoffTimes;
  /** The network for Dynamo's processes; another one when the first has died. */
  network(): Network;
  /** All pods that have been taken on. */
  servedPods(): Iterable<ServedPod>;
  /** Addresses of all pods. */
  takenAddresses(): ReadonlySet<string>;
}

/** Now, in seconds, as Kubernetes writes times. */
export function kubeTime(ctx: Pick<Context, "clock">, ms: number = ctx.clock.now()): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
