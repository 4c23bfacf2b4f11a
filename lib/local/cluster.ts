/**
 * Life cycle of the embedded cluster's control plane. Starting looks at what really runs and
 * starts only what does not; it may be broken off anywhere and run again.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { TaskError, timeoutError } from "../cli/errors.ts";
import { writeFileAtomic } from "../cli/files.ts";
import type { StepUi } from "../cli/ui.ts";
import { acceptsConnections, type ApiAccess, askApi, isApiReady } from "./api_health.ts";
import type { ProgramName } from "./binaries/pinned.ts";
import type { Programs } from "./binaries/programs.ts";
import { ensureClusterObjects } from "./cluster_objects.ts";
import {
  apiserverSpec,
  CONTROL_PLANE,
  controllerManagerSpec,
  type ControlPlaneInputs,
  etcdSpec,
  kwokConfigPath,
  kwokSpec,
  schedulerSpec,
  STOP_MS,
} from "./control_plane.ts";
import { type Credentials, ensureCredentials } from "./credentials.ts";
import {
  type DaemonOutcome,
  deadError,
  ensureDaemon,
  runningDaemon,
  stopDaemon,
} from "./daemon.ts";
import { diskFullError, isDiskFull, requireSpace, type SpaceNeed } from "./disk_space.ts";
import { writeKubeconfigs } from "./kubeconfig.ts";
import { kwokConfig } from "./kwok/stages.ts";
import { type LocalLayout, localLayout } from "./layout.ts";
import { freePorts, isPortFree, LOOPBACK } from "./ports.ts";
import { dropOldCertificate, readAuthority } from "./serving_certificate.ts";
import { type ClusterPorts, type ClusterState, readState, writeState } from "./state.ts";

/** A control plane that is up. */
export interface RunningCluster {
  /** Folders of the cluster. */
  readonly layout: LocalLayout;
  /** What runs. */
  readonly programs: Programs;
  /** Ports, and what was installed. */
  readonly state: ClusterState;
  /** Where the API server is, and the administrator's token. */
  readonly access: ApiAccess;
  /** What was done about each process; all `running` when there was nothing to do. */
  readonly outcomes: Readonly<Record<ProgramName, DaemonOutcome>>;
}

const READY_MS = 60_000;
// etcd sets aside 64 MB for its log at once, and grows by as much; logs of the processes.
const DISK_BYTES = 300e6;

/**
 * Starts what does not run of the control plane, and waits until it can be used.
 *
 * @throws {TaskError} DISK_FULL (exit code 3), PROCESS_ENDED with the end of the log, or (exit
 * code 4) API_NOT_READY, CONTROLLERS_NOT_READY.
 */
export async function startCluster(
  ctx: Context,
  programs: Programs,
  ui: StepUi,
): Promise<RunningCluster> {
  const layout = localLayout(ctx);
  const need: SpaceNeed = {
    path: layout.root,
    bytes: DISK_BYTES,
    purpose: "The embedded cluster",
    variable: "DYNAMO_HOME",
  };
  try {
    if (await runningDaemon(ctx, layout, "etcd") === undefined) await requireSpace(ctx, need);
    return await startAll(ctx, layout, programs, ui);
  } catch (error) {
    if (isDiskFull(error)) throw diskFullError(need, error);
    throw error;
  }
}

async function startAll(
  ctx: Context,
  layout: LocalLayout,
  programs: Programs,
  ui: StepUi,
): Promise<RunningCluster> {
  for (
    const folder of [
      layout.root,
      layout.pki,
      layout.kubeconfigs,
      layout.logs,
      layout.pods,
      layout.run,
    ]
  ) {
    await ctx.fs.mkdir(folder, { recursive: true, mode: 0o700 });
    // Who may enter matters: etcd's socket has no other guard.
    await ctx.fs.chmod(folder, 0o700);
  }
  const credentials = await ensureCredentials(ctx, layout);
  ui.update("starting etcd and the API server");
  const { state, access, etcd, apiserver } = await startServers(ctx, layout, programs, credentials);
  await writeKubeconfigs(ctx, layout, credentials, access.server, access.ca);
  ui.update("starting the controllers, the scheduler and kwok");
  const inputs: ControlPlaneInputs = {
    layout,
    programs,
    credentials,
    ports: state.ports,
    ca: access.ca,
  };
  const config = kwokConfig();
  await writeFileAtomic(ctx, kwokConfigPath(layout), config);
  const [controllers, scheduler] = await Promise.all([
    ensureDaemon(ctx, layout, controllerManagerSpec(inputs)),
    ensureDaemon(ctx, layout, schedulerSpec(inputs)),
    ensureClusterObjects(ctx, layout),
  ]);
  // Its resources and rights are there now: it would end, or wait long, without them.
  const kwok = await ensureDaemon(ctx, layout, kwokSpec(inputs, config));
  await waitForControllers(ctx, layout, access, state.ports);
  return {
    layout,
    programs,
    state,
    access,
    outcomes: {
      "etcd": etcd,
      "kube-apiserver": apiserver,
      "kube-controller-manager": controllers,
      "kube-scheduler": scheduler,
      "kwok": kwok,
    },
  };
}

interface StartedServers {
  readonly state: ClusterState;
  readonly access: ApiAccess;
  readonly etcd: DaemonOutcome;
  readonly apiserver: DaemonOutcome;
}

async function startServers(
  ctx: Context,
  layout: LocalLayout,
  programs: Programs,
  credentials: Credentials,
): Promise<StartedServers> {
  const etcd = await ensureDaemon(ctx, layout, etcdSpec({ layout, programs }));
  for (let tries = 0;; tries++) {
    const state = await ensurePorts(ctx, layout);
    const running = await runningDaemon(ctx, layout, "kube-apiserver");
    if (running === undefined) await dropOldCertificate(ctx, credentials.servingFolder);
    const spec = apiserverSpec({ layout, programs, credentials, ports: state.ports });
    const apiserver = await ensureDaemon(ctx, layout, spec);
    try {
      const access = await waitForApi(ctx, layout, credentials, state.ports);
      return { state, access, etcd, apiserver };
    } catch (error) {
      // Somebody may have taken the port between the look and the start.
      const taken = error instanceof TaskError && error.code === "PROCESS_ENDED" &&
        !isPortFree(ctx, state.ports.apiserver);
      if (!taken || tries === 2) throw error;
    }
  }
}

/** Keeps the ports of before, except those that a process of somebody else has now. */
async function ensurePorts(ctx: Context, layout: LocalLayout): Promise<ClusterState> {
  const before = await readState(ctx, layout);
  const [spareApi = 0, spareKubelet = 0] = freePorts(ctx, 2);
  const keep = async (port: number | undefined, name: string, spare: number) => {
    if (port === undefined) return spare;
    const ours = await runningDaemon(ctx, layout, name) !== undefined;
    return ours || isPortFree(ctx, port) ? port : spare;
  };
  const ports: ClusterPorts = {
    apiserver: await keep(before?.ports.apiserver, "kube-apiserver", spareApi),
    kubelet: await keep(before?.ports.kubelet, "kwok", spareKubelet),
  };
  const createdAt = before?.createdAt ?? new Date(ctx.clock.now()).toISOString();
  const state: ClusterState = { ...before, version: 1, createdAt, ports };
  if (JSON.stringify(state) !== JSON.stringify(before)) await writeState(ctx, layout, state);
  return state;
}

async function waitForApi(
  ctx: Context,
  layout: LocalLayout,
  credentials: Credentials,
  ports: ClusterPorts,
): Promise<ApiAccess> {
  const server = `https://${LOOPBACK}:${ports.apiserver}`;
  const end = ctx.clock.monotonic() + READY_MS;
  for (;;) {
    const ca = await readAuthority(ctx, credentials.servingFolder);
    if (ca !== undefined) {
      const access = { server, ca, token: credentials.tokens.admin };
      if (await isApiReady(ctx, access)) return access;
    }
    await requireRunning(ctx, layout, ["etcd", "kube-apiserver"]);
    if (ctx.clock.monotonic() >= end) {
      throw timeoutError(
        "API_NOT_READY",
        `The API server is not ready after ${READY_MS / 1000} s`,
        {
          hint: `Look at ${layout.logs}/kube-apiserver.log, then run it again.`,
          evidence: (await deadError(ctx, layout, "kube-apiserver", "")).evidence,
        },
      );
    }
    await ctx.clock.sleep(50, ctx.signal);
  }
}

// The controller manager is at work when it has made the default service account; kwok when
// the nodes' kubelet API can be reached.
async function waitForControllers(
  ctx: Context,
  layout: LocalLayout,
  access: ApiAccess,
  ports: ClusterPorts,
): Promise<void> {
  const end = ctx.clock.monotonic() + READY_MS;
  const account = "/api/v1/namespaces/default/serviceaccounts/default";
  for (;;) {
    const [controllers, kubelet] = await Promise.all([
      askApi(ctx, access, account, 5_000).then((answer) => answer?.status === 200),
      acceptsConnections(ctx, ports.kubelet),
    ]);
    await requireRunning(ctx, layout, CONTROL_PLANE);
    if (controllers && kubelet) return;
    if (ctx.clock.monotonic() >= end) {
      const waited = kubelet ? "kube-controller-manager" : "kwok";
      throw timeoutError(
        "CONTROLLERS_NOT_READY",
        `${waited} is not ready after ${READY_MS / 1000} s`,
        { hint: `Look at ${layout.logs}/${waited}.log, then run it again.` },
      );
    }
    await ctx.clock.sleep(50, ctx.signal);
  }
}

async function requireRunning(
  ctx: Context,
  layout: LocalLayout,
  names: readonly ProgramName[],
): Promise<void> {
  for (const name of names) {
    if (await runningDaemon(ctx, layout, name) === undefined) {
      throw await deadError(ctx, layout, name, "ended right after its start");
    }
  }
}

/**
 * Stops the control plane, clients before servers, and waits until its ports are free. Only
 * processes that were started for this very cluster are touched. Returns how many ran.
 */
export async function stopCluster(ctx: Context, ui: StepUi): Promise<number> {
  const layout = localLayout(ctx);
  const state = await readState(ctx, layout);
  let stopped = 0;
  // Clients first: the API server waits for them to leave, and etcd for the API server.
  for (
    const group of [["kwok", "kube-scheduler", "kube-controller-manager"], ["kube-apiserver"], [
      "etcd",
    ]]
  ) {
    ui.update(`stopping ${group.join(", ")}`);
    const done = await Promise.all(group.map((name) => stopDaemon(ctx, layout, name, STOP_MS)));
    stopped += done.filter(Boolean).length;
  }
  if (state !== undefined && stopped > 0) await waitForPorts(ctx, state.ports);
  return stopped;
}

// A port is free the moment its process is gone; connections that linger do not hold it.
async function waitForPorts(ctx: Context, ports: ClusterPorts): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    if (isPortFree(ctx, ports.apiserver) && isPortFree(ctx, ports.kubelet)) return;
    await ctx.clock.sleep(50);
  }
}

/** How much of the control plane runs. */
export type ClusterCondition = "absent" | "stopped" | "partial" | "running";

/** Looks at the processes; asks nobody. */
export async function clusterState(
  ctx: Pick<Context, "fs" | "home" | "processes">,
): Promise<ClusterCondition> {
  const layout = localLayout(ctx);
  if (await readState(ctx, layout) === undefined) return "absent";
  const running = await Promise.all(CONTROL_PLANE.map((name) => runningDaemon(ctx, layout, name)));
  const count = running.filter((daemon) => daemon !== undefined).length;
  return count === 0 ? "stopped" : count === CONTROL_PLANE.length ? "running" : "partial";
}
