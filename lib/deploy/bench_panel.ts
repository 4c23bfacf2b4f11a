/**
 * A running benchmark as lines for a terminal: how far, rates, latencies over time, failures, and
 * how well the client does.
 *
 * @module
 */
import type { BenchProgress } from "../bench/options.ts";
import { bar, formatDuration } from "../cli/text.ts";

const WIDTH = 24;
const TICKS = "▁▂▃▄▅▆▇█";
const BAR = 30;
/** Kinds of failures that are named; the rest is counted. */
const NAMED = 3;

/** Values over time in so many columns: when they are full, two become one. */
export class Sparkline {
  #columns: { sum: number; count: number }[] = [];
  #each = 1;

  /** Adds the next value; undefined is left out. */
  add(value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return;
    const last = this.#columns.at(-1);
    if (last !== undefined && last.count < this.#each) {
      last.sum += value;
      last.count++;
      return;
    }
    if (this.#columns.length === WIDTH) this.#halve();
    this.#columns.push({ sum: value, count: 1 });
  }

  #halve(): void {
    const halved: { sum: number; count: number }[] = [];
    for (let i = 0; i < this.#columns.length; i += 2) {
      const [a, b] = [this.#columns[i]!, this.#columns[i + 1]];
      halved.push({ sum: a.sum + (b?.sum ?? 0), count: a.count + (b?.count ?? 0) });
    }
    this.#columns = halved;
    this.#each *= 2;
  }

  /** From zero at the lowest to the greatest value at the highest tick. */
  toString(): string {
    const means = this.#columns.map(({ sum, count }) => sum / count);
    const most = Math.max(...means, 0);
    return means.map((mean) =>
      TICKS[most === 0 ? 0 : Math.min(TICKS.length - 1, Math.floor(mean / most * TICKS.length))]!
    ).join("");
  }
}

/** Remembers a run's course and draws it. */
export class BenchPanel {
  readonly #tokens = new Sparkline();
  readonly #ttft = new Sparkline();
  readonly #tpot = new Sparkline();
  readonly #requests = new Sparkline();
  #before: BenchProgress | undefined;
  #perSecond = 0;
  #worstLag = 0;

  /** Takes the next snapshot; the lines are at most 78 columns wide. Empty before the run itself. */
  lines(progress: BenchProgress): string[] {
    if (progress.phase !== "run") return [];
    const before = this.#before;
    const ms = progress.elapsedMs - (before?.elapsedMs ?? 0);
    if (before !== undefined && ms > 0) {
      const now = 1000 * (progress.done - before.done) / ms;
      // A moment's rate is too restless to be read.
      this.#perSecond = this.#perSecond === 0 ? now : 0.8 * this.#perSecond + 0.2 * now;
      this.#requests.add(now);
      this.#tokens.add(progress.eventsPerSecond);
      this.#ttft.add(progress.ttftMs);
      this.#tpot.add(progress.tpotMs);
      this.#worstLag = Math.max(this.#worstLag, progress.lagMs);
    }
    this.#before = progress;
    return [
      row("", far(progress)),
      row("Requests", `${rate(this.#perSecond)}/s`, this.#requests, counts(progress)),
      row("Output", `${rate(progress.eventsPerSecond)} events/s`, this.#tokens),
      row("TTFT", latency(progress.ttftMs), this.#ttft),
      row("ITL", latency(progress.tpotMs), this.#tpot),
      ...(progress.failed === 0 ? [] : [row("Failed", failures(progress))]),
      row(
        "Client",
        `late by ${progress.lagMs.toFixed(1)} ms, at most ${this.#worstLag.toFixed(1)} ms`,
      ),
    ];
  }
}

/** Share of the run that is over, from 0 to 1. */
export function share({ done, total, elapsedMs, durationMs }: BenchProgress): number {
  const byCount = total === undefined ? 0 : done / total;
  const byTime = durationMs === undefined ? 0 : elapsedMs / durationMs;
  return Math.min(1, Math.max(byCount, byTime));
}

function far(progress: BenchProgress): string {
  const { done, total, elapsedMs } = progress;
  const part = share(progress);
  const left = part > 0.02 ? `, ${formatDuration(elapsedMs / part - elapsedMs)} left` : "";
  const of = total === undefined ? "" : `, ${done} of ${total}`;
  return `${bar(part, BAR)} ${Math.floor(100 * part)} %${of}${left}`;
}

function counts({ done, inFlight }: BenchProgress): string {
  return `${done} done, ${inFlight} in flight`;
}

function failures({ failed, failures }: BenchProgress): string {
  const kinds = Object.entries(failures).sort(([, a], [, b]) => b! - a!);
  const named = kinds.slice(0, NAMED).map(([kind, count]) => `${count} × ${kind}`);
  if (kinds.length > NAMED) named.push("…");
  return `${failed}: ${named.join(", ")}`;
}

function latency(ms: number | undefined): string {
  return ms === undefined ? "–" : `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
}

function rate(value: number): string {
  return value < 100 ? value.toFixed(1) : String(Math.round(value));
}

function row(label: string, value: string, line?: Sparkline, more = ""): string {
  const text = `  ${label.padEnd(label === "" ? 0 : 10)}${
    line === undefined ? value : value.padEnd(15)
  }`;
  return `${text}${line === undefined ? "" : ` ${line.toString().padEnd(WIDTH)}`}${
    more === "" ? "" : ` ${more}`
  }`.trimEnd().slice(0, 78);
}
