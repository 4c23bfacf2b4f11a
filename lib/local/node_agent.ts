/**
 * Starts and stops the node agent, the process that runs the pods' containers.
 *
 * @module
 */
import { type Context, withContext } from "../cli/context.ts";
import { readIfThere, writeFileAtomic } from "../cli/files.ts";
import type { Kube } from "../kube/types.ts";
import type { AgentConfig } from "./agent_config.ts";
import {
  type DaemonOutcome,
  deadError,
  ensureDaemon,
  runningDaemon,
  stopDaemon,
} from "./daemon.ts";
import { type LocalLayout, localLayout } from "./layout.ts";
import { waitPlatform, type WaitPlatformOptions } from "./operator/platform.ts";

/** Name of the node agent's process and log. */
export const NODE_AGENT = "node-agent";

/** Milliseconds that the agent gets to end the pods' processes and itself. */
const STOP_MS = 30_000;

// The agent runs programs, so it could do anything anyway; still it asks for no more than
// it uses, and nothing of it leaves this machine.
const PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-run",
  "--allow-net=127.0.0.1,localhost",
];

// What a person sets for Deno, proxies' certificates and the terminal; no keys, no tokens.
const PASSED_ON = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "XDG_CACHE_HOME",
  "DENO_DIR",
  "DENO_CERT",
  "DENO_TLS_CA_STORE",
  "NPM_CONFIG_REGISTRY",
];

/** Path of the agent's configuration. */
export function agentConfigPath(layout: LocalLayout): string {
  return `${layout.root}/agent.json`;
}

/** Writes the configuration (0600) and starts the agent unless it runs with that very one. */
export async function ensureNodeAgent(
  ctx: Context,
  config: AgentConfig,
): Promise<DaemonOutcome> {
  const { layout } = config;
  const path = agentConfigPath(layout);
  const text = JSON.stringify(config, null, 2) + "\n";
  if (await readIfThere(ctx, path) !== text) await writeFileAtomic(ctx, path, text);
  const entries = PASSED_ON.flatMap((name) => {
    const value = ctx.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return await ensureDaemon(ctx, layout, {
    name: NODE_AGENT,
    command: [
      config.denoPath,
      "run",
      "--quiet",
      "--no-prompt",
      ...PERMISSIONS,
      `${config.projectRoot}/lib/local/agent/main.ts`,
      "--config",
      path,
    ],
    env: {
      ...Object.fromEntries(entries),
      DYNAMO_HOME: ctx.home,
      NO_COLOR: "1",
      // A proxy of the user's is for elsewhere: all the agent's connections stay here.
      NO_PROXY: "127.0.0.1,localhost",
    },
    cwd: layout.root,
    inputs: [text],
    stopMs: STOP_MS,
  });
}

/** Ends the agent, and with it the processes of all pods. False when it did not run. */
export async function stopNodeAgent(ctx: Context): Promise<boolean> {
  return await stopDaemon(ctx, localLayout(ctx), NODE_AGENT, STOP_MS);
}

/**
 * Waits until the platform is ready: the proof that the agent runs pods.
 *
 * @throws {TaskError} PROCESS_ENDED when the agent is gone, PLATFORM_NOT_READY (exit code 4)
 * after a minute.
 */
export async function waitForPlatform(
  ctx: Context,
  kube: Kube,
  layout: LocalLayout,
  options: WaitPlatformOptions,
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([ctx.signal, over.signal]);
  const inner = withContext(ctx, { signal });
  try {
    await Promise.race([waitPlatform(inner, kube, options), whileAgentRuns(inner, layout)]);
  } finally {
    over.abort();
  }
}

async function whileAgentRuns(ctx: Context, layout: LocalLayout): Promise<never> {
  for (;;) {
    if (await runningDaemon(ctx, layout, NODE_AGENT) === undefined) {
      throw await deadError(ctx, layout, NODE_AGENT, "ended right after its start");
    }
    await ctx.clock.sleep(200, ctx.signal);
  }
}
