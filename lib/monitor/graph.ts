/**
 * A graph's traffic, line by line as it comes: for clusters with and without Prometheus.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { truncate } from "../cli/text.ts";
import { pickGraph } from "../deploy/graphs.ts";
import type { GraphSession } from "../deploy/session.ts";
import { openScraper } from "./scrape.ts";
import { type ModelTraffic, trafficBetween } from "./traffic.ts";

/** The shape of `deno task monitor graph --output json`, one line a round. */
export interface GraphTraffic {
  /** When the round ended, RFC 3339. */
  readonly time: string;
  /** Name of the graph. */
  readonly graph: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Seconds between the two scrapes. */
  readonly seconds: number;
  /** Frontends that answered. */
  readonly frontends: number;
  /** Traffic by model; empty before the first request. */
  readonly models: readonly ModelTraffic[];
}

/** Options of {@link watchGraph}. */
export interface WatchGraphOptions {
  /** Name of the graph; the only one when undefined. */
  readonly graph: string | undefined;
  /** Seconds between scrapes. */
  readonly interval: number;
  /** Ends after one round. */
  readonly once: boolean;
}

/**
 * Calls `onRound` after each interval until the task is interrupted. A frontend that is gone for
 * a while is waited for; only the first scrape must succeed.
 */
export async function watchGraph(
  ctx: Context,
  session: GraphSession,
  options: WatchGraphOptions,
  onRound: (traffic: GraphTraffic) => void,
): Promise<void> {
  await using scraper = openScraper(ctx, session.kube);
  const graph = async () => pickGraph(await session.list(), options.graph);
  let before = await scraper.scrape(await graph());
  while (!ctx.signal.aborted) {
    try {
      await ctx.clock.sleep(options.interval * 1000, ctx.signal);
      const state = await graph();
      const after = await scraper.scrape(state);
      onRound({
        time: new Date(ctx.clock.now()).toISOString(),
        graph: state.name,
        namespace: state.namespace,
        seconds: (after.at - before.at) / 1000,
        frontends: after.pods.size,
        models: trafficBetween(before, after),
      });
      before = after;
      if (options.once) return;
    } catch (error) {
      if (ctx.signal.aborted) return;
      if (options.once) throw error;
      ctx.ui.warn(messageOf(error));
    }
  }
}

const COLUMNS = ["req/s", "TTFT p50", "p90", "ITL p50", "p90", "tok/s", "busy", "wait", "KV hit"];
const WIDTHS = [7, 9, 8, 9, 8, 7, 5, 5, 7];
const NAME_COLUMNS = 14;

/** The heading above {@link trafficLines}; 80 columns at most. */
export const TRAFFIC_HEADING: string = line(["model", ...COLUMNS]);

/** One line a model, aligned with {@link TRAFFIC_HEADING}. A dash is what is not known. */
export function trafficLines(traffic: GraphTraffic): string[] {
  if (traffic.models.length === 0) return ["no requests yet"];
  return traffic.models.map((model) =>
    line([
      model.model.split("/").at(-1) ?? "",
      model.requestsPerSecond.toFixed(1),
      duration(model.ttftP50),
      duration(model.ttftP90),
      duration(model.itlP50),
      duration(model.itlP90),
      model.outputTokensPerSecond.toFixed(0),
      String(model.inFlight),
      model.queued === null ? "-" : String(model.queued),
      model.kvHitRate === null ? "-" : `${Math.round(model.kvHitRate * 100)} %`,
    ])
  );
}

function line([name, ...cells]: readonly string[]): string {
  const columns = cells.map((cell, index) => cell.padStart(WIDTHS[index] ?? 0));
  return truncate(name ?? "", NAME_COLUMNS).padEnd(NAME_COLUMNS) + columns.join("");
}

function duration(seconds: number | null): string {
  if (seconds === null) return "-";
  if (seconds >= 10) return `${seconds.toFixed(0)} s`;
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  return `${(seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0)} ms`;
}
