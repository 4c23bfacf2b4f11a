/**
 * An API server that falls silent while its cluster is taken away: it is given time, then what
 * needs it is left out, and goes with the cluster.
 *
 * @module
 */
import { type Context, withContext } from "../cli/context.ts";
import { EXIT, messageOf, TaskError, timeoutError } from "../cli/errors.ts";
import { type Step, StepSkipped } from "../cli/plan.ts";
import type { Kube } from "../kube/types.ts";

/** Whether the API server still answers; the steps tell each other by it. */
export interface Reach {
  /** Why it was given up; undefined as long as it answers. */
  lost: string | undefined;
}

/** Why a cluster cannot be asked, while everything else can still go. */
const CANNOT_BE_ASKED =
  /^(CLUSTER_DOWN|KUBE_(UNREACHABLE|UNAUTHORIZED|FORBIDDEN|CREDENTIALS|TIMEOUT|SERVERTIMEOUT|SERVICEUNAVAILABLE|INTERNALERROR|HTTP5\d\d))$/;
/** The same for a cluster that was let in before: rights do not come back by themselves. */
const SILENT =
  /^(CLUSTER_DOWN|KUBE_(UNREACHABLE|TIMEOUT|SERVERTIMEOUT|SERVICEUNAVAILABLE|INTERNALERROR|HTTP5\d\d))$/;
/** Something is there and is not well: etcd changes its leader, the API server starts. */
const FAULTY = /^KUBE_(SERVICEUNAVAILABLE|INTERNALERROR|HTTP5\d\d)$/;

const POLL_MS = 2_000;
/** Milliseconds for the last look whether it answers, beside a step's own time. */
const SPARE_MS = 60_000;

/** Whether an error says that the cluster cannot be asked. */
export function cannotBeAsked(error: unknown): boolean {
  return error instanceof TaskError && CANNOT_BE_ASKED.test(error.code);
}

/**
 * Does the work again as long as the API server answers with faults (500, 502, 503), at most so
 * many milliseconds; what then still fails is thrown.
 */
export async function throughFaults<T>(
  ctx: Context,
  patienceMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const end = ctx.clock.monotonic() + patienceMs;
  for (let told = false;; told = true) {
    try {
      return await work();
    } catch (error) {
      const faulty = error instanceof TaskError && FAULTY.test(error.code);
      if (!faulty || ctx.clock.monotonic() >= end) throw error;
      const seconds = Math.round(patienceMs / 1000);
      if (!told) ctx.ui.info(`${error.message}; tries for ${seconds} s more`);
    }
    await ctx.clock.sleep(Math.min(POLL_MS, patienceMs), ctx.signal);
  }
}

/** What {@link leaveOutWhenLost} works with. */
export interface LostOptions {
  /** The cluster. */
  readonly kube: Kube;
  /** Shared by all steps inside one cluster. */
  readonly reach: Reach;
  /** Milliseconds that the API server may be silent before it is given up. */
  readonly patienceMs: number;
}

/**
 * The step, run again while the API server does not answer; past the patience it is left out, and
 * so is every later one. Every step inside a cluster can be run again.
 */
export function leaveOutWhenLost(step: Step, options: LostOptions): Step {
  const { kube, reach, patienceMs } = options;
  if (step.skip !== undefined) return step;
  return {
    ...step,
    deadlineMs: 2 * (step.deadlineMs + patienceMs) + SPARE_MS,
    run: async (ctx, ui) => {
      let since: number | undefined;
      while (reach.lost === undefined) {
        const start = ctx.clock.monotonic();
        const limit = AbortSignal.timeout(step.deadlineMs);
        try {
          const signal = AbortSignal.any([ctx.signal, limit]);
          return await step.run(withContext(ctx, { signal }), ui);
        } catch (error) {
          ctx.signal.throwIfAborted();
          const failure = limit.aborted ? tooLong(step, error) : error;
          const why = isSilent(failure) ? messageOf(failure) : await silence(kube);
          if (why === undefined) throw failure;
          const now = ctx.clock.monotonic();
          // What ran for longer than that was answered meanwhile.
          if (since === undefined || now - start > patienceMs) since = now;
          if (!limit.aborted && now - since < patienceMs) {
            ui.update("the API server does not answer; waits for it");
            await ctx.clock.sleep(Math.min(POLL_MS, patienceMs), ctx.signal);
            continue;
          }
          // One kind alone that cannot be read is no cluster that is lost.
          const lost = await silence(kube);
          if (lost === undefined) throw failure;
          if (reach.lost === undefined) {
            ctx.ui.warn(
              `The API server does not answer any more (${why}): what needs it is left out`,
            );
          }
          reach.lost = lost;
        }
      }
      throw new StepSkipped(
        "left out, as the API server does not answer; it goes with the cluster",
      );
    },
  };
}

function isSilent(error: unknown): boolean {
  return error instanceof TaskError && SILENT.test(error.code);
}

/** Why the API server does not answer; undefined when it does. Helm and watches have other words for it. */
async function silence(kube: Kube): Promise<string | undefined> {
  try {
    await kube.get({ apiVersion: "v1", kind: "Namespace", name: "kube-system" });
    return undefined;
  } catch (error) {
    return isSilent(error) ? messageOf(error) : undefined;
  }
}

/** What a step says that was not done in its time; its own words where it has some. */
function tooLong({ title, deadlineMs }: Step, cause: unknown): TaskError {
  if (cause instanceof TaskError && cause.exitCode !== EXIT.interrupted) return cause;
  const seconds = Math.round(deadlineMs / 1000);
  return timeoutError("STEP_TIMEOUT", `"${title}" was not done after ${seconds} s`, {
    hint: "Run the same task again; finished steps are skipped.",
    cause,
  });
}
