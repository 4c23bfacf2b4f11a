/**
 * A benchmark's progress on the terminal.
 *
 * @module
 */
import type { BenchProgress } from "../bench/options.ts";
import type { Context } from "../cli/context.ts";
import { bar, formatDuration } from "../cli/text.ts";

const PHASES: Readonly<Record<BenchProgress["phase"], string>> = {
  probe: "finding out how many tokens a prompt has",
  calibrate: "measuring the client itself",
  connect: "opening connections",
  warmup: "warming up",
  run: "measuring",
};

/** Shows a run as one line of progress. */
export interface ProgressLine {
  /** Runs `body` with a callback for its progress; ends the line with how it went. */
  during<T>(body: (onProgress: (progress: BenchProgress) => void) => Promise<T>): Promise<T>;
}

/** Makes the line. */
export function showProgress(ctx: Context, title: string): ProgressLine {
  return {
    async during(body) {
      const step = ctx.ui.step(title);
      try {
        const result = await body((progress) => step.update(progressText(progress)));
        step.done();
        return result;
      } catch (error) {
        step.fail();
        throw error;
      }
    },
  };
}

/** The line's text: phase, bar, how far, what was seen. */
export function progressText(progress: BenchProgress): string {
  const { phase, done, total, elapsedMs, durationMs } = progress;
  if (phase !== "run") return PHASES[phase];
  const byCount = total === undefined ? 0 : done / total;
  const byTime = durationMs === undefined ? 0 : elapsedMs / durationMs;
  const far = total === undefined
    ? `${done} requests, ${formatDuration(elapsedMs)}`
    : `${done} of ${total} requests`;
  const parts = [
    `${bar(Math.max(byCount, byTime), 20)} ${far}`,
    `${Math.round(progress.eventsPerSecond)} tokens/s`,
  ];
  if (progress.ttftMs !== undefined) parts.push(`TTFT ${Math.round(progress.ttftMs)} ms`);
  if (progress.failed > 0) parts.push(`${progress.failed} failed`);
  return parts.join(", ");
}
