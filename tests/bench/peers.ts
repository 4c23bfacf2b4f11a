/**
 * `deno task bench:peers`: this project's load generator beside its peers, each against the same
 * server under the same load, in turn.
 *
 * @module
 */
import { defineCommand } from "../../lib/cli/command.ts";
import type { Context } from "../../lib/cli/context.ts";
import { EXIT, usageError } from "../../lib/cli/errors.ts";
import { readIfThere } from "../../lib/cli/files.ts";
import { runTask } from "../../lib/cli/main.ts";
import { CLIENT_IDS, type ClientId, type PeerClient, prepareClient } from "./peer_clients.ts";
import { closedLoop, type PeerLoad, SPECIAL_LOADS } from "./peer_load.ts";
import { type PeerRun, runPeer } from "./peer_run.ts";
import { judge, peerRows, peerTable } from "./peer_table.ts";

const command = defineCommand({
  name: "bench:peers",
  summary: "Measure the load generator beside AIPerf and guidellm",
  description:
    "AIPerf (1.2 GB) and guidellm (with torch, 5.9 GB) are installed by pip into Python " +
    "environments in the cache when they are asked for. Each run has a mock server of its own, " +
    "whose clock tells the truth. Figures are medians over the rounds. Leave the machine alone " +
    "meanwhile. Exit code 0 only when our TTFT p50 is nearest to the truth at every number in " +
    "flight.",
  options: {
    clients: {
      kind: "text",
      default: CLIENT_IDS.join(","),
      placeholder: "names",
      description: `Which ones: ${CLIENT_IDS.join(", ")}`,
    },
    concurrency: {
      kind: "text",
      short: "c",
      default: "1,64,512",
      placeholder: "numbers",
      description: "Requests in flight, one load for each",
    },
    rounds: { kind: "integer", min: 1, max: 100, default: 3, description: "Runs of each load" },
    noSpecial: {
      kind: "flag",
      description: "Leave out the frozen server and the four tokens an event (one round each)",
    },
    runs: {
      kind: "text",
      placeholder: "file",
      description: "Keep runs in this file (JSONL), and do not repeat those that are in it",
    },
    seconds: {
      kind: "number",
      min: 1,
      description: "Begin no run after this long; with --runs, a later call goes on",
    },
    output: {
      kind: "text",
      choices: ["text", "json"],
      default: "text",
      placeholder: "format",
      description: "text (a Markdown table) or json",
    },
  },
  examples: [
    { command: "bench:peers", text: "All of it: about a quarter of an hour" },
    { command: "bench:peers --clients ours,aiperf -c 64 --no-special", text: "One load" },
    { command: "bench:peers --runs runs.jsonl --seconds 200", text: "In pieces" },
  ],
  async run(ctx, { options }) {
    const asked = clientIds(options.clients);
    const loops = concurrencies(options.concurrency).map(closedLoop);
    const runs = await readRuns(ctx, options.runs);
    const clients: PeerClient[] = [];
    const skipped: Record<string, string> = {};
    for (const id of asked) {
      const client = await prepareClient(ctx, id);
      if ("reason" in client) {
        skipped[id] = client.reason;
        ctx.ui.warn(`SKIPPED ${id}: ${client.reason}`);
      } else clients.push(client);
    }
    const end = ctx.clock.monotonic() + (options.seconds ?? Infinity) * 1000;
    const plan = planOf(loops, options.noSpecial ? [] : SPECIAL_LOADS, clients, options.rounds);
    let left = 0;
    for (const { load, client, round } of plan) {
      ctx.signal.throwIfAborted();
      if (runs.some((run) => same(run, { load: load.id, client: client.id, round }))) continue;
      if (ctx.clock.monotonic() >= end) {
        left++;
        continue;
      }
      ctx.ui.info(`${load.title}: ${client.title} (round ${round} of ${options.rounds})`);
      const came = await runPeer(ctx, client, load);
      const run: PeerRun = {
        load: load.id,
        client: client.id,
        round,
        ...("failed" in came ? came : { figures: came }),
      };
      if (run.failed !== undefined) ctx.ui.warn(`${client.title} failed: ${run.failed}`);
      runs.push(run);
      if (options.runs !== undefined) {
        await ctx.fs.writeTextFile(options.runs, `${JSON.stringify(run)}\n`, { append: true });
      }
    }
    const ids = (loads: readonly PeerLoad[]) => loads.map(({ id }) => id);
    const order = [...ids(loops), ...ids(SPECIAL_LOADS)];
    const rows = peerRows(runs).filter(({ load, client }) =>
      order.includes(load) && (asked as readonly string[]).includes(client)
    ).sort((a, b) =>
      order.indexOf(a.load) - order.indexOf(b.load) ||
      asked.indexOf(a.client as ClientId) - asked.indexOf(b.client as ClientId)
    );
    const judged = judge(rows, { loads: ids(loops), clients: clients.map(({ id }) => id) });
    const failed = runs.filter((run) => run.failed !== undefined).length;
    const reasons = [
      ...judged.reasons,
      ...(left > 0 ? [`${left} runs are still to be made`] : []),
      ...(failed > 0 ? [`${failed} runs failed`] : []),
    ];
    ctx.ui.out(
      options.output === "json"
        ? JSON.stringify({ rows, skipped, holds: reasons.length === 0, reasons }, null, 2)
        : [
          peerTable(rows),
          ...Object.entries(skipped).map(([id, reason]) => `SKIPPED ${id}: ${reason}`),
          ...reasons.map((reason) => `Does not hold: ${reason}`),
        ].join("\n"),
    );
    return reasons.length === 0 ? EXIT.ok : EXIT.failed;
  },
});

interface Planned {
  readonly load: PeerLoad;
  readonly client: PeerClient;
  readonly round: number;
}

// Rounds outermost, and another client first in each, so that what changes on the machine with
// time does not fall on one of them.
function planOf(
  loops: readonly PeerLoad[],
  special: readonly PeerLoad[],
  clients: readonly PeerClient[],
  rounds: number,
): Planned[] {
  const plan: Planned[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const load of round === 1 ? [...loops, ...special] : loops) {
      for (let i = 0; i < clients.length; i++) {
        plan.push({ load, client: clients[(i + round - 1) % clients.length]!, round });
      }
    }
  }
  return plan;
}

type RunKey = Pick<PeerRun, "load" | "client" | "round">;

function same(a: RunKey, b: RunKey): boolean {
  return a.load === b.load && a.client === b.client && a.round === b.round;
}

function clientIds(text: string): ClientId[] {
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !(CLIENT_IDS as readonly string[]).includes(name));
  if (unknown === undefined) return CLIENT_IDS.filter((id) => names.includes(id));
  throw usageError(
    "CLIENT_UNKNOWN",
    `--clients has "${unknown}"`,
    `Load generators: ${CLIENT_IDS.join(", ")}.`,
  );
}

function concurrencies(text: string): number[] {
  const numbers = text.split(",").map(Number);
  if (numbers.every((n) => Number.isInteger(n) && n >= 1 && n <= 4096)) {
    return [...new Set(numbers)].sort((a, b) => a - b);
  }
  throw usageError(
    "BENCH_OPTIONS",
    `--concurrency ${text} is not a list of whole numbers from 1 to 4096`,
    "For example --concurrency 1,64,512.",
  );
}

async function readRuns(ctx: Context, file: string | undefined): Promise<PeerRun[]> {
  const text = file === undefined ? undefined : await readIfThere(ctx, file);
  return (text ?? "").split("\n").filter(Boolean).map((line) => JSON.parse(line) as PeerRun);
}

if (import.meta.main) await runTask(command);
