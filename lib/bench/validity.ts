/**
 * Whether a run's numbers are about the server: not when the client was the limit, the window
 * was too short, or tokens had to be guessed.
 *
 * @module
 */
import type { BenchConfig } from "./options.ts";
import type { Recorder } from "./recorder.ts";
import type { Span } from "./timeline.ts";

/** What the judgement needs to know of a run. */
export interface RunFacts {
  /** What was asked. */
  readonly config: BenchConfig;
  /** What was measured. */
  readonly recorder: Recorder;
  /** Window of steady load; undefined when there was none. */
  readonly steady: Span | undefined;
  /** Requests that were due. */
  readonly scheduled: number;
  /** Why the run ended early; undefined when it did not. */
  readonly gaveUp: string | undefined;
}

/** Why the run is not valid, each as `code: what was seen`; empty for a valid run. */
export function invalidReasons(facts: RunFacts): string[] {
  const { config, recorder, steady, gaveUp } = facts;
  const { limits } = config;
  if (recorder.completed === 0) {
    return [`no_success: none of ${facts.scheduled} requests ended well`, ...gaveUpReason(gaveUp)];
  }
  const reasons = gaveUpReason(gaveUp);
  const latency = recorder.ttftService.percentile(50) ?? recorder.e2eService.percentile(50) ?? 0;
  const allowed = (limit: number) => Math.max(limit, 0.05 * latency);
  const lag = recorder.loopLag.percentile(99) ?? 0;
  if (lag > allowed(limits.loopLagMs)) {
    reasons.push(
      `client_lag: the client was late by ${round(lag)} ms at p99 (limit ${
        round(allowed(limits.loopLagMs))
      } ms): this machine is too busy`,
    );
  }
  reasons.push(...loadReasons(facts, allowed(limits.sendLagMs)));
  const windowMs = steady === undefined ? 0 : steady.end - steady.start;
  if (windowMs < limits.windowMs) {
    reasons.push(
      `window_too_short: the load was steady for ${
        Math.round(windowMs)
      } ms (at least ${limits.windowMs} ms): ` +
        "ask for more requests or a longer duration",
    );
  }
  if (recorder.completed < limits.requests) {
    reasons.push(
      `too_few_requests: ${recorder.completed} ended well (at least ${limits.requests}): ask for more requests`,
    );
  }
  if (recorder.uncounted > 0) {
    reasons.push(
      `tokens_guessed: the server reported no token count for ${recorder.uncounted} of ${recorder.completed} ` +
        "answers; their events were counted instead",
    );
  }
  return reasons;
}

function gaveUpReason(gaveUp: string | undefined): string[] {
  return gaveUp === undefined ? [] : [`gave_up: ${gaveUp}`];
}

function loadReasons(facts: RunFacts, allowedLag: number): string[] {
  const { config, recorder, steady } = facts;
  const { load, limits } = config;
  if (load.kind !== "concurrency") {
    const lag = recorder.sendLag.percentile(99) ?? 0;
    if (lag <= allowedLag) return [];
    return [
      `send_lag: requests left ${round(lag)} ms after they were due at p99 (limit ${
        round(allowedLag)
      } ms): ` +
      `more than ${load.maxInFlight} were in flight, or this machine is too busy`,
    ];
  }
  const mean = steady === undefined ? undefined : recorder.timeline.meanInFlight(steady);
  if (mean === undefined || mean >= limits.loadShare * load.concurrency) return [];
  const failed = recorder.failed > 0 ? ` while ${recorder.failed} requests failed` : "";
  return [
    `load_not_reached: ${
      round(mean)
    } requests were in flight on average, ${load.concurrency} were asked for${failed}`,
  ];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
