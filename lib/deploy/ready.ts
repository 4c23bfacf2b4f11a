/**
 * Waiting until a graph is ready, showing each component on the way.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { interruptedError, TaskError, timeoutError } from "../cli/errors.ts";
import type { StepUi } from "../cli/ui.ts";
import type { Kube } from "../kube/types.ts";
import { graphEvidence } from "./evidence.ts";
import type { ComponentState, GraphState } from "./graph_state.ts";
import { followGraphs } from "./graphs.ts";

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

// The operator retries most errors; a state that stays `failed` this long will not mend itself.
const FAILED_FOR_MS = 15_000;

/**
 * Waits until operator and workloads agree that the graph is ready.
 *
 * @throws {TaskError} GRAPH_TIMEOUT (exit code 4) or GRAPH_FAILED, each with events,
 * pod states and last log lines.
 */
export async function waitForGraph(
  ctx: Context,
  kube: Kube,
  options: WaitForGraphOptions,
): Promise<GraphState> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([ctx.signal, deadline]);
  const lines = new ComponentLines(ctx);
  let last: GraphState | undefined;
  let failedSince: number | undefined;
  try {
    for await (
      const graphs of followGraphs(kube, {
        namespace: options.namespace,
        apiVersion: options.apiVersion,
        signal,
        onRetry: (reason) => ctx.ui.debug(`watch starts over: ${reason}`),
      })
    ) {
      last = graphs.find((graph) => graph.name === options.name) ?? last;
      if (last === undefined) continue;
      lines.show(last);
      if (last.ready) return last;
      failedSince = last.state === "failed" ? failedSince ?? ctx.clock.monotonic() : undefined;
      if (failedSince !== undefined && ctx.clock.monotonic() - failedSince > FAILED_FOR_MS) break;
    }
  } finally {
    lines.end(last);
  }
  if (ctx.signal.aborted) throw interruptedError();
  const evidence = await graphEvidence(kube, options, last);
  if (!deadline.aborted) {
    throw new TaskError({
      code: "GRAPH_FAILED",
      message: `Graph ${options.namespace}/${options.name} failed: ${last?.message}`,
      hint: `See deno task logs ${options.name}, then deno task cleanup ${options.name}.`,
      evidence,
    });
  }
  throw timeoutError(
    "GRAPH_TIMEOUT",
    `Graph ${options.namespace}/${options.name} was not ready after ${
      Math.round(options.timeoutMs / 1000)
    } s (state ${last?.state ?? "not created"})`,
    { hint: `It goes on starting: deno task status shows it. --timeout waits longer.`, evidence },
  );
}

/** One line of progress for each component. */
class ComponentLines {
  readonly #ctx: Context;
  readonly #steps = new Map<string, StepUi>();
  readonly #finished = new Set<string>();

  constructor(ctx: Context) {
    this.#ctx = ctx;
  }

  show(graph: GraphState): void {
    for (const component of graph.components) this.#showComponent(component);
  }

  #showComponent(component: ComponentState): void {
    if (this.#finished.has(component.name)) return;
    let step = this.#steps.get(component.name);
    if (step === undefined) {
      step = this.#ctx.ui.step(`  ${component.name}`);
      this.#steps.set(component.name, step);
    }
    if (component.settled) {
      step.done(component.phrase);
      this.#finished.add(component.name);
    } else step.update(component.phrase);
  }

  /** Ends the lines of components that are not ready. */
  end(graph: GraphState | undefined): void {
    for (const [name, step] of this.#steps) {
      if (this.#finished.has(name)) continue;
      step.fail(graph?.components.find((component) => component.name === name)?.phrase);
    }
  }
}
