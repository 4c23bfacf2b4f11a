/**
 * Running checks of an endpoint: in phases, several at the same time, each with its time and its
 * request as a line to run by hand.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { EXIT, messageOf, TaskError } from "../cli/errors.ts";
import { curlLine } from "./curl.ts";
import type { Call, Endpoint } from "./endpoint.ts";

/** One check's result. */
export interface CheckResult {
  /** Stable identifier, one of `CHECK_IDS` in `checks.ts`. */
  readonly id: string;
  /** What was checked, in words. */
  readonly title: string;
  /** How it ended. */
  readonly outcome: "passed" | "failed" | "skipped";
  /** False when it failed. A skipped check is ok; `detail` says why it does not apply. */
  readonly ok: boolean;
  /** Milliseconds it took. */
  readonly ms: number;
  /** What was seen, what went wrong, or why it was skipped. */
  readonly detail: string;
  /** The request as a curl line, without secrets. */
  readonly curl: string;
}

/** What a check found: a detail for people, or why it does not apply. */
export type Found = { readonly detail: string } | { readonly skipped: string };

/** A check as data. */
export interface Check {
  /** Stable identifier. */
  readonly id: string;
  /** What is checked, in words. */
  readonly title: string;
  /** Checks of one phase do not depend on each other; phases run one after the other. */
  readonly phase: number;
  /** The request that stands for it, made when the model's name is known. */
  readonly call: () => Call;
  /** Runs it; throws when it fails. */
  readonly run: () => Promise<Found>;
}

/** Options of {@link runChecks}. */
export interface CheckRunOptions {
  /** Where the requests go. */
  readonly endpoint: Endpoint;
  /** Base URL in curl lines; the endpoint's unless given. */
  readonly shownUrl?: string | undefined;
  /** Checks at the same time, at most; 1 unless given. */
  readonly parallel?: number | undefined;
  /** Called with each result as it comes. */
  readonly onCheck?: ((result: CheckResult) => void) | undefined;
  /**
   * Asked when a check has failed: whether something outside of the endpoint disturbed it, in
   * words, once the endpoint answers again. The check is then run once more. Undefined: it counts.
   */
  readonly disturbed?: (() => Promise<string | undefined>) | undefined;
  /** Resolves when what answers has gone away: an answer is then not waited for any longer. */
  readonly gone?: ((signal: AbortSignal) => Promise<void>) | undefined;
}

/**
 * Runs checks and returns their results in the checks' order. Failures are results; only
 * interruption and wrong usage throw.
 */
export async function runChecks(
  ctx: Context,
  checks: readonly Check[],
  options: CheckRunOptions,
): Promise<CheckResult[]> {
  const results = new Map<string, CheckResult>();
  for (const phase of [...new Set(checks.map((check) => check.phase))].sort((a, b) => a - b)) {
    const waiting = checks.filter((check) => check.phase === phase);
    const work = async () => {
      for (let check; (check = waiting.shift()) !== undefined;) {
        const result = await runCheck(ctx, check, options);
        results.set(result.id, result);
        options.onCheck?.(result);
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, options.parallel ?? 1) }, work));
  }
  return checks.map((check) => results.get(check.id)!);
}

async function runCheck(
  ctx: Context,
  check: Check,
  options: CheckRunOptions,
): Promise<CheckResult> {
  const start = ctx.clock.monotonic();
  let note = "";
  let ended = await attemptUntil(check, options);
  if (ended.outcome === "failed") {
    const reason = await options.disturbed?.();
    if (reason !== undefined) {
      ended = await attempt(check);
      note = `; ${reason}`;
    }
  }
  const shown = { ...options.endpoint, url: options.shownUrl ?? options.endpoint.url };
  return {
    id: check.id,
    title: check.title,
    outcome: ended.outcome,
    ok: ended.outcome !== "failed",
    ms: Math.round((ctx.clock.monotonic() - start) * 10) / 10,
    detail: ended.detail + note,
    curl: curlLine(shown, check.call()),
  };
}

type Ended = Pick<CheckResult, "outcome" | "detail">;

async function attemptUntil(check: Check, { gone }: CheckRunOptions): Promise<Ended> {
  if (gone === undefined) return await attempt(check);
  const over = new AbortController();
  const left = gone(over.signal).then(
    (): Ended => ({ outcome: "failed", detail: "what was asked has gone away" }),
    // It could not be watched; the request has a deadline of its own.
    () => new Promise<Ended>(() => {}),
  );
  try {
    return await Promise.race([attempt(check), left]);
  } finally {
    over.abort();
  }
}

async function attempt(check: Check): Promise<Ended> {
  try {
    const found = await check.run();
    return "skipped" in found
      ? { outcome: "skipped", detail: found.skipped }
      : { outcome: "passed", detail: found.detail };
  } catch (error) {
    if (
      error instanceof TaskError &&
      (error.exitCode === EXIT.interrupted || error.exitCode === EXIT.usage)
    ) {
      throw error;
    }
    return { outcome: "failed", detail: messageOf(error) };
  }
}

/** The result of a check that does not apply. */
export function skip(reason: string): Found {
  return { skipped: reason };
}

/** The error of a check that failed. */
export function failed(message: string): TaskError {
  return new TaskError({ code: "CHECK_FAILED", message });
}

/** `1 token`, `2 tokens`. */
export function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}
