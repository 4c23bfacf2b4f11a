/**
 * The doctor's report: as text, as data, as an exit code.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { EXIT, type ExitCode } from "../cli/errors.ts";
import { wrap } from "../cli/text.ts";
import type { Line, Status } from "./types.ts";

/** The shape of `deno task doctor --output json`. */
export interface Report {
  /** Target that was looked at. */
  readonly target: string;
  /** Region of the blueprint; null where AWS does not matter. */
  readonly region: string | null;
  /** Dynamo version that is wanted. */
  readonly release: string;
  /** The worst of the lines, skipped ones aside. */
  readonly verdict: "ok" | "warn" | "fail";
  /** How many lines ended how. */
  readonly counts: Readonly<Record<Status, number>>;
  /** All lines. */
  readonly checks: readonly Line[];
}

/** Puts a report together. */
export function makeReport(
  about: Pick<Report, "target" | "region" | "release">,
  lines: Line[],
): Report {
  const counts = { ok: 0, warn: 0, fail: 0, skipped: 0 };
  for (const line of lines) counts[line.status]++;
  const verdict = counts.fail > 0 ? "fail" : counts.warn > 0 ? "warn" : "ok";
  return { ...about, verdict, counts, checks: lines };
}

/** 0 when all is well, 1 with warnings, 2 with failures. */
export function exitCodeOf(report: Report): ExitCode {
  if (report.verdict === "ok") return EXIT.ok;
  return report.verdict === "warn" ? EXIT.failed : 2;
}

const WORDS: Readonly<Record<Status, string>> = {
  ok: "ok     ",
  warn: "warn   ",
  fail: "FAIL   ",
  skipped: "skipped",
};

/** The report as lines of text: what, why, and what to do below it. */
export function reportText(report: Report, width: number): string[] {
  const lines: string[] = [];
  const indent = " ".repeat(9);
  const columns = Math.max(40, width);
  for (const { status, what, why, todo } of foldSkipped(report.checks)) {
    const [first = "", ...rest] = wrap(`${what}: ${why}`, columns, indent);
    lines.push(`${WORDS[status]}  ${first.slice(indent.length)}`, ...rest);
    if (todo !== "") lines.push(...wrap(`→ ${todo}`, columns, indent));
  }
  const { ok, warn, fail, skipped } = report.counts;
  lines.push("", `${ok} ok, ${warn} to know, ${fail} to put right, ${skipped} skipped`);
  return lines;
}

/** What is skipped for the same reason shares a line, at the place of the first. */
function foldSkipped(checks: readonly Line[]): Line[] {
  const folded = new Map<string, Line>();
  checks.forEach((line, index) => {
    const key = line.status === "skipped" ? line.why : String(index);
    const before = folded.get(key);
    folded.set(
      key,
      before === undefined ? line : { ...before, what: `${before.what}, ${line.what}` },
    );
  });
  return [...folded.values()];
}

/** Prints the report to stdout in the asked form. */
export function printReport(ctx: Context, report: Report, output: "text" | "json"): void {
  ctx.ui.out(
    output === "json"
      ? JSON.stringify(report, null, 2)
      : reportText(report, ctx.ui.width).join("\n"),
  );
}
