/**
 * A benchmark's progress on the terminal.
 *
 * @module
 */
import type { BenchProgress } from "../bench/options.ts";
import type { Context } from "../cli/context.ts";
import { bar, formatDuration } from "../cli/text.ts";
import { BenchPanel, share } from "./bench_panel.ts";

const PHASES: Readonly<Record<BenchProgress["phase"], string>> = {
  probe: "finding out how many tokens a prompt has",
  calibrate: "measuring the client itself",
  connect: "opening connections",
  warmup: "warming up",
  run: "measuring",
};

/** Shows a run: lines that are redrawn on a terminal, now and then a line elsewhere. */
export interface ProgressLine {
  /** Runs `body` with a callback for its progress; ends the line with how it went. */
  during<T>(body: (onProgress: (progress: BenchProgress) => void) => Promise<T>): Promise<T>;
}

/** Makes the line. */
export function showProgress(ctx: Context, title: string): ProgressLine {
  return {
    async during(body) {
      const step = ctx.ui.step(title);
      const board = ctx.ui.board();
      const panel = new BenchPanel();
      try {
        const result = await body((progress) => {
          const lines = panel.lines(progress);
          board.show(lines.map((live, i) => ({ key: String(i), live })));
          // Where the lines stand below, the step's own says the phase only.
          const short = ctx.ui.redraws && lines.length > 0;
          step.update(short ? PHASES[progress.phase] : progressText(progress));
        });
        board.end();
        step.done();
        return result;
      } catch (error) {
        board.end();
        step.fail();
        throw error;
      }
    },
  };
}

/** The line's text: phase, bar, how far, what was seen. */
export function progressText(progress: BenchProgress): string {
  const { phase, done, total, elapsedMs } = progress;
  if (phase !== "run") return PHASES[phase];
  const far = total === undefined
    ? `${done} requests, ${formatDuration(elapsedMs)}`
    : `${done} of ${total} requests`;
  const parts = [
    `${bar(share(progress), 20)} ${far}`,
    `${Math.round(progress.eventsPerSecond)} events/s`,
  ];
  if (progress.ttftMs !== undefined) parts.push(`TTFT ${Math.round(progress.ttftMs)} ms`);
  if (progress.tpotMs !== undefined) parts.push(`ITL ${progress.tpotMs.toFixed(1)} ms`);
  if (progress.failed > 0) parts.push(`${progress.failed} failed`);
  return parts.join(", ");
}
