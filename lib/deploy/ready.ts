/**
 * Waiting until a graph is ready: shows what the cluster does, and gives up as soon as waiting
 * cannot help.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { interruptedError, TaskError, timeoutError } from "../cli/errors.ts";
import { formatDuration } from "../cli/text.ts";
import type { Kube } from "../kube/types.ts";
import { diagnose } from "./diagnosis/diagnose.ts";
import { makePatience } from "./diagnosis/patience.ts";
import type { Diagnosis } from "./diagnosis/types.ts";
import { graphEvidence } from "./evidence.ts";
import type { GraphState } from "./graph_state.ts";
import { followRollout, type RolloutMoment } from "./rollout.ts";
import { rolloutLines } from "./rollout_view.ts";

/** Options of {@link waitForGraph}. */
export interface WaitForGraphOptions {
  /** Namespace of the graph. */
  readonly namespace: string;
  /** Name of the graph. */
  readonly name: string;
  /** API version in which the graph is read. */
  readonly apiVersion: string;
  /** Milliseconds after which the wait fails. */
  readonly timeoutMs: number;
}

// The age of the newest event is shown in seconds.
const REFRESH_MS = 1_000;

/**
 * Waits until operator and workloads agree that the graph is ready.
 *
 * @throws {TaskError} GRAPH_TIMEOUT (exit code 4), or the code of the diagnosis that waiting cannot
 * mend (exit code 1); each with events, pod states and last log lines.
 */
export async function waitForGraph(
  ctx: Context,
  kube: Kube,
  options: WaitForGraphOptions,
): Promise<GraphState> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([ctx.signal, deadline]);
  const patience = makePatience();
  const board = ctx.ui.board();
  const monotonic = () => ctx.clock.monotonic();
  let last: RolloutMoment | undefined;
  let diagnoses: readonly Diagnosis[] = [];
  let fatal: Diagnosis | undefined;
  try {
    const moments = followRollout(ctx, kube, {
      ...options,
      signal,
      dueInMs: () => Math.min(patience.dueInMs(monotonic()) ?? REFRESH_MS, REFRESH_MS),
    });
    for await (const moment of moments) {
      last = moment;
      if (moment.state?.ready === true) return moment.state;
      diagnoses = moment.facts === undefined ? [] : diagnose(moment.facts);
      board.show(
        rolloutLines(moment, diagnoses, { now: ctx.clock.now(), width: ctx.ui.width }),
      );
      if (moment.outdated !== undefined) patience.pause();
      else fatal = patience.judge(diagnoses, monotonic());
      if (fatal !== undefined) break;
    }
  } finally {
    board.end();
  }
  if (ctx.signal.aborted) throw interruptedError();
  const about = (fatal ?? diagnoses[0])?.component;
  const evidence = await graphEvidence(kube, options, last?.state, about);
  if (fatal !== undefined) throw fatalError(options, fatal, diagnoses, evidence);
  throw tooLate(options, last, diagnoses, evidence);
}

function fatalError(
  { namespace, name }: WaitForGraphOptions,
  fatal: Diagnosis,
  all: readonly Diagnosis[],
  evidence: readonly string[],
): TaskError {
  const about = fatal.component === name ? "" : `${fatal.component}: `;
  const others = all.filter((one) => one.final && one !== fatal);
  return new TaskError({
    code: fatal.code,
    message: `Graph ${namespace}/${name} cannot come up: ${about}${fatal.cause}`,
    hint: fatal.hint,
    evidence: [...others.map((one) => `also ${one.component}: ${one.cause}`), ...evidence],
  });
}

function tooLate(
  { namespace, name, timeoutMs }: WaitForGraphOptions,
  last: RolloutMoment | undefined,
  diagnoses: readonly Diagnosis[],
  evidence: readonly string[],
): TaskError {
  const [likely] = diagnoses;
  const state = last?.state?.state ?? "not created";
  return timeoutError(
    "GRAPH_TIMEOUT",
    `Graph ${namespace}/${name} was not ready after ${formatDuration(timeoutMs)} (state ${state})` +
      (likely === undefined ? "" : `; ${likely.component}: ${likely.cause}`),
    {
      hint: (likely?.hint ? `${likely.hint} ` : "") +
        "It goes on starting: deno task status shows it. --timeout waits longer.",
      evidence,
    },
  );
}
