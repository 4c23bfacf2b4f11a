/**
 * Checking a deployed graph: chosen by what it is.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, TaskError } from "../cli/errors.ts";
import { formatDuration, hanging } from "../cli/text.ts";
import type { KubeObject } from "../kube/types.ts";
import { CHECK_IDS, checkIds, runEndpointChecks } from "../serving/checks.ts";
import type { ServedTraits } from "../serving/check_world.ts";
import { watchedForward } from "./check_forward.ts";
import { FRONTEND_PORT, frontendService } from "./frontend.ts";
import { GRAPH_KIND, type GraphState } from "./graph_state.ts";
import { greeting } from "./hello_world.ts";
import { servedTraits } from "./served_traits.ts";
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

/** Checks of a graph besides those of its endpoint. */
export const GRAPH_CHECK_IDS = ["components", "greeting"] as const;

/** Options of {@link checkGraph}. */
export interface CheckGraphOptions {
  /** Only name the checks. */
  readonly dryRun: boolean;
  /** Identifiers of the checks to run; all unless given. */
  readonly only?: readonly string[] | undefined;
  /** Checks at the same time, at most; 1 unless given. */
  readonly parallel?: number | undefined;
}

/**
 * Runs the checks that fit the graph and shows each with its time. A dry run only names them.
 *
 * @throws {TaskError} CHECK_UNKNOWN (exit code 2) for an identifier in `only` that is not known.
 */
export async function checkGraph(
  ctx: Context,
  session: GraphSession,
  graph: GraphState,
  options: CheckGraphOptions,
): Promise<GraphCheck[]> {
  checkIds(options.only ?? [], [...GRAPH_CHECK_IDS, ...CHECK_IDS]);
  const results: GraphCheck[] = [];
  const wanted = (id: string) => options.only === undefined || options.only.includes(id);
  const note = (check: GraphCheck) => {
    results.push(check);
    showCheck(ctx, check);
  };
  const service = frontendService(graph);
  const own = service === undefined ? GRAPH_CHECK_IDS : (["components"] as const);
  const served = service === undefined ? [] : CHECK_IDS.filter(wanted);
  if (options.dryRun) {
    ctx.ui.out(`Would check ${[...own.filter(wanted), ...served].join(", ")} of ${graph.name}`);
    return results;
  }
  if (wanted("components")) note(componentsCheck(graph));
  if (service === undefined) {
    if (wanted("greeting")) note(await greetingCheck(ctx, session, graph));
    return results;
  }
  if (served.length === 0) return results;
  const traits = await readTraits(session, graph);
  const where = { namespace: graph.namespace, service };
  await using forward = await watchedForward(ctx, session.kube, where);
  const checks = await runEndpointChecks(ctx, {
    get url() {
      return forward.url;
    },
    shownUrl: `http://127.0.0.1:${FRONTEND_PORT}`,
    traits,
    only: served,
    parallel: options.parallel,
    disturbed: () => forward.replaced(),
    gone: (signal) => forward.gone(signal),
    onCheck: showing(ctx, where),
  });
  return [...results, ...checks];
}

// Our own port-forward is gone when somebody runs the curl line.
function showing(
  ctx: Context,
  where: { readonly namespace: string; readonly service: string },
): (check: GraphCheck) => void {
  let said = false;
  return (check) => {
    showCheck(ctx, check);
    if (check.outcome !== "failed" || said) return;
    said = true;
    ctx.ui.info(
      `    behind kubectl -n ${where.namespace} port-forward svc/${where.service} ${FRONTEND_PORT}`,
    );
  };
}

async function readTraits(session: GraphSession, graph: GraphState): Promise<ServedTraits> {
  const { kube, release, target } = session;
  const { namespace, name } = graph;
  const object = await kube.get({
    apiVersion: graph.apiVersion,
    kind: GRAPH_KIND,
    name,
    namespace,
  });
  if (object === undefined) {
    throw new TaskError({
      code: "GRAPH_GONE",
      message: `Graph ${namespace}/${name} was removed while it was to be checked`,
    });
  }
  return servedTraits(object, {
    release: release.version,
    simulated: target.kind === "local",
    adapters: await adaptersOf(session, graph, object),
  });
}

async function adaptersOf(
  { kube }: GraphSession,
  graph: GraphState,
  object: KubeObject,
): Promise<string[]> {
  const kind = { apiVersion: "nvidia.com/v1alpha1", kind: "DynamoModel" };
  const found = await kube.list(kind, { namespace: graph.namespace }).catch(() => undefined);
  // Early releases have no such kind. Ours carry the graph's name in front of theirs.
  const instance = object.metadata.labels?.["app.kubernetes.io/instance"] ?? graph.name;
  return (found?.items ?? [])
    .filter(({ metadata }) =>
      metadata.labels?.["app.kubernetes.io/instance"] === instance ||
      metadata.name.startsWith(`${graph.name}-`)
    )
    .map((model) => String(model["spec"]?.modelName ?? ""))
    .filter((model) => model !== "");
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

/** Shows a result on the terminal, with its time and, when it failed, its request. */
export function showCheck(ctx: Context, check: GraphCheck): void {
  const took = check.ms >= 1 ? ` (${formatDuration(check.ms)})` : "";
  const text = hanging(`${check.title}: ${check.detail}${took}`, ctx.ui.width - 2).join("\n  ");
  if (check.outcome === "skipped") ctx.ui.info(`- ${text}`);
  else if (check.outcome === "passed") ctx.ui.success(text);
  else {
    ctx.ui.error(text);
    if (check.curl !== undefined) ctx.ui.info(`    ${check.curl}`);
  }
}
