/**
 * What runs of the embedded cluster, since when, where, and how much memory it takes.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { isApiReady } from "./api_health.ts";
import { type ClusterCondition, clusterState } from "./cluster.ts";
import { CONTROL_PLANE } from "./control_plane.ts";
import { readToken } from "./credentials.ts";
import { logPath, runningDaemon, startedAt } from "./daemon.ts";
import { type LocalLayout, localLayout } from "./layout.ts";
import { NODE_AGENT } from "./node_agent.ts";
import { LOOPBACK } from "./ports.ts";
import { readAuthority } from "./serving_certificate.ts";
import { type ClusterState, readState } from "./state.ts";

/** One process of the cluster. */
export interface ProcessStatus {
  /** Short name, as in its log. */
  readonly name: string;
  /** Whether it runs now. */
  readonly running: boolean;
  /** Process number, when it runs. */
  readonly pid?: number;
  /** When it was started, ISO 8601. */
  readonly since?: string;
  /** Proportional share of memory (PSS) in bytes, when the system tells it. */
  readonly memoryBytes?: number;
  /** Port on 127.0.0.1, for those that have one. */
  readonly port?: number;
  /** Its log. */
  readonly log: string;
}

/** The embedded cluster as a whole. */
export interface LocalStatus {
  /** How much of the control plane runs. */
  readonly condition: ClusterCondition;
  /** Whether the API server answers that it is ready. */
  readonly ready: boolean;
  /** When the cluster was made, ISO 8601; absent without a cluster. */
  readonly createdAt?: string;
  /** `https://127.0.0.1:<port>`; absent without a cluster. */
  readonly server?: string;
  /** What was installed last. */
  readonly installed?: ClusterState["installed"];
  /** Control plane, then the node agent. */
  readonly processes: readonly ProcessStatus[];
  /** Sum of what is known of the processes' memory, bytes. Pods are not in it. */
  readonly memoryBytes: number;
}

/** Looks at the processes and asks the API server. Needs the right to run `cat`. */
export async function localStatus(ctx: Context): Promise<LocalStatus> {
  const layout = localLayout(ctx);
  const state = await readState(ctx, layout);
  const names = [...CONTROL_PLANE, NODE_AGENT];
  const processes = await Promise.all(names.map((name) => processStatus(ctx, layout, state, name)));
  return {
    condition: await clusterState(ctx),
    ready: state !== undefined && await answers(ctx, layout, state),
    ...(state === undefined ? {} : {
      createdAt: state.createdAt,
      server: serverOf(state),
      ...(state.installed === undefined ? {} : { installed: state.installed }),
    }),
    processes,
    memoryBytes: processes.reduce((sum, each) => sum + (each.memoryBytes ?? 0), 0),
  };
}

function serverOf(state: ClusterState): string {
  return `https://${LOOPBACK}:${state.ports.apiserver}`;
}

async function answers(ctx: Context, layout: LocalLayout, state: ClusterState): Promise<boolean> {
  const ca = await readAuthority(ctx, `${layout.pki}/serving`);
  const token = await readToken(ctx, layout, "admin");
  if (ca === undefined || token === undefined) return false;
  return await isApiReady(ctx, { server: serverOf(state), ca, token });
}

async function processStatus(
  ctx: Context,
  layout: LocalLayout,
  state: ClusterState | undefined,
  name: string,
): Promise<ProcessStatus> {
  const log = logPath(layout, name);
  const daemon = await runningDaemon(ctx, layout, name);
  if (daemon === undefined) return { name, running: false, log };
  const { pid } = daemon.identity;
  const since = await startedAt(ctx, layout, name);
  const memoryBytes = await memoryOf(ctx, pid);
  const port = name === "kube-apiserver"
    ? state?.ports.apiserver
    : name === "kwok"
    ? state?.ports.kubelet
    : undefined;
  return {
    name,
    running: true,
    pid,
    ...(since === undefined ? {} : { since: since.toISOString() }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(port === undefined ? {} : { port }),
    log,
  };
}

// The processes are one program: PSS counts its pages once over all of them.
async function memoryOf(ctx: Context, pid: number): Promise<number | undefined> {
  const { stdout } = await ctx.processes.run("cat", [`/proc/${pid}/smaps_rollup`]);
  const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(stdout)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}
