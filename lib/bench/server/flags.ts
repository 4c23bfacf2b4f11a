/**
 * Flags about the server's side of a run, and its price.
 *
 * @module
 */
import type { Options } from "../../cli/options.ts";

const GROUP = "Server and cost";

/** Flags of `deno task bench`. */
export const SERVER_FLAGS = {
  noServerMetrics: {
    group: GROUP,
    kind: "flag",
    description: "Do not scrape the metrics of frontends, workers and GPUs during the run",
  },
  metricsUrl: {
    group: GROUP,
    kind: "list",
    placeholder: "url",
    description: "Scrape this URL as well, any number of times: a worker, a DCGM exporter",
  },
  pricePerHour: {
    group: GROUP,
    kind: "number",
    min: 0,
    placeholder: "usd",
    description: "What the servers cost an hour, for the cost of a million tokens",
  },
} as const satisfies Options;
