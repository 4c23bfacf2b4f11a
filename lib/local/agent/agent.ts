/**
 * The node agent: takes on the pods bound to simulated nodes and runs them as local processes.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { messageOf, preconditionError } from "../../cli/errors.ts";
import { removeAll } from "../../cli/files.ts";
import type { Kube, WatchEvent } from "../../kube/types.ts";
import type { AgentConfig } from "../agent_config.ts";
import type { AgentParts } from "./agent_parts.ts";
import { type BackoffTimes, KUBELET_BACKOFF } from "./backoff.ts";
import { provideFolders } from "./claim_folders.ts";
import { podFolder, recordedContainers, recordedPods } from "./container_files.ts";
import { eventRecorder } from "./events.ts";
import { writeModelFolder } from "./model_folder.ts";
import { ensureNetwork, type Network, publicNetworkWarning } from "./network.ts";
import { type PodRun, runPod } from "./pod_run.ts";
import { POD, type Pod, podName, podUid } from "./pod_types.ts";
import { simulatedNodes } from "./simulated_nodes.ts";
import { stopAllContainers, stopFolders } from "./stop_all.ts";

/** Options of {@link runAgent}. */
export interface AgentOptions {
  /** When containers that ended are started again; a kubelet's times unless given. */
  readonly backoff?: BackoffTimes;
  /** Whether processes go on when the agent ends; they end with it unless given. */
  readonly leaveProcesses?: boolean;
}

/** How often processes are looked at, milliseconds. */
const LOOK_MS = 400;
const FLUSH_MS = 1_000;
// The cluster's own stop gives the agent half a minute.
const STOP_GRACE_MS = 5_000;

/**
 * Runs the agent until the context's signal is aborted; then ends all containers' processes.
 * Processes of an agent before it that still run are taken over.
 *
 * @throws {TaskError} AGENT_RUNNING (exit code 3) when another one works for this cluster.
 */
export async function runAgent(
  ctx: Context,
  kube: Kube,
  config: AgentConfig,
  options: AgentOptions = {},
): Promise<void> {
  const { layout } = config;
  for (const folder of [layout.run, layout.pods, layout.volumes]) {
    await ctx.fs.mkdir(folder, { recursive: true, mode: 0o700 });
  }
  const lock = await takeLock(ctx, `${layout.run}/agent.lock`);
  const runs = new Map<string, PodRun>();
  const scripts = `${config.projectRoot}/lib/local/agent/python`;
  const relay = { python: config.python.interpreter, scripts };
  let network: Network | undefined;
  try {
    const modelFolder = await writeModelFolder(ctx, `${layout.run}/model`);
    network = await ensureNetwork(ctx, layout, relay);
    sayNetwork(ctx, network, config);
    const parts: AgentParts = {
      ctx,
      kube,
      config,
      scripts,
      modelFolder,
      events: eventRecorder(ctx, kube),
      backoff: options.backoff ?? KUBELET_BACKOFF,
      network: () => network!,
      servedPods: () => runs.values(),
      takenAddresses: () => new Set([...runs.values()].map(({ podIP }) => podIP)),
    };
    const looks = lookAfterProcesses(parts, runs, async () => {
      network!.close();
      network = await ensureNetwork(ctx, layout, relay);
      sayNetwork(ctx, network, config);
    });
    const folders = provideFolders(parts);
    await followPods(parts, runs);
    await Promise.all([looks, folders]);
    await Promise.all([...runs.values()].map(({ done }) => done.catch(() => {})));
    await Promise.race([parts.events.flush(), ctx.clock.sleep(FLUSH_MS)]);
  } finally {
    network?.close();
    // After an error the next agent takes over what runs.
    if (ctx.signal.aborted && options.leaveProcesses !== true) {
      const count = await stopAllContainers(ctx, layout, { graceMs: STOP_GRACE_MS });
      ctx.ui.info(`stopped ${count} containers`);
    }
    lock.close();
  }
}

function sayNetwork(ctx: Context, network: Network, config: AgentConfig): void {
  if (network.publicReason === undefined) {
    ctx.ui.info(`private network of process ${network.joinPid}`);
  } else {
    ctx.ui.warn(publicNetworkWarning(network.publicReason, config.python.dynamoVersion));
  }
}

async function takeLock(ctx: Context, path: string): Promise<Deno.FsFile> {
  const file = await ctx.fs.open(path, { create: true, write: true, mode: 0o600 });
  if (await file.tryLock(true)) return file;
  file.close();
  throw preconditionError(
    "AGENT_RUNNING",
    `Another node agent works for this cluster: ${path} is locked`,
    "deno task cleanup ends it.",
  );
}

/** Takes on pods as the watch tells of them. */
async function followPods(parts: AgentParts, runs: Map<string, PodRun>): Promise<void> {
  const { ctx, kube } = parts;
  const isOurs = simulatedNodes(kube);
  const take = async (pod: Pod) => {
    const known = runs.get(podUid(pod));
    if (known !== undefined) return known.update(pod);
    const { nodeName } = pod.spec;
    if (nodeName === undefined || !await isOurs(nodeName)) return;
    const run = runPod(parts, pod);
    runs.set(podUid(pod), run);
    run.done.then(
      () => !ctx.signal.aborted && runs.delete(podUid(pod)),
      (error) => ctx.ui.error(`${podName(pod)}: ${messageOf(error)}`),
    );
  };
  const handle = async (event: WatchEvent<Pod>) => {
    if (event.type === "DELETED") return runs.get(podUid(event.object))?.gone();
    if (event.type !== "SYNC") return await take(event.object);
    const present = new Set(event.items.map(podUid));
    for (const [uid, run] of runs) if (!present.has(uid)) run.gone();
    for (const pod of event.items) await take(pod);
    await removeOrphans(parts, present, runs);
  };
  const watch = kube.watch<Pod>(POD, {
    fieldSelector: "spec.nodeName!=",
    signal: ctx.signal,
    onRetry: (reason) => ctx.ui.debug(`watch of pods: ${reason}`),
  });
  try {
    for await (const event of watch) await handle(event);
  } catch (error) {
    if (!ctx.signal.aborted) throw error;
  }
}

/** Ends what is left of pods that are no longer in the cluster. */
async function removeOrphans(
  { ctx, config }: AgentParts,
  present: ReadonlySet<string>,
  runs: ReadonlyMap<string, PodRun>,
): Promise<void> {
  const { layout } = config;
  for (const uid of await recordedPods(ctx, layout)) {
    if (present.has(uid) || runs.has(uid)) continue;
    const count = await stopFolders(ctx, await recordedContainers(ctx, layout, uid));
    await removeAll(ctx, podFolder(layout, uid));
    ctx.ui.info(`pod ${uid} is gone: ended ${count} containers`);
  }
  for await (const entry of ctx.fs.readDir(layout.pods)) {
    const uid = entry.name.slice(entry.name.lastIndexOf("_") + 1);
    if (!present.has(uid) && !runs.has(uid)) await removeAll(ctx, `${layout.pods}/${entry.name}`);
  }
}

/** Wakes pods whose processes have ended, and makes a new network when the old one has died. */
async function lookAfterProcesses(
  parts: AgentParts,
  runs: ReadonlyMap<string, PodRun>,
  renewNetwork: () => Promise<void>,
): Promise<void> {
  const { ctx } = parts;
  while (!ctx.signal.aborted) {
    if (!parts.network().alive()) {
      ctx.ui.warn("the private network is gone; a new one is made");
      await renewNetwork().catch((error) => ctx.ui.error(messageOf(error)));
      for (const run of runs.values()) run.wake();
    }
    for (const run of runs.values()) {
      if (run.shims().some((shim) => !ctx.processes.alive(shim))) run.wake();
    }
    await ctx.clock.sleep(LOOK_MS, ctx.signal).catch(() => {});
  }
}
