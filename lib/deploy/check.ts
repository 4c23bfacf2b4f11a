/**
 * Checking a deployed graph: chosen by what it is.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { formatDuration } from "../cli/text.ts";
import { runEndpointChecks } from "../serving/checks.ts";
import { forwardFrontend, frontendService } from "./frontend.ts";
import type { GraphState } from "./graph_state.ts";
import { greeting } from "./hello_world.ts";
import type { GraphSession } from "./session.ts";

/** Result of one check: the shape of `deno task test --output json`. */
export interface GraphCheck {
  /** Stable identifier. */
  readonly id: string;
  /** What was checked. */
  readonly title: string;
  /** How it ended. */
  readonly outcome: "passed" | "failed" | "skipped";
  /** Milliseconds it took. */
  readonly ms: number;
  /** What was seen, what went wrong, or why it was skipped. */
  readonly detail: string;
  /** The request as a curl line, where there is one. */
  readonly curl?: string;
}

// hello-world's client greets every few seconds.
const GREETING_WITHIN_MS = 30_000;

/** Runs the checks that fit the graph and shows each with its time. A dry run only names them. */
export async function checkGraph(
  ctx: Context,
  session: GraphSession,
  graph: GraphState,
  options: { readonly dryRun: boolean },
): Promise<GraphCheck[]> {
  const results: GraphCheck[] = [];
  const note = (check: GraphCheck) => {
    results.push(check);
    showCheck(ctx, check);
  };
  const service = frontendService(graph);
  if (options.dryRun) {
    ctx.ui.out(
      service === undefined
        ? `Would check components and greetings of ${graph.name}`
        : `Would check components and the endpoint ${graph.namespace}/${service} of ${graph.name}`,
    );
    return results;
  }
  note(componentsCheck(graph));
  if (service === undefined) {
    note(await greetingCheck(ctx, session, graph));
    return results;
  }
  const forwarder = await forwardFrontend(ctx, session.kube, {
    namespace: graph.namespace,
    service,
  });
  try {
    await runEndpointChecks(ctx, {
      url: forwarder.url,
      onCheck: note,
    });
  } finally {
    await forwarder.close();
  }
  return results;
}

function componentsCheck(graph: GraphState): GraphCheck {
  const behind = graph.components.filter((component) => !component.settled);
  return {
    id: "components",
    title: "Components",
    outcome: behind.length === 0 ? "passed" : "failed",
    ms: 0,
    detail: (behind.length === 0 ? graph.components : behind)
      .map((component) => `${component.name} ${component.phrase}`).join(", "),
  };
}

async function greetingCheck(
  ctx: Context,
  session: GraphSession,
  graph: GraphState,
): Promise<GraphCheck> {
  const start = ctx.clock.monotonic();
  const check = (outcome: "passed" | "failed", detail: string): GraphCheck => ({
    id: "greeting",
    title: "Greeting",
    outcome,
    ms: ctx.clock.monotonic() - start,
    detail,
  });
  let problem = `no greeting within ${GREETING_WITHIN_MS / 1000} s`;
  while (ctx.clock.monotonic() - start < GREETING_WITHIN_MS) {
    try {
      const found = await greeting(ctx, session.kube, graph);
      if (found !== undefined) return check("passed", found);
    } catch (error) {
      if (ctx.signal.aborted) throw error;
      problem = messageOf(error);
    }
    await ctx.clock.sleep(500, ctx.signal);
  }
  return check("failed", problem);
}

function showCheck(ctx: Context, check: GraphCheck): void {
  const took = check.ms >= 1 ? ` (${formatDuration(check.ms)})` : "";
  const text = `${check.title}: ${check.detail}${took}`;
  if (check.outcome === "skipped") ctx.ui.info(`- ${text}`);
  else if (check.outcome === "passed") ctx.ui.success(text);
  else {
    ctx.ui.error(text);
    if (check.curl !== undefined) ctx.ui.info(`    ${check.curl}`);
  }
}
