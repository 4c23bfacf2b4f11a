/**
 * Checks that every frontend has to pass: health, models, completions, token counts, metrics.
 *
 * @module
 */
import type { Usage } from "./chunk.ts";
import { type Check, count, failed, type Found, skip } from "./check_run.ts";
import { type CheckWorld, MAX_TOKENS, NO_MODEL, PROMPT } from "./check_world.ts";
import { chatCall, type Completion, textCall } from "./completions.ts";
import type { Call } from "./endpoint.ts";
import { health, live, metrics } from "./probes.ts";
import { sampleNames, sumOf } from "./prometheus.ts";

/** Prefixes of the frontend's metrics: since 0.4.1, and before. */
export const METRIC_PREFIXES = ["dynamo_frontend_", "nv_llm_http_service_"] as const;

// What dashboards and alerts are made of; each release from 0.4.1 to 1.6.1 has them.
const METRICS_AFTER_A_STREAM = [
  "requests_total",
  "request_duration_seconds_count",
  "time_to_first_token_seconds_count",
  "inter_token_latency_seconds_count",
  "input_sequence_tokens_count",
  "output_sequence_tokens_count",
];

/** The checks. */
export function basicChecks(world: CheckWorld, expectedModels: readonly string[]): Check[] {
  const get = (path: string) => (): Call => ({ method: "GET", path });
  return [
    {
      id: "health",
      title: "Health",
      phase: 0,
      call: get("/health"),
      run: () => checkHealth(world),
    },
    { id: "live", title: "Liveness", phase: 0, call: get("/live"), run: () => checkLive(world) },
    {
      id: "models",
      title: "Models",
      phase: 0,
      call: get("/v1/models"),
      run: () => checkModels(world, expectedModels),
    },
    ...[false, true].flatMap((stream): Check[] => [
      {
        id: stream ? "chat-stream" : "chat",
        title: stream ? "Chat completion, streamed" : "Chat completion",
        phase: 1,
        call: () => chatCall(world.chatOptions({ stream })),
        run: () => checkAnswer(world, () => world.chat({ stream })),
      },
      {
        id: stream ? "completion-stream" : "completion",
        title: stream ? "Completion, streamed" : "Completion",
        phase: 1,
        call: () =>
          textCall({
            model: world.model ?? NO_MODEL,
            maxTokens: MAX_TOKENS,
            stream,
            prompt: PROMPT,
          }),
        run: () => checkAnswer(world, () => world.complete(stream)),
      },
    ]),
    {
      id: "usage",
      title: "Token counts",
      phase: 2,
      call: () => chatCall(world.chatOptions()),
      run: () => checkUsage(world),
    },
    {
      id: "metrics",
      title: "Metrics",
      phase: 2,
      call: get("/metrics"),
      run: () => checkMetrics(world),
    },
  ];
}

async function checkHealth({ ctx, endpoint }: CheckWorld): Promise<Found> {
  const answer = await health(ctx, endpoint);
  const state = answer.state ?? `status ${answer.status}`;
  if (!answer.healthy) {
    throw failed(`the frontend says ${state} (${answer.status}): no worker has registered`);
  }
  return { detail: `${state}, ${count(answer.endpoints.length, "worker endpoint")}` };
}

async function checkLive({ ctx, endpoint }: CheckWorld): Promise<Found> {
  const answer = await live(ctx, endpoint);
  if (!answer.served) return skip("this release has no /live");
  if (!answer.live) throw failed(`/live answers ${answer.status}`);
  return { detail: "live" };
}

async function checkModels(world: CheckWorld, expected: readonly string[]): Promise<Found> {
  const ids = (await world.listModels()).map((model) => model.id);
  if (ids.length === 0) throw failed("no model is listed: no worker has registered one");
  const missing = expected.filter((id) => !ids.includes(id));
  if (missing.length > 0) {
    throw failed(`${missing.join(", ")} is not listed; there is ${ids.join(", ")}`);
  }
  return { detail: ids.join(", ") };
}

async function checkAnswer(world: CheckWorld, ask: () => Promise<Completion>): Promise<Found> {
  if (world.model === undefined) return skip("no model is served");
  const answer = await ask();
  world.answers.push(answer);
  const parts = [];
  if (answer.usage !== undefined) parts.push(count(answer.usage.completionTokens, "token"));
  if (answer.firstMs !== undefined) {
    parts.push(count(answer.events, "event"), `first after ${Math.round(answer.firstMs)} ms`);
  }
  parts.push(`finish reason ${answer.finishReason ?? "none"}`);
  return { detail: parts.join(", ") };
}

async function checkUsage(world: CheckWorld): Promise<Found> {
  if (world.model === undefined) return skip("no model is served");
  if (world.answers.length === 0) world.answers.push(await world.chat());
  const usages = world.answers.map((answer) => answer.usage).filter((usage) => usage !== undefined);
  if (usages.length === 0) return skip("the server reports no token counts");
  for (const usage of usages) {
    const problem = usageProblem(usage);
    if (problem !== undefined) throw failed(problem);
  }
  const { promptTokens, completionTokens } = usages.at(-1)!;
  return { detail: `${promptTokens} prompt and ${completionTokens} completion tokens` };
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

async function checkMetrics(world: CheckWorld): Promise<Found> {
  const { ctx, endpoint } = world;
  if (world.model !== undefined) await world.chat({ stream: true });
  const found = await metrics(ctx, endpoint);
  if (found === undefined) return skip("/metrics is not served");
  const names = new Set(sampleNames(found));
  const prefix = METRIC_PREFIXES.find((prefix) =>
    [...names].some((name) => name.startsWith(prefix))
  );
  if (prefix === undefined) {
    // They appear with the first request.
    if (world.model === undefined) return skip("no model is served, so there are no metrics yet");
    throw failed(`no ${METRIC_PREFIXES[0]}* metric after a request`);
  }
  const missing = METRICS_AFTER_A_STREAM.filter((name) => !names.has(prefix + name));
  if (missing.length > 0 && world.model !== undefined) {
    const words = missing.map((name) => prefix + name).join(", ");
    throw failed(`after a streamed request there is no ${words}`);
  }
  const own = [...names].filter((name) => name.startsWith(prefix));
  const requests = sumOf(found, `${prefix}requests_total`) ?? 0;
  return { detail: `${count(own.length, "name")} with ${prefix}*, ${requests} requests counted` };
}
