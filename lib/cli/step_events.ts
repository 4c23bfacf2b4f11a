/**
 * What a task does as data while it does it: one JSON object a line on standard output.
 *
 * @module
 */
import type { Context } from "./context.ts";
import { EXIT, messageOf, TaskError } from "./errors.ts";
import type { Step } from "./plan.ts";

/** An event; `time` (ISO 8601) is added when it is told. */
export interface TaskEvent {
  /** Kind of the event: `step`, `plan`, `resource`, `error`, `installed` … */
  readonly event: string;
  /** What belongs to it. Never a secret. */
  readonly [name: string]: unknown;
}

/** Tells an event. */
export type Emit = (event: TaskEvent) => void;

/** Writes events as lines with `--output json`; with text the terminal says it all. */
export function eventLines(ctx: Pick<Context, "ui" | "clock">, output: "text" | "json"): Emit {
  if (output !== "json") return () => {};
  return (event) =>
    ctx.ui.out(JSON.stringify({ time: new Date(ctx.clock.now()).toISOString(), ...event }));
}

/** The steps, which also tell when they start and how they end. */
export function tellingSteps(
  ctx: Pick<Context, "clock">,
  emit: Emit,
  steps: readonly Step[],
): Step[] {
  return steps.map((step) => {
    const about = { event: "step", id: step.id, title: step.title };
    return {
      ...step,
      async run(inner, ui) {
        const start = ctx.clock.monotonic();
        const seconds = () => Math.round(ctx.clock.monotonic() - start) / 1000;
        emit({ ...about, status: "started" });
        try {
          const detail = await step.run(inner, ui);
          emit({ ...about, status: "done", seconds: seconds(), detail: detail ?? null });
          return detail;
        } catch (error) {
          emit({ ...about, status: "failed", seconds: seconds(), detail: messageOf(error) });
          throw error;
        }
      },
    };
  });
}

/** Tells how a task failed, before the error goes on to the terminal and the exit code. */
export async function tellingErrors<T>(emit: Emit, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const known = error instanceof TaskError ? error : undefined;
    emit({
      event: "error",
      code: known?.code ?? "UNEXPECTED",
      message: messageOf(error),
      hint: known?.hint ?? null,
      exitCode: known?.exitCode ?? EXIT.failed,
    });
    throw error;
  }
}
