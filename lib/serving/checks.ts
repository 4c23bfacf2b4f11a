/**
 * Does this endpoint do what a Dynamo frontend should? Each check with its time, and the
 * request as a line to run by hand.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { EXIT, messageOf, TaskError } from "../cli/errors.ts";
import { chat, chatCall, type Completion, type CompletionOptions } from "./completions.ts";
import type { Usage } from "./chunk.ts";
import { curlLine } from "./curl.ts";
import type { Call, Endpoint } from "./endpoint.ts";
import { health, listModels, live, metrics } from "./probes.ts";
import { sampleNames, sumOf } from "./prometheus.ts";

/** One check's result. */
export interface CheckResult {
  /** Stable identifier: `health`, `live`, `models`, `chat`, `chat-stream`, `usage`, `metrics`. */
  readonly id: string;
  /** What was checked, in words. */
  readonly title: string;
  /** How it ended. */
  readonly outcome: "passed" | "failed" | "skipped";
  /** False when it failed. A skipped check is ok; `detail` says why it does not apply. */
  readonly ok: boolean;
  /** Milliseconds it took. */
  readonly ms: number;
  /** What was seen, what went wrong, or why it was skipped. */
  readonly detail: string;
  /** The request as a curl line, without secrets. */
  readonly curl: string;
}

/** Options of {@link runEndpointChecks}. */
export interface EndpointCheckOptions extends Endpoint {
  /** Model to ask; the first that is listed unless given. */
  readonly model?: string | undefined;
  /** Models that have to be listed. */
  readonly expectedModels?: readonly string[] | undefined;
  /** Called with each result as it comes. */
  readonly onCheck?: ((result: CheckResult) => void) | undefined;
}

/** Most tokens asked for in a check. */
const MAX_TOKENS = 16;
const PROMPT = "Say hello in one short sentence.";

/** Prefixes of the frontend's metrics: since 0.4.1, and before. */
export const METRIC_PREFIXES = ["dynamo_frontend_", "nv_llm_http_service_"] as const;

/** Runs all checks in order. Failures are results; only interruption and a malformed URL throw. */
export async function runEndpointChecks(
  ctx: Context,
  options: EndpointCheckOptions,
): Promise<CheckResult[]> {
  const run = new Checks(ctx, options);
  await run.check("health", "Health", get("/health"), () => checkHealth(ctx, options));
  await run.check("live", "Liveness", get("/live"), () => checkLive(ctx, options));
  const models = await run.check(
    "models",
    "Models",
    get("/v1/models"),
    () => checkModels(ctx, options),
  );
  const model = options.model ?? options.expectedModels?.[0] ?? models?.[0];
  const answers: Completion[] = [];
  for (const stream of [false, true]) {
    const request = { model: model ?? "MODEL", maxTokens: MAX_TOKENS, stream, messages: PROMPT };
    const [id, title] = stream
      ? ["chat-stream", "Chat completion, streamed"] as const
      : ["chat", "Chat completion"] as const;
    const answer = await run.check(id, title, chatCall(request), async () => {
      if (model === undefined) return skip("no model is served");
      const completion = await chat(ctx, options, request);
      return { value: completion, detail: describe(completion) };
    });
    if (answer !== undefined) answers.push(answer);
  }
  await run.check(
    "usage",
    "Token counts",
    chatCall({ ...usageRequest(model), messages: PROMPT }),
    () => Promise.resolve(checkUsage(answers)),
  );
  await run.check(
    "metrics",
    "Metrics",
    get("/metrics"),
    () => checkMetrics(ctx, options, answers.length > 0),
  );
  return run.results;
}

function usageRequest(model: string | undefined): CompletionOptions {
  return { model: model ?? "MODEL", maxTokens: MAX_TOKENS };
}

/** What a check found: a value and a detail, or why it does not apply. */
type Found<T> = { readonly value: T; readonly detail: string } | { readonly skipped: string };

function skip(reason: string): { readonly skipped: string } {
  return { skipped: reason };
}

class Checks {
  readonly results: CheckResult[] = [];
  readonly #ctx: Context;
  readonly #options: EndpointCheckOptions;

  constructor(ctx: Context, options: EndpointCheckOptions) {
    this.#ctx = ctx;
    this.#options = options;
  }

  /** Runs one check; undefined unless it passed. */
  async check<T>(
    id: string,
    title: string,
    call: Call,
    run: () => Promise<Found<T>>,
  ): Promise<T | undefined> {
    const start = this.#ctx.clock.monotonic();
    const curl = curlLine(this.#options, call);
    const end = (outcome: CheckResult["outcome"], detail: string) => {
      const ms = Math.round((this.#ctx.clock.monotonic() - start) * 10) / 10;
      const result = { id, title, outcome, ok: outcome !== "failed", ms, detail, curl };
      this.results.push(result);
      this.#options.onCheck?.(result);
    };
    try {
      const found = await run();
      if ("skipped" in found) {
        end("skipped", found.skipped);
        return undefined;
      }
      end("passed", found.detail);
      return found.value;
    } catch (error) {
      if (
        error instanceof TaskError &&
        (error.exitCode === EXIT.interrupted || error.exitCode === EXIT.usage)
      ) {
        throw error;
      }
      end("failed", messageOf(error));
      return undefined;
    }
  }
}

async function checkHealth(ctx: Context, endpoint: Endpoint): Promise<Found<true>> {
  const answer = await health(ctx, endpoint);
  const state = answer.state ?? `status ${answer.status}`;
  if (!answer.healthy) {
    throw failed(`the frontend says ${state} (${answer.status}): no worker has registered`);
  }
  const workers = answer.endpoints.length;
  return {
    value: true,
    detail: `${state}, ${count(workers, "worker endpoint")}`,
  };
}

async function checkLive(ctx: Context, endpoint: Endpoint): Promise<Found<true>> {
  const answer = await live(ctx, endpoint);
  if (!answer.served) return skip("this release has no /live");
  if (!answer.live) throw failed(`/live answers ${answer.status}`);
  return { value: true, detail: "live" };
}

async function checkModels(ctx: Context, options: EndpointCheckOptions): Promise<Found<string[]>> {
  const ids = (await listModels(ctx, options)).map((model) => model.id);
  if (ids.length === 0) throw failed("no model is listed: no worker has registered one");
  const expected = options.expectedModels ?? (options.model === undefined ? [] : [options.model]);
  const missing = expected.filter((id) => !ids.includes(id));
  if (missing.length > 0) {
    throw failed(`${missing.join(", ")} is not listed; there is ${ids.join(", ")}`);
  }
  return { value: ids, detail: ids.join(", ") };
}

function describe(completion: Completion): string {
  if (completion.text === "" && completion.reasoning === "" && !completion.toolCall) {
    throw failed("the answer is empty");
  }
  const parts = [];
  if (completion.usage !== undefined) parts.push(count(completion.usage.completionTokens, "token"));
  if (completion.firstMs !== undefined) {
    parts.push(
      count(completion.events, "event"),
      `first after ${Math.round(completion.firstMs)} ms`,
    );
  }
  parts.push(`finish reason ${completion.finishReason ?? "none"}`);
  return parts.join(", ");
}

function checkUsage(answers: readonly Completion[]): Found<true> {
  if (answers.length === 0) return skip("no chat completion was answered");
  const usages = answers.map((answer) => answer.usage).filter((usage) => usage !== undefined);
  if (usages.length === 0) return skip("the server reports no token counts");
  for (const usage of usages) {
    const problem = usageProblem(usage);
    if (problem !== undefined) throw failed(problem);
  }
  const { promptTokens, completionTokens } = usages.at(-1)!;
  return {
    value: true,
    detail: `${promptTokens} prompt and ${completionTokens} completion tokens`,
  };
}

function usageProblem(usage: Usage): string | undefined {
  const { promptTokens, completionTokens, totalTokens } = usage;
  if (promptTokens < 1) return "prompt_tokens is 0 for a prompt that is not empty";
  if (completionTokens < 1) return "completion_tokens is 0 for an answer that is not empty";
  if (completionTokens > MAX_TOKENS) {
    return `completion_tokens is ${completionTokens}, more than the ${MAX_TOKENS} asked for`;
  }
  if (totalTokens !== undefined && totalTokens !== promptTokens + completionTokens) {
    return `total_tokens is ${totalTokens}, not ${promptTokens} + ${completionTokens}`;
  }
  return undefined;
}

async function checkMetrics(
  ctx: Context,
  endpoint: Endpoint,
  asked: boolean,
): Promise<Found<true>> {
  const found = await metrics(ctx, endpoint);
  if (found === undefined) return skip("/metrics is not served");
  const prefix = METRIC_PREFIXES.find((prefix) =>
    found.samples.some((one) => one.name.startsWith(prefix))
  );
  if (prefix === undefined) {
    // They appear with the first request.
    if (!asked) return skip("no request was answered, so there are no frontend metrics yet");
    throw failed(`no ${METRIC_PREFIXES[0]}* metric after a request`);
  }
  const requests = sumOf(found, `${prefix}requests_total`);
  if (requests === undefined && asked) {
    throw failed(`${prefix}requests_total is missing after a request`);
  }
  const names = sampleNames(found).filter((name) => name.startsWith(prefix));
  return {
    value: true,
    detail: `${count(names.length, "name")} with ${prefix}*, ${requests ?? 0} requests counted`,
  };
}

function get(path: string): Call {
  return { method: "GET", path };
}

function failed(message: string): TaskError {
  return new TaskError({ code: "CHECK_FAILED", message });
}

function count(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}
