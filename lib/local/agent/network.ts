/**
 * The network in which Dynamo's processes run: private where the machine allows it
 * (`python/network_relay.py`), otherwise the machine's own.
 *
 * @module
 */
import type { Context, ProcessIdentity } from "../../cli/context.ts";
import { messageOf, TaskError } from "../../cli/errors.ts";
import { readIfThere } from "../../cli/files.ts";
import type { LocalLayout } from "../layout.ts";
import { type RelayConnection, relayConnection, type RelayState } from "./relay_connection.ts";

/** Where Dynamo's processes run. */
export interface Network {
  /** Changes when the network is another one: its processes have to be started again. */
  readonly id: string;
  /** Process whose namespaces are joined; undefined without a private network. */
  readonly joinPid?: number;
  /** Why there is no private network; undefined when there is one. */
  readonly publicReason?: string;
  /**
   * Takes a port: the same number on 127.0.0.1 outside and inside.
   *
   * @param wanted The port to take if possible.
   */
  open(wanted?: number): Promise<number>;
  /** Gives a port back. */
  release(port: number): Promise<void>;
  /** Whether something listens on the port. */
  listens(port: number): Promise<boolean>;
  /** Whether the network is still there. */
  alive(): boolean;
  /** Drops the connection to the relay; the network stays. */
  close(): void;
}

/** Path of the relay's state. */
export function relayStatePath(layout: LocalLayout): string {
  return `${layout.run}/network.json`;
}

const START_MS = 10_000;

/**
 * The private network of before, a new one, or the machine's own when none can be made.
 *
 * @param python Interpreter for the relay.
 * @param scripts Folder of this project's Python scripts.
 */
export async function ensureNetwork(
  ctx: Context,
  layout: LocalLayout,
  { python, scripts }: { readonly python: string; readonly scripts: string },
): Promise<Network> {
  if (ctx.platform.os !== "linux") {
    return publicNetwork(ctx, `private networks are not supported on ${ctx.platform.os}`);
  }
  const running = await readRelay(ctx, layout);
  if (running !== undefined && relayAlive(ctx, running)) return await privateNetwork(ctx, running);
  const path = relayStatePath(layout);
  await ctx.fs.remove(path).catch(() => {});
  const relay = await ctx.processes.daemon(python, [
    "-I",
    "-B",
    `${scripts}/network_relay.py`,
    path,
  ], {
    cwd: layout.run,
    env: { PATH: ctx.env.get("PATH") ?? "/usr/bin:/bin" },
    logFile: `${layout.run}/network.log`,
  });
  const state = await waitForRelay(ctx, layout, relay);
  if ("error" in state) return publicNetwork(ctx, state.error);
  return await privateNetwork(ctx, state);
}

/** The relay's state as it wrote it, whether or not it still runs; undefined without one. */
export async function readRelay(
  ctx: Pick<Context, "fs">,
  layout: LocalLayout,
): Promise<RelayState | undefined> {
  const state = parseState(await readIfThere(ctx, relayStatePath(layout)));
  return state === undefined || "error" in state ? undefined : state;
}

/**
 * Why Dynamo's processes of this cluster can be reached from outside; undefined when they
 * cannot, or when the node agent has not run yet.
 */
export async function publicNetworkReason(
  ctx: Pick<Context, "fs">,
  layout: LocalLayout,
): Promise<string | undefined> {
  const state = parseState(await readIfThere(ctx, relayStatePath(layout)));
  return state !== undefined && "error" in state ? state.error : undefined;
}

function parseState(text: string | undefined): RelayState | { error: string } | undefined {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function waitForRelay(
  ctx: Context,
  layout: LocalLayout,
  relay: ProcessIdentity,
): Promise<RelayState | { error: string }> {
  const end = ctx.clock.monotonic() + START_MS;
  for (;;) {
    const alive = ctx.processes.alive(relay);
    const state = parseState(await readIfThere(ctx, relayStatePath(layout)));
    if (state !== undefined) return state;
    if (!alive || ctx.clock.monotonic() > end) {
      return { error: `the relay did not start, see ${layout.run}/network.log` };
    }
    await ctx.clock.sleep(20, ctx.signal);
  }
}

function relayAlive(ctx: Pick<Context, "processes">, state: RelayState): boolean {
  return ctx.processes.alive(state.outer) && ctx.processes.alive(state.inner);
}

async function privateNetwork(ctx: Context, state: RelayState): Promise<Network> {
  let connection: RelayConnection = await relayConnection(ctx, state);
  const ask = async (request: Record<string, unknown>) => {
    try {
      return await connection.ask(request);
    } catch (error) {
      if (error instanceof TaskError) throw error;
      // Idle connections may be cut; the relay is still there or relayAlive tells.
      connection = await relayConnection(ctx, state);
      return await connection.ask(request);
    }
  };
  const open = async (port: number) => Number((await ask({ op: "open", port })).port);
  return {
    id: `${state.inner.pid}/${state.inner.started}`,
    joinPid: state.inner.pid,
    open: (wanted) => wanted === undefined ? open(0) : open(wanted).catch(() => open(0)),
    async release(port) {
      await ask({ op: "close", port });
    },
    async listens(port) {
      return (await ask({ op: "check", port })).open === true;
    },
    alive: () => relayAlive(ctx, state),
    close: () => connection.close(),
  };
}

// Below the range from which systems choose ports for outgoing connections.
const FIRST_PORT = 20_000;
const PORT_COUNT = 12_000;

/** The machine's own network: ports are only looked for, not held. */
export function publicNetwork(ctx: Pick<Context, "net">, reason: string): Network {
  const given = new Set<number>();
  const isFree = (port: number) => {
    try {
      ctx.net.listen({ hostname: "127.0.0.1", port }).close();
      return true;
    } catch {
      return false;
    }
  };
  return {
    id: "public",
    publicReason: reason,
    open(wanted) {
      const candidates = [
        ...(wanted === undefined ? [] : [wanted]),
        ...Array.from({ length: 200 }, () => FIRST_PORT + Math.floor(Math.random() * PORT_COUNT)),
      ];
      // A port that is taken already may be that of a process adopted from before.
      const port = candidates.find((port) => port === wanted || (!given.has(port) && isFree(port)));
      if (port === undefined) {
        return Promise.reject(
          new TaskError({
            code: "PORTS_TAKEN",
            message: "No free port between 20000 and 31999 on 127.0.0.1",
            hint: "Stop programs that listen there.",
          }),
        );
      }
      given.add(port);
      return Promise.resolve(port);
    },
    release(port) {
      given.delete(port);
      return Promise.resolve();
    },
    async listens(port) {
      try {
        (await ctx.net.connect({ hostname: "127.0.0.1", port })).close();
        return true;
      } catch {
        return false;
      }
    },
    alive: () => true,
    close: () => {},
  };
}

/** What to tell a person about a network that is not private. */
export function publicNetworkWarning(reason: string, dynamoVersion: string): string {
  return `No private network on this machine (${messageOf(reason)}): ` +
    (dynamoVersion.startsWith("0.")
      ? `Dynamo ${dynamoVersion} also listens on the machine's first interface`
      : `Dynamo ${dynamoVersion} also opens event sockets on all interfaces`);
}
