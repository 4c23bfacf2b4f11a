/**
 * What measuring through a port-forward from here would add to a benchmark that ran in the
 * cluster.
 *
 * @module
 */
import { runBench } from "../bench/bench.ts";
import { measureBlock } from "../bench/job/block.ts";
import { askControl, type ControlAnswer, type ControlRequest } from "../bench/job/control.ts";
import { CONTROL_PORT, MOCK_PORT } from "../bench/job/objects.ts";
import { plainOptions } from "../bench/job/job_file.ts";
import type { PathCeiling, TunnelTax } from "../bench/job/tunnel.ts";
import { blockOptions, runBlocks, tunnelTax } from "../bench/job/tunnel_tax.ts";
import type { BenchOptions } from "../bench/options.ts";
import type { BenchSummary } from "../bench/summary.ts";
import { fromStreams } from "../bench/transport.ts";
import type { Context } from "../cli/context.ts";
import { forwardPort } from "../kube/port_forward.ts";
import type { Kube } from "../kube/types.ts";
import { forwardFrontend } from "./frontend.ts";

/** The cluster, and the graph's Service. */
export interface TunnelPlace {
  /** A connection to it. */
  readonly kube: Kube;
  /** Namespace of the graph. */
  readonly namespace: string;
  /** Name of its HTTP Service. */
  readonly service: string;
}

/** What ran in the cluster. */
export interface TunnelRun {
  /** Its pod, which waits for blocks. */
  readonly pod: string;
  /** Its options. */
  readonly options: Omit<BenchOptions, "url">;
  /** What it measured. */
  readonly summary: BenchSummary;
}

const CEILING_LANES = 64;
const CEILING_MS = 1_000;
const CEILING_TOKENS = 64;
const READY_MS = 20_000;
const ANSWER_MS = 2_000;
// A block with its probes and its warm-up.
const BLOCK_MS = 60_000;
const RETRY_MS = 200;
// Seeds of blocks are none of a run that was given a small one.
const FIRST_SEED = 1_000_003;

/**
 * Measures it: the tunnel's ceiling against a mock in the pod, then blocks in turn. Takes about
 * twenty seconds.
 *
 * @throws {TaskError} as `runBench` and port-forwards do.
 */
export async function measureTunnel(
  ctx: Context,
  place: TunnelPlace,
  { pod, options, summary }: TunnelRun,
): Promise<TunnelTax> {
  const { kube, namespace, service } = place;
  const where = { name: pod, namespace };
  const ask = (request: ControlRequest, timeoutMs = BLOCK_MS) =>
    askPod(ctx, kube, { pod: where, request, timeoutMs });
  const plain = plainOptions(options);
  const { apiKey, headers } = options;
  const seed = (pair: number) => FIRST_SEED + Number(summary.config["seed"] ?? 0) + pair;
  await untilReady(ctx, () => ask({ kind: "ready" }, ANSWER_MS));
  const frontend = await forwardFrontend(ctx, kube, { namespace, service });
  try {
    const tunnel = await ceilingOf(ctx, kube, where);
    const blocks = await runBlocks({
      inCluster: async (pair) => {
        const answer = await ask({
          kind: "block",
          options: blockOptions(plain, summary, seed(pair)),
        });
        if (!("block" in answer)) throw new Error("the pod gave no block");
        return answer.block;
      },
      tunnel: (pair) =>
        measureBlock(ctx, {
          ...blockOptions(plain, summary, seed(pair)),
          apiKey,
          headers,
          url: frontend.url,
          ownThread: true,
        }),
    });
    await ask({ kind: "end" });
    const { rate, concurrency } = blockOptions(plain, summary, 0);
    const load = rate === undefined
      ? { kind: "concurrency" as const, concurrency: concurrency ?? blocksInFlight(summary) }
      : { kind: "poisson" as const, rate };
    return tunnelTax(blocks, { in_cluster: summary.calibration?.ceiling ?? null, tunnel }, load);
  } finally {
    await frontend.close();
  }
}

/** What is asked of a benchmark's pod. */
export interface PodQuestion {
  /** The pod. */
  readonly pod: { readonly name: string; readonly namespace: string };
  /** What is asked. */
  readonly request: ControlRequest;
  /** Milliseconds that the answer may take. */
  readonly timeoutMs: number;
}

/** Asks a benchmark's pod through a port-forward. */
export async function askPod(
  ctx: Pick<Context, "signal">,
  kube: Pick<Kube, "connect">,
  { pod, request, timeoutMs }: PodQuestion,
): Promise<ControlAnswer> {
  const connection = fromStreams(await kube.connect(pod, CONTROL_PORT));
  const late = AbortSignal.any([ctx.signal, AbortSignal.timeout(timeoutMs)]);
  late.addEventListener("abort", connection.close);
  try {
    return await askControl(connection, request);
  } finally {
    late.removeEventListener("abort", connection.close);
    connection.close();
  }
}

// The pod opens its ports a moment after it has said its result.
async function untilReady(ctx: Context, ask: () => Promise<unknown>): Promise<void> {
  const end = ctx.clock.monotonic() + READY_MS;
  for (;;) {
    try {
      return void await ask();
    } catch (error) {
      if (ctx.clock.monotonic() > end) throw error;
      await ctx.clock.sleep(RETRY_MS, ctx.signal);
    }
  }
}

function blocksInFlight(summary: BenchSummary): number {
  return Number(summary.config["concurrency"] ?? 1);
}

async function ceilingOf(
  ctx: Context,
  kube: Kube,
  pod: { readonly name: string; readonly namespace: string },
): Promise<PathCeiling | null> {
  const forwarder = await forwardPort(ctx, kube, {
    pod: () => Promise.resolve(pod),
    port: MOCK_PORT,
  });
  try {
    const most = await runBench(ctx, {
      url: forwarder.url,
      ownThread: true,
      concurrency: CEILING_LANES,
      durationMs: CEILING_MS,
      outputTokens: CEILING_TOKENS,
      calibration: false,
    });
    const tokens = most.output_tokens_per_second ?? most.output_tokens_per_second_wall;
    return {
      requests_per_second: most.requests_per_second,
      events_per_second: tokens / (most.tokens_per_event ?? 1),
    };
  } finally {
    await forwarder.close();
  }
}
