/**
 * DynamoGraphDeploymentRequests: what becomes of them, and removing them. The operator makes a
 * graph for each, which the request does not own.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { interruptedError, TaskError, timeoutError } from "../cli/errors.ts";
import type { StepUi } from "../cli/ui.ts";
import { requestedGraphName } from "../graph/names.ts";
import { REQUEST_API_VERSION, REQUEST_KIND } from "../graph/render_request.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { followObjects } from "./live_objects.ts";
import { removeObject } from "./stuck.ts";

/** A request as it is. */
export interface RequestState {
  /** Name of the request. */
  readonly name: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Pending, Profiling, Ready, Deploying, Deployed or Failed; Pending before the operator saw it. */
  readonly phase: string;
  /** Message of the condition that says most. */
  readonly message: string;
  /** Name of the graph that it has or will have. */
  readonly graph: string;
  /** Whether it carries our label. */
  readonly ours: boolean;
}

/** Where to look. */
export interface RequestPlace {
  /** Namespace of the request. */
  readonly namespace: string;
  /** Name of the request. */
  readonly name: string;
  /** Milliseconds after which a wait fails. */
  readonly timeoutMs: number;
}

const KIND = { apiVersion: REQUEST_API_VERSION, kind: REQUEST_KIND } as const;

/** The requests of a namespace, by name; none for releases before 1.0, whose form is another one. */
export async function listRequests(
  kube: Kube,
  where: { readonly namespace: string; readonly release: Release },
): Promise<RequestState[]> {
  if (!atLeast(where.release, 1, 0)) return [];
  const { items } = await kube.list(KIND, { namespace: where.namespace });
  return items.map(requestState).sort((a, b) => a.name.localeCompare(b.name));
}

/** Reads one request. */
export function requestState(request: KubeObject): RequestState {
  const { status = {}, metadata } = request;
  const conditions: KubeObject[] = status.conditions ?? [];
  // What failed says more than what was reached; the last one is the newest step.
  const telling = conditions.find((c) => c.status === "False" && c.message) ?? conditions.at(-1);
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? "",
    phase: status.phase || "Pending",
    message: telling?.message ?? "",
    graph: status.dgdName || requestedGraphName(metadata.name),
    ours: metadata.labels?.["app.kubernetes.io/managed-by"] === "dynamo-eks",
  };
}

/**
 * Waits until the operator has deployed a graph for the request, or has found one that it was
 * told not to deploy.
 *
 * @throws {TaskError} REQUEST_FAILED with the operator's reason, REQUEST_TIMEOUT (exit code 4).
 */
export async function waitForRequest(
  ctx: Context,
  kube: Kube,
  place: RequestPlace,
  ui: StepUi,
): Promise<RequestState> {
  let last: RequestState | undefined;
  for await (const state of followRequest(ctx, kube, place)) {
    if (state === undefined) continue;
    last = state;
    ui.update(state.phase.toLowerCase());
    if (state.phase === "Deployed" || state.phase === "Ready") return state;
    if (state.phase === "Failed") {
      throw new TaskError({
        code: "REQUEST_FAILED",
        message: `Request ${place.namespace}/${place.name} failed: ${state.message}`,
        hint: `deno task cleanup ${place.name} removes it; a new one starts over.`,
      });
    }
  }
  throw tooLate("REQUEST_TIMEOUT", place, `is ${last?.phase ?? "not there"}, not deployed`);
}

/**
 * Deletes a request and waits until it is gone, so that it makes no graph any more. Returns false
 * when there was none.
 *
 * @throws {TaskError} REMOVE_TIMEOUT (exit code 4).
 */
export async function removeRequest(
  ctx: Context,
  kube: Kube,
  { namespace, name, timeoutMs }: RequestPlace,
): Promise<boolean> {
  return await removeObject(ctx, kube, { ...KIND, namespace, name }, { timeoutMs });
}

async function* followRequest(
  ctx: Context,
  kube: Kube,
  { namespace, name, timeoutMs }: RequestPlace,
): AsyncGenerator<RequestState | undefined> {
  const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(timeoutMs)]);
  for await (
    const { requests } of followObjects(kube, { kinds: { requests: KIND }, namespace, signal })
  ) {
    const request = requests.find((one) => one.metadata.name === name);
    yield request === undefined ? undefined : requestState(request);
  }
  if (ctx.signal.aborted) throw interruptedError();
}

function tooLate(
  code: string,
  { namespace, name, timeoutMs }: RequestPlace,
  what: string,
): TaskError {
  const seconds = Math.round(timeoutMs / 1000);
  return timeoutError(code, `Request ${namespace}/${name} ${what} after ${seconds} s`, {
    hint: "Is the operator running? deno task status shows it.",
  });
}
