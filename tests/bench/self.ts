/**
 * `deno task bench:self`: how accurate and how cheap the load generator is on this machine.
 *
 * @module
 */
import { defineCommand } from "../../lib/cli/command.ts";
import { EXIT, usageError } from "../../lib/cli/errors.ts";
import { runTask } from "../../lib/cli/main.ts";
import { alignColumns } from "../../lib/cli/text.ts";
import { type Case, CASES, type Figure } from "./cases.ts";
import { measure, type Measured } from "./measure.ts";

const command = defineCommand({
  name: "bench:self",
  summary: "Measure the load generator itself: accuracy, CPU, ceiling, memory",
  description: "Client and mock server run as two processes. Figures are medians over the " +
    "repetitions, with the least and the most. Leave the machine alone meanwhile. Exit code 1 " +
    "when a figure misses its limit.",
  args: [{ name: "case", description: "Run only this one, for example in-flight-64 or million" }],
  options: {
    repetitions: { kind: "integer", min: 1, max: 100, default: 3, description: "Runs of a case" },
    output: {
      kind: "text",
      choices: ["text", "json"],
      default: "text",
      placeholder: "format",
      description: "text or json",
    },
  },
  examples: [
    { command: "bench:self", text: "All cases that take less than a minute" },
    { command: "bench:self million --repetitions 1", text: "A million requests" },
  ],
  async run(ctx, { options, args }) {
    const rows: Row[] = [];
    for (const each of casesOf(args[0])) {
      const runs: Measured[] = [];
      const repetitions = Math.max(options.repetitions, each.leastRuns ?? 1);
      while (runs.length < repetitions) {
        ctx.signal.throwIfAborted();
        ctx.ui.info(`${each.title} (${runs.length + 1} of ${repetitions})`);
        const run = await measure(each.mock, each.options);
        if (!run.summary.valid) ctx.ui.warn(`INVALID: ${run.summary.invalid_reasons.join("; ")}`);
        runs.push(run);
      }
      rows.push(...each.figures.map((figure) => rowOf(each, figure, runs)));
    }
    ctx.ui.out(options.output === "json" ? JSON.stringify(rows, null, 2) : table(rows));
    return rows.every((row) => row.holds) ? EXIT.ok : EXIT.failed;
  },
});

interface Row {
  readonly case: string;
  readonly figure: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** `≤ 2`, `≥ 3000`, or empty. */
  readonly limit: string;
  /** Whether the median is within the limit. */
  readonly holds: boolean;
}

function casesOf(id: string | undefined): readonly Case[] {
  const found = CASES.filter((each) => id === undefined ? each.long !== true : each.id === id);
  if (found.length > 0) return found;
  throw usageError(
    "CASE_UNKNOWN",
    `No case is called "${id}"`,
    `Cases: ${CASES.map((each) => each.id).join(", ")}.`,
  );
}

function rowOf(each: Case, figure: Figure, runs: readonly Measured[]): Row {
  const all = runs.map(figure.of);
  const values = (figure.variation ? [variation(all)] : all).sort((a, b) => a - b);
  const middle = values.length >> 1;
  const median = values.length % 2 === 1
    ? values[middle]!
    : (values[middle - 1]! + values[middle]!) / 2;
  const { most, least } = figure;
  return {
    case: each.id,
    figure: figure.name,
    median,
    min: values[0]!,
    max: values.at(-1)!,
    limit: most !== undefined ? `≤ ${most}` : least !== undefined ? `≥ ${least}` : "",
    holds: median <= (most ?? Infinity) && median >= (least ?? -Infinity),
  };
}

/** Standard deviation over mean, in percent. */
function variation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return 100 * Math.sqrt(squares / (values.length - 1)) / mean;
}

function table(rows: readonly Row[]): string {
  const cells = [
    ["case", "figure", "median", "min", "max", "limit", ""],
    ...rows.map((row) => [
      row.case,
      row.figure,
      ...[row.median, row.min, row.max].map((value) => value.toFixed(value < 100 ? 2 : 0)),
      row.limit,
      row.limit === "" ? "" : row.holds ? "holds" : "MISSED",
    ]),
  ];
  return alignColumns(cells).join("\n");
}

if (import.meta.main) await runTask(command);
