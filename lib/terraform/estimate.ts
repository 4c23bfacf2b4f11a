/**
 * How long an apply still takes, and how far it is.
 *
 * @module
 */
import { PARALLELISM, QUICK_SECONDS, typicalDuration } from "./durations.ts";
import type { PlannedChange } from "./plan_summary.ts";
import type { TerraformEvent } from "./stream.ts";

/** How far an apply is. */
export interface ApplyProgress {
  /** Resources that are done. */
  readonly done: number;
  /** Resources that change. */
  readonly total: number;
  /** What is going on, the longest first. */
  readonly running: readonly { readonly address: string; readonly seconds: number }[];
  /** Seconds that are likely left; undefined where nothing is known to be slow. */
  readonly secondsLeft: number | undefined;
  /** What takes much longer than it usually does: the estimate is then worth less. */
  readonly late: readonly string[];
}

/** Follows an apply. */
export interface ProgressMeter {
  /** Takes an event in; `now` is monotonic milliseconds. */
  observe(event: TerraformEvent, now: number): void;
  /** How far it is. */
  progress(now: number): ApplyProgress;
}

interface Work {
  readonly seconds: number;
  readonly wave: number | undefined;
  state: "waiting" | "running" | "done" | "failed";
  since: number;
}

/** From where on a finished resource says something about how fast this account is. */
const TELLING_SECONDS = 20;
const LATE_FACTOR = 1.5;

/** Makes a meter for the changes of a plan. */
export function progressMeter(changes: readonly PlannedChange[]): ProgressMeter {
  const works = new Map<string, Work>();
  for (const change of changes) {
    const typical = typicalDuration(change);
    works.set(change.address, {
      seconds: typical?.seconds ?? QUICK_SECONDS,
      wave: typical?.wave,
      state: "waiting",
      since: 0,
    });
  }
  const ratios: number[] = [];
  return {
    observe(event, now) {
      if (!("address" in event) || !("seconds" in event)) return;
      const work = works.get(event.address);
      if (work === undefined) return;
      if (event.kind === "started" || event.kind === "progress") {
        if (work.state !== "running") work.since = now - event.seconds * 1000;
        work.state = "running";
      } else {
        work.state = event.kind === "done" ? "done" : "failed";
        if (event.kind === "done" && work.seconds >= TELLING_SECONDS) {
          ratios.push(Math.max(1, event.seconds) / work.seconds);
        }
      }
    },
    progress: (now) => measure(works, factorOf(ratios), now),
  };
}

/** Seconds that a plan is likely to take; undefined where nothing in it is known to be slow. */
export function estimateSeconds(changes: readonly PlannedChange[]): number | undefined {
  return progressMeter(changes).progress(0).secondsLeft;
}

function measure(works: Map<string, Work>, factor: number, now: number): ApplyProgress {
  const running: { address: string; seconds: number }[] = [];
  const late: string[] = [];
  const waves = new Map<number, number>();
  let quick = 0;
  let done = 0;
  for (const [address, work] of works) {
    if (work.state === "done") done++;
    if (work.state === "done" || work.state === "failed") continue;
    const expected = work.seconds * factor;
    const spent = work.state === "running" ? (now - work.since) / 1000 : 0;
    if (work.state === "running") running.push({ address, seconds: Math.round(spent) });
    // What is overdue is expected to take a tenth of what it has taken, again and again.
    const left = Math.max(expected - spent, spent / 10);
    if (work.wave === undefined) quick += left;
    else {
      waves.set(work.wave, Math.max(waves.get(work.wave) ?? 0, left));
      if (work.seconds >= TELLING_SECONDS && spent > expected * LATE_FACTOR) late.push(address);
    }
  }
  running.sort((a, b) => b.seconds - a.seconds);
  const slow = [...waves.values()].reduce((sum, left) => sum + left, 0);
  return {
    done,
    total: works.size,
    running,
    late,
    secondsLeft: waves.size === 0 ? undefined : Math.round(slow + quick / PARALLELISM),
  };
}

/** How this run compares with the table: the median of what was seen, within reason. */
function factorOf(ratios: readonly number[]): number {
  if (ratios.length === 0) return 1;
  const sorted = [...ratios].sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)]!;
  return Math.min(3, Math.max(0.25, middle));
}

/** `about 12 min`; estimates are no better than that. */
export function aboutText(seconds: number): string {
  if (seconds < 60) return "less than a minute";
  const minutes = Math.round(seconds / 60);
  return minutes < 20 ? `about ${minutes} min` : `about ${Math.round(minutes / 5) * 5} min`;
}

/** Progress as one line: `3 of 61, aws_eks_cluster.this[0] for 250 s, about 9 min left`. */
export function progressText(progress: ApplyProgress): string {
  const { done, total, running, secondsLeft, late } = progress;
  const [first] = running;
  const more = running.length > 1 ? ` and ${running.length - 1} more` : "";
  return [
    `${done} of ${total}`,
    ...(first === undefined
      ? []
      : [`${shortAddress(first.address)} for ${first.seconds} s${more}`]),
    ...(secondsLeft === undefined ? [] : [`${aboutText(secondsLeft)} left`]),
    ...(late.length === 0 ? [] : [`${shortAddress(late[0]!)} takes longer than usual`]),
  ].join(", ");
}

/** The end of an address, which says most: `eks.aws_eks_cluster.this[0]`. */
function shortAddress(address: string): string {
  return address.replace(/^(module\.)+/, "").split(".module.").at(-1)!;
}
