/**
 * Steps that take the embedded cluster away, whatever state it is in.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { exists, removeAll } from "../cli/files.ts";
import type { Step } from "../cli/plan.ts";
import { stopAllContainers } from "./agent/stop_all.ts";
import { stopCluster } from "./cluster.ts";
import { CONTROL_PLANE } from "./control_plane.ts";
import { runningDaemon } from "./daemon.ts";
import { localLayout } from "./layout.ts";
import { NODE_AGENT, stopNodeAgent } from "./node_agent.ts";

/** What goes besides the cluster. */
export interface LocalDeleteOptions {
  /** Also the downloads and builds that all checkouts share. */
  readonly cache: boolean;
}

const MINUTE = 60_000;

/** The steps in order: node agent (with all pods), control plane, files, and the cache if asked. */
export async function localDeleteSteps(
  ctx: Context,
  options: LocalDeleteOptions,
): Promise<Step[]> {
  const layout = localLayout(ctx);
  const running = await Promise.all(
    CONTROL_PLANE.map(async (name) => [name, await runningDaemon(ctx, layout, name)] as const),
  );
  const names = running.filter(([, daemon]) => daemon !== undefined).map(([name]) => name);
  const agent = await runningDaemon(ctx, layout, NODE_AGENT);
  const folders = await present(ctx, [layout.root, layout.kubeconfig]);
  const steps: Step[] = [
    {
      id: "node-agent",
      title: "Stop the node agent and all pods",
      touches: ["process node-agent", "the processes of all pods"],
      deadlineMs: 2 * MINUTE,
      skip: agent === undefined && folders.length === 0 ? "not running" : undefined,
      run: async (stepCtx) => {
        await stopNodeAgent(stepCtx);
        // An agent that crashed or was killed leaves its pods' processes behind.
        const orphans = await stopAllContainers(stepCtx, layout);
        return orphans === 0 ? undefined : `${orphans} left-over containers ended`;
      },
    },
    {
      id: "control-plane",
      title: "Stop the control plane",
      touches: names.map((name) => `process ${name}`),
      deadlineMs: 2 * MINUTE,
      skip: names.length === 0 ? "not running" : undefined,
      run: async (stepCtx, ui) => `${await stopCluster(stepCtx, ui)} processes ended`,
    },
    {
      id: "files",
      title: "Remove the cluster's files",
      touches: folders,
      deadlineMs: MINUTE,
      skip: folders.length === 0 ? "none there" : undefined,
      run: async (stepCtx) => {
        for (const path of folders) await removeAll(stepCtx, path);
      },
    },
  ];
  if (options.cache) steps.push(await cacheStep(ctx));
  return steps;
}

// Only what is made here, not the folder itself: XDG_CACHE_HOME is the user's.
async function cacheStep(ctx: Context): Promise<Step> {
  const folders = await present(
    ctx,
    ["control-plane", "python", "go"].map((name) => `${ctx.cache}/${name}`),
  );
  return {
    id: "cache",
    title: "Remove downloads and builds",
    touches: folders,
    deadlineMs: 5 * MINUTE,
    skip: folders.length === 0 ? "none there" : undefined,
    run: async (stepCtx) => {
      for (const path of folders) await removeAll(stepCtx, path);
    },
  };
}

async function present(ctx: Context, paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) if (await exists(ctx, path)) found.push(path);
  return found;
}
