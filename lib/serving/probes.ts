/**
 * Typed probes of a Dynamo frontend (or any OpenAI-compatible endpoint): models, health,
 * liveness, metrics.
 *
 * @module
 */
import { TaskError } from "../cli/errors.ts";
import { excerpt } from "./error_text.ts";
import { baseUrl, call, type CallContext, type Endpoint } from "./endpoint.ts";
import { type Metrics, parseMetrics } from "./prometheus.ts";

/** A served model. */
export interface Model {
  /** Name to put into requests. */
  readonly id: string;
  /** Longest prompt plus answer in tokens, where the server says so. */
  readonly maxModelLen: number | undefined;
}

/** Answer of `/health`. */
export interface Health {
  /** HTTP status. Dynamo 0.4.1 answers 503 while no model is registered; later releases 200. */
  readonly status: number;
  /** Status 200, and not called unhealthy in the body. */
  readonly healthy: boolean;
  /** The word in the body, for example `healthy`; undefined where there is none. */
  readonly state: string | undefined;
  /** Endpoints of workers that the frontend knows, for example `dyn://dynamo.backend.generate`. */
  readonly endpoints: readonly string[];
  /** Milliseconds it took. */
  readonly ms: number;
}

/** Answer of `/live`. */
export interface Live {
  /** False where the server has no such path. */
  readonly served: boolean;
  /** Whether it answered 200. */
  readonly live: boolean;
  /** HTTP status. */
  readonly status: number;
  /** Milliseconds it took. */
  readonly ms: number;
}

/**
 * The served models, in the server's order; an empty list while no worker has registered.
 *
 * @throws {TaskError} as {@link call}, or ENDPOINT_BODY when the answer is not a list of models.
 */
export async function listModels(ctx: CallContext, endpoint: Endpoint): Promise<Model[]> {
  const answer = await call(ctx, endpoint, { method: "GET", path: "/v1/models" });
  return readModels(answer.text, `${baseUrl(endpoint.url)}/v1/models`);
}

/**
 * The models in the body of `/v1/models`.
 *
 * @throws {TaskError} ENDPOINT_BODY
 */
export function readModels(body: string, url: string): Model[] {
  const data = (parseObject(body) ?? {}).data;
  if (!Array.isArray(data)) {
    throw new TaskError({
      code: "ENDPOINT_BODY",
      message: `${url} answers with something else than a list of models: ${excerpt(body)}`,
      hint: "Is this the base URL of an OpenAI-compatible API?",
    });
  }
  return data.filter((model) => typeof model?.id === "string").map((model) => ({
    id: model.id,
    maxModelLen: [model.max_model_len, model.context_window, model.context_length]
      .find((length) => typeof length === "number"),
  }));
}

/**
 * What `/health` says; being unhealthy is an answer, not an error.
 *
 * @throws {TaskError} as {@link call}, for statuses other than 200 and 503.
 */
export async function health(ctx: CallContext, endpoint: Endpoint): Promise<Health> {
  const answer = await call(ctx, endpoint, { method: "GET", path: "/health", accept: [503] });
  const body = parseObject(answer.text) ?? {};
  const state = typeof body.status === "string" ? body.status : undefined;
  const endpoints = Array.isArray(body.endpoints) ? body.endpoints.map(endpointName) : [];
  return {
    status: answer.status,
    healthy: answer.status === 200 && state !== "unhealthy",
    state,
    endpoints,
    ms: answer.ms,
  };
}

function endpointName(entry: unknown): string {
  return typeof entry === "string" ? entry : JSON.stringify(entry);
}

/** What `/live` says; 404 and 503 are answers, not errors. */
export async function live(ctx: CallContext, endpoint: Endpoint): Promise<Live> {
  const answer = await call(ctx, endpoint, { method: "GET", path: "/live", accept: [404, 503] });
  return {
    served: answer.status !== 404,
    live: answer.status === 200,
    status: answer.status,
    ms: answer.ms,
  };
}

/** The metrics of `/metrics`; undefined where the server has no such path. */
export async function metrics(ctx: CallContext, endpoint: Endpoint): Promise<Metrics | undefined> {
  const answer = await call(ctx, endpoint, { method: "GET", path: "/metrics", accept: [404] });
  return answer.status === 404 ? undefined : parseMetrics(answer.text);
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}
