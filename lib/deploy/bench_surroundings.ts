/**
 * What belongs to a benchmark besides the load: the server's metrics, the environment, the cost.
 *
 * @module
 */
import { clientEnvironment } from "../bench/client_environment.ts";
import { type BenchCost, costOf, costOfPrice, type TokenRates } from "../bench/cost.ts";
import { type BenchEnvironment, environmentSummary } from "../bench/environment.ts";
import type { BenchOptions } from "../bench/options.ts";
import { type Pinger, pinger } from "../bench/server/ping.ts";
import { type OpenSources, urlSource } from "../bench/server/source.ts";
import { type ServerWatch, watchServer } from "../bench/server/watch.ts";
import type { BenchSummary } from "../bench/summary.ts";
import { dialUrl } from "../bench/transport.ts";
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { baseUrl } from "../serving/endpoint.ts";
import type { BenchEndpoint } from "./bench_endpoint.ts";
import { type MeasuredGraph, readMeasuredGraph } from "./bench_graph.ts";
import { graphSources } from "./bench_sources.ts";

/** What the flags say. */
export interface SurroundingsOptions {
  /** What is measured. */
  readonly endpoint: BenchEndpoint;
  /** `--no-server-metrics`. */
  readonly noServerMetrics: boolean;
  /** `--metrics-url`. */
  readonly metricsUrl: readonly string[];
  /** `--price-per-hour`. */
  readonly pricePerHour: number | undefined;
  /** Key, headers and certificates of the endpoint. */
  readonly asked: Pick<BenchOptions, "apiKey" | "headers" | "trust">;
}

/** Surroundings of one or several runs; disposing closes port-forwards. */
export interface BenchSurroundings extends AsyncDisposable {
  /** For `environment.json`. */
  readonly environment: BenchEnvironment;
  /** A watch over the server for one run; undefined where there is none. */
  watch(): ServerWatch | undefined;
  /** The summary with environment and cost. `goodTokens`: of requests that kept the service levels. */
  complete(summary: BenchSummary, goodTokens?: number): BenchSummary;
}

/**
 * Reads what is known before the first run. What cannot be read is left out with a warning:
 * it is no reason not to measure.
 *
 * @throws {TaskError} URL_INVALID (exit code 2) for `--metrics-url`.
 */
export async function benchSurroundings(
  ctx: Context,
  options: SurroundingsOptions,
): Promise<BenchSurroundings> {
  const { endpoint, pricePerHour } = options;
  for (const url of options.metricsUrl) baseUrl(url);
  const graph = await measuredGraph(ctx, endpoint);
  const environment: BenchEnvironment = {
    schema: "dynamo-eks/bench-environment/v1",
    date: new Date(ctx.clock.now()).toISOString(),
    client: await clientEnvironment(ctx),
    url: endpoint.deployed === undefined ? endpoint.url : null,
    cluster: graph?.environment ?? null,
  };
  await using stack = new AsyncDisposableStack();
  const open = options.noServerMetrics ? undefined : sourcesOf(ctx, options, stack);
  const closing = stack.move();
  const { clock } = ctx;
  return {
    environment,
    watch: () =>
      open && watchServer({ clock, open, pinger: pingerOf(ctx, endpoint, options.asked.trust) }),
    complete: (summary, goodTokens) => ({
      ...summary,
      environment: environmentSummary(environment),
      cost: costOfRun(graph, pricePerHour, ratesOf(summary, goodTokens)),
    }),
    [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose](),
  };
}

async function measuredGraph(
  ctx: Context,
  { deployed }: BenchEndpoint,
): Promise<MeasuredGraph | undefined> {
  if (deployed === undefined) return undefined;
  try {
    return await readMeasuredGraph(ctx, deployed.session, deployed.graph);
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.ui.warn(`Environment and cost are not known: ${messageOf(error)}`);
    return undefined;
  }
}

// On the load's way, which from inside the cluster begins at the load generator's pod.
function pingerOf(
  ctx: Context,
  endpoint: BenchEndpoint,
  trust: BenchOptions["trust"],
): Pinger | undefined {
  if (endpoint.url === "") return undefined;
  const url = baseUrl(endpoint.url);
  return pinger({ dial: dialUrl(ctx, url, trust), url, clock: ctx.clock });
}

function sourcesOf(
  ctx: Context,
  { endpoint, metricsUrl, asked }: SurroundingsOptions,
  stack: AsyncDisposableStack,
): OpenSources | undefined {
  const more = metricsUrl.map((url) => urlSource(ctx, { url, trust: asked.trust }));
  const { deployed } = endpoint;
  if (deployed === undefined) {
    const target = { apiKey: asked.apiKey, headers: asked.headers };
    const own = urlSource(ctx, { url: endpoint.url, target, trust: asked.trust });
    return () => Promise.resolve([own, ...more]);
  }
  const graph = stack.use(graphSources(ctx, deployed.session, deployed.graph));
  return async () => [...await graph.open(), ...more];
}

function ratesOf(summary: BenchSummary, goodTokens: number | undefined): TokenRates {
  return {
    output: summary.output_tokens_per_second ?? summary.output_tokens_per_second_wall,
    good: goodTokens === undefined || summary.wall_s <= 0 ? undefined : goodTokens / summary.wall_s,
  };
}

function costOfRun(
  graph: MeasuredGraph | undefined,
  pricePerHour: number | undefined,
  rates: TokenRates,
): BenchCost | null {
  if (pricePerHour !== undefined) return costOfPrice(pricePerHour, rates);
  if (graph === undefined) return null;
  const { nodes, prices, environment: { simulated } } = graph;
  return costOf(nodes, prices, { rates, simulated });
}
