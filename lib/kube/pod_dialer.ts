/**
 * Connects to a pod, and to another one when it is gone; waits longer and longer where neither
 * can be had for the moment.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { isCode } from "./objects.ts";
import type { Kube, PodConnection } from "./types.ts";

/** A pod, and where it differs from {@link DialerOptions.port} the port of its container. */
export interface ForwardTarget {
  /** Name of the pod. */
  readonly name: string;
  /** Namespace of the pod. */
  readonly namespace: string;
  /** Port of its container. */
  readonly port?: number | undefined;
}

/** Options of {@link podDialer}. */
export interface DialerOptions {
  /** Picks the pod anew. */
  readonly pod: () => Promise<ForwardTarget>;
  /** The pod of the first connections. */
  readonly first: ForwardTarget;
  /** Port of the pod, unless the target names one. */
  readonly port: number;
  /** Ends all attempts. */
  readonly signal: AbortSignal;
}

/** Connects to the same pod until that fails. */
export interface PodDialer {
  /**
   * Opens a connection; tries for ten seconds while the API server is away or no pod is ready.
   *
   * @throws what the last attempt threw.
   */
  connect(): Promise<PodConnection>;
  /** The connection carried what it should. */
  worked(): void;
  /** The connection failed: another pod is to be picked for the next one. */
  failed(connection: PodConnection): void;
}

const FIRST_WAIT_MS = 100;
const MOST_WAIT_MS = 2_000;
const GIVE_UP_MS = 10_000;
// So many failures may follow each other at once.
const PATIENCE = 3;

// The API server is away, or wants less to do; the pod may well be there.
const AWAY = ["KUBE_UNREACHABLE", "KUBE_TIMEOUT", "KUBE_TOOMANYREQUESTS"];
const PASSING = [
  ...AWAY,
  "KUBE_INTERNALERROR",
  "KUBE_SERVICEUNAVAILABLE",
  "KUBE_SERVERTIMEOUT",
  "SERVICE_NOT_READY",
];
// One that has just started refuses everybody until it has read who may do what.
const STARTING = ["KUBE_UNAUTHORIZED", "KUBE_FORBIDDEN"];

/** Makes a dialer. */
export function podDialer(
  ctx: Pick<Context, "clock">,
  kube: Kube,
  options: DialerOptions,
): PodDialer {
  const { clock } = ctx;
  const targets = new WeakMap<PodConnection, ForwardTarget>();
  let target: ForwardTarget | undefined = options.first;
  let picking: Promise<ForwardTarget> | undefined;
  let pausing: Promise<void> | undefined;
  let failures = 0;
  let connected = false;

  async function connectTo(pod: ForwardTarget): Promise<PodConnection> {
    const connection = await kube.connect(pod, pod.port ?? options.port);
    targets.set(connection, pod);
    connected = true;
    return connection;
  }

  async function attempt(): Promise<PodConnection> {
    const known = target;
    if (known !== undefined) {
      try {
        return await connectTo(known);
      } catch (error) {
        if (isCode(error, ...AWAY)) throw error;
        // Others may have picked a new one meanwhile.
        if (target === known) target = undefined;
      }
    }
    target ??= await (picking ??= options.pod().finally(() => picking = undefined));
    return await connectTo(target);
  }

  /** Everybody waits for the same moment. */
  function pause(): Promise<void> {
    if (pausing !== undefined) return pausing;
    const ms = Math.min(FIRST_WAIT_MS * 2 ** failures++, MOST_WAIT_MS) * (0.75 + Math.random() / 2);
    return pausing = clock.sleep(ms, options.signal).finally(() => pausing = undefined);
  }

  return {
    async connect() {
      const end = clock.monotonic() + GIVE_UP_MS;
      for (;;) {
        await pausing;
        try {
          return await attempt();
        } catch (error) {
          const passing = isCode(error, ...PASSING) || (connected && isCode(error, ...STARTING));
          if (!passing || clock.monotonic() > end) throw error;
          await pause();
        }
      }
    },
    worked() {
      failures = 0;
    },
    failed(connection) {
      // Connections that fail together are one failure.
      if (targets.get(connection) !== target) return;
      target = undefined;
      if (++failures > PATIENCE) pause().catch(() => {});
    },
  };
}
