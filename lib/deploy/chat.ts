/**
 * Whom `deno task chat` talks to: a URL as it is, or a graph through a port-forward that survives
 * the frontend's pod.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError, usageError } from "../cli/errors.ts";
import { didYouMean } from "../cli/suggest.ts";
import type { ConversationOptions } from "../serving/conversation.ts";
import type { Endpoint } from "../serving/endpoint.ts";
import { listModels } from "../serving/probes.ts";
import type { TargetChoice } from "../target/target.ts";
import { watchedForward } from "./check_forward.ts";
import { requireFrontend } from "./frontend.ts";
import { pickGraph } from "./graphs.ts";
import { openGraphs } from "./session.ts";

/** An endpoint that is open until disposed of. */
export interface ChatEndpoint
  extends AsyncDisposable, Pick<ConversationOptions, "endpoint" | "gone" | "replaced"> {
  /** Name of the graph with its namespace, or the URL. */
  readonly title: string;
  /** Why its answers have no meaning; undefined for real engines. */
  readonly note: string | undefined;
}

/** Talks to a URL. */
export function chatWithUrl(endpoint: Endpoint): ChatEndpoint {
  return {
    endpoint,
    title: endpoint.url,
    note: undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/**
 * Talks to a deployed graph; the only one when `name` is undefined.
 *
 * @throws {TaskError} FRONTEND_MISSING (exit code 3) for graphs that speak no HTTP, and those of
 * choosing target and graph.
 */
export async function chatWithGraph(
  ctx: Context,
  name: string | undefined,
  choice: TargetChoice,
): Promise<ChatEndpoint> {
  await using stack = new AsyncDisposableStack();
  const session = stack.use(await openGraphs(ctx, choice));
  const graph = pickGraph(await session.list(), name);
  const service = requireFrontend(graph, "talk to");
  const { namespace } = graph;
  const forward = stack.use(await watchedForward(ctx, session.kube, { namespace, service }));
  const open = stack.move();
  return {
    endpoint: {
      // It changes when the pod is replaced.
      get url() {
        return forward.url;
      },
    },
    gone: (signal) => forward.gone(signal),
    replaced: () => forward.replaced(),
    title: `${namespace}/${graph.name}`,
    note: session.target.kind === "local"
      ? "The embedded cluster plays the engine: answers are random words"
      : undefined,
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/**
 * The model to talk to: the one that is asked for, or the only one.
 *
 * @throws {TaskError} MODEL_UNKNOWN or MODEL_UNCLEAR (exit code 2) with those that are served;
 * MODEL_MISSING (exit code 3) when there is none.
 */
export async function chooseModel(
  ctx: Context,
  chat: ChatEndpoint,
  wanted: string | undefined,
): Promise<string> {
  const models = (await listModels(ctx, chat.endpoint)).map(({ id }) => id);
  const [first] = models;
  if (first === undefined) {
    throw preconditionError(
      "MODEL_MISSING",
      `${chat.title} serves no model yet`,
      "Its workers are still starting, or gone: see deno task status.",
    );
  }
  const served = `Served: ${models.join(", ")}.`;
  if (wanted !== undefined) {
    if (models.includes(wanted)) return wanted;
    throw usageError(
      "MODEL_UNKNOWN",
      `${chat.title} does not serve "${wanted}". ${didYouMean(wanted, models)}`.trim(),
      served,
    );
  }
  if (models.length === 1) return first;
  throw usageError(
    "MODEL_UNCLEAR",
    `${chat.title} serves several models: choose one with --model`,
    served,
  );
}
