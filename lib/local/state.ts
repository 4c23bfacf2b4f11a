/**
 * `state.json`: what the embedded cluster was made with, 0600.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { readIfThere, writeFileAtomic } from "../cli/files.ts";
import type { OperatorChoice } from "./agent_config.ts";
import type { LocalLayout } from "./layout.ts";

/** Ports on loopback. etcd has none: it listens on a socket file. */
export interface ClusterPorts {
  /** API server, HTTPS. */
  readonly apiserver: number;
  /** kubelet API of all nodes (kwok): logs and port-forward. */
  readonly kubelet: number;
}

/** Content of `state.json`. */
export interface ClusterState {
  /** Form of this file. */
  readonly version: 1;
  /** When the cluster was made, ISO 8601. */
  readonly createdAt: string;
  /** Ports chosen; kept over restarts unless somebody else took one. */
  readonly ports: ClusterPorts;
  /** What was installed last; absent before the first install is through. */
  readonly installed?: {
    /** Dynamo version without `v`. */
    readonly release: string;
    /** Namespace of the platform. */
    readonly namespace: string;
    /** Which operator runs. */
    readonly operator: OperatorChoice;
  };
}

/** Reads the state; undefined when there is no cluster or the file cannot be made sense of. */
export async function readState(
  ctx: Pick<Context, "fs">,
  layout: LocalLayout,
): Promise<ClusterState | undefined> {
  const text = await readIfThere(ctx, layout.state);
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text);
    const { apiserver, kubelet } = value.ports;
    const known = value.version === 1 && Number.isInteger(apiserver) && Number.isInteger(kubelet);
    return known ? value : undefined;
  } catch {
    // A half-written file cannot be: it is renamed into place. A broken one is made anew.
    return undefined;
  }
}

/** Writes the state. */
export async function writeState(
  ctx: Pick<Context, "fs" | "processes">,
  layout: LocalLayout,
  state: ClusterState,
): Promise<void> {
  await writeFileAtomic(ctx, layout.state, JSON.stringify(state, null, 2) + "\n");
}
