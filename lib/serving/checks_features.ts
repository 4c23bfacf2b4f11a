/**
 * Checks of what only some graphs can do. What a target cannot do is skipped, with the reason.
 *
 * @module
 */
import { EXIT, messageOf, TaskError } from "../cli/errors.ts";
import { type Check, failed, type Found, skip } from "./check_run.ts";
import type { CheckWorld } from "./check_world.ts";
import { chatCall, type ChatOptions, type Completion } from "./completions.ts";
import { excerpt } from "./error_text.ts";
import { metrics } from "./probes.ts";
import { sumOf } from "./prometheus.ts";

/** The checks. */
export function featureChecks(world: CheckWorld): Check[] {
  const check = (
    id: string,
    title: string,
    options: Partial<ChatOptions>,
    run: () => Promise<Found>,
  ): Check => ({
    id,
    title,
    phase: 1,
    call: () => chatCall(world.chatOptions(options)),
    run: async () => world.model === undefined ? skip("no model is served") : await run(),
  });
  return [
    check("json-output", "Output by a JSON schema", JSON_REQUEST, () => checkJson(world)),
    check("tools", "Call of a tool", TOOL_REQUEST, () => checkTools(world)),
    check("long-context", "Long context", { messages: "A LONG TEXT" }, () => checkLong(world)),
    check(
      "shared-prefix",
      "Shared prefix hits the KV cache",
      { messages: "A LONG TEXT" },
      () => checkPrefix(world),
    ),
    check("lora", "LoRA adapters", {
      ...(world.traits.adapters?.[0] === undefined ? {} : { model: world.traits.adapters[0] }),
    }, () => checkLora(world)),
    check("multimodal", "Picture in a message", IMAGE_REQUEST, () => checkImage(world)),
  ];
}

const JSON_REQUEST = {
  maxTokens: 128,
  messages: "Give the capital of France as JSON with the field capital.",
  extra: {
    temperature: 0,
    response_format: {
      type: "json_schema",
      json_schema: {
        name: "answer",
        schema: {
          type: "object",
          properties: { capital: { type: "string" } },
          required: ["capital"],
          additionalProperties: false,
        },
      },
    },
  },
} as const;

async function checkJson(world: CheckWorld): Promise<Found> {
  const { meaningless } = world.traits;
  if (meaningless !== undefined) return skip(meaningless);
  const answer = await tryOut(world, JSON_REQUEST);
  if ("skipped" in answer) return answer;
  let value: unknown;
  try {
    value = JSON.parse(answer.text);
  } catch {
    throw failed(`the answer is not JSON: ${excerpt(answer.text)}`);
  }
  const { capital } = value as Record<string, unknown>;
  if (typeof capital !== "string") {
    throw failed(`the answer does not follow the schema: ${excerpt(answer.text)}`);
  }
  return { detail: excerpt(answer.text) };
}

const TOOL_REQUEST = {
  maxTokens: 256,
  messages: "What is the weather in Paris? Use the tool.",
  extra: {
    temperature: 0,
    tool_choice: "auto",
    tools: [{
      type: "function",
      function: {
        name: "get_weather",
        description: "The weather in a city",
        parameters: {
          type: "object",
          properties: { city: { type: "string" } },
          required: ["city"],
        },
      },
    }],
  },
} as const;

async function checkTools(world: CheckWorld): Promise<Found> {
  const { meaningless, tools } = world.traits;
  if (meaningless !== undefined) return skip(meaningless);
  if (tools === false) return skip("no worker has a parser of tool calls (--dyn-tool-call-parser)");
  const answer = await tryOut(world, TOOL_REQUEST);
  if ("skipped" in answer) return answer;
  if (answer.toolCall) return { detail: `called, finish reason ${answer.finishReason ?? "none"}` };
  if (tools === undefined) return skip("the model called no tool, or the server parses no calls");
  throw failed(`no tool was called; the answer is ${excerpt(answer.text)}`);
}

// Of words that are one token in most tokenizers, and at most two.
const LONG_WORDS = 1_200;

function longText(words: number, seed: string): string {
  return `${seed} ${"the ".repeat(words)}end.`;
}

async function checkLong(world: CheckWorld): Promise<Found> {
  if (world.traits.disaggregated === false) {
    return skip("prefill and decode are one worker: nothing is handed over");
  }
  const maxLength = world.models?.find((model) => model.id === world.model)?.maxModelLen;
  const words = Math.min(LONG_WORDS, Math.floor((maxLength ?? Infinity) / 4));
  const answer = await world.chat({ messages: longText(words, "Long"), stream: true });
  const tokens = answer.usage?.promptTokens;
  if (tokens !== undefined && tokens < words / 2) {
    throw failed(`${words} words were counted as ${tokens} tokens`);
  }
  return {
    detail: `${tokens ?? `about ${words}`} prompt tokens, first token after ${
      Math.round(answer.firstMs ?? answer.ms)
    } ms`,
  };
}

// Two workers are asked for it before one can have it again. On a busy machine what workers
// publish about their caches reaches the router late.
const PREFIX_ROUNDS = 10;
const PUBLISHED_MS = 300;

async function checkPrefix(world: CheckWorld): Promise<Found> {
  if (world.traits.kvRouter === false) return skip("the router does not look at KV caches");
  const counted = async () =>
    sumOf(
      await metrics(world.ctx, world.endpoint) ?? { samples: [], types: new Map() },
      "dynamo_frontend_cached_tokens_sum",
    );
  const before = await counted();
  // New for each run: what an earlier one left in the caches must not count.
  const prefix = longText(LONG_WORDS / 2, crypto.randomUUID());
  const cached: (number | undefined)[] = [];
  for (let round = 0; round < PREFIX_ROUNDS && !cached.slice(1).some(Boolean); round++) {
    const answer = await world.chat({ messages: `${prefix} Question ${round}?`, stream: true });
    cached.push(answer.usage?.cachedTokens);
    // Where nothing is counted three times tell as much as ten.
    if (round === 2 && cached.every((tokens) => tokens === undefined)) break;
    // Workers publish what they keep a moment later.
    await world.ctx.clock.sleep(PUBLISHED_MS, world.ctx.signal);
  }
  const after = await counted();
  const hits = Math.max(...cached.slice(1).map((tokens) => tokens ?? 0));
  const more = (after ?? 0) - (before ?? 0);
  if (hits > 0) return { detail: `${hits} tokens of a repeated prefix came from the cache` };
  if (more > 0) return { detail: `${more} tokens came from the cache, by the frontend's metrics` };
  if (cached.every((tokens) => tokens === undefined) && after === undefined) {
    return skip("this release reports no tokens from the cache");
  }
  if (world.traits.kvRouter === undefined) return skip("no token came from a cache");
  throw failed(`no token of a prefix sent ${cached.length} times came from the cache`);
}

async function checkLora(world: CheckWorld): Promise<Found> {
  const { adapters, meaningless } = world.traits;
  if (adapters === undefined || adapters.length === 0) return skip("no adapter is served");
  if (meaningless !== undefined) return skip(meaningless);
  const listed = (await world.listModels()).map((model) => model.id);
  const missing = adapters.filter((name) => !listed.includes(name));
  if (missing.length > 0) {
    throw failed(`${missing.join(", ")} is not listed; there is ${listed.join(", ")}`);
  }
  for (const model of adapters) await world.chat({ model });
  return { detail: `${adapters.join(", ")} answered` };
}

// A red square of 32 by 32 points.
const PICTURE =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAIAAAD8GO2jAAAAJ0lEQVR42u3NsQkAAAjAsP7/tF7hIASyp6lTCQQCgUAgEAgEgi/BAjLD/C5w/SM9AAAAAElFTkSuQmCC";

const IMAGE_REQUEST = {
  messages: [{
    role: "user",
    content: [
      { type: "text", text: "Which colour is this?" },
      { type: "image_url", image_url: { url: PICTURE } },
    ],
  }],
} as const;

async function checkImage(world: CheckWorld): Promise<Found> {
  const { meaningless, multimodal } = world.traits;
  if (multimodal === false) return skip("the graph serves no multimodal model");
  if (meaningless !== undefined) return skip(meaningless);
  const answer = await tryOut(world, IMAGE_REQUEST, multimodal === undefined);
  return "skipped" in answer ? answer : { detail: excerpt(answer.text) };
}

/** A refusal says that the server cannot do it; what it claims to do, it has to do. */
async function tryOut(
  world: CheckWorld,
  options: Partial<ChatOptions>,
  mayRefuse = true,
): Promise<Completion | { readonly skipped: string }> {
  try {
    return await world.chat(options);
  } catch (error) {
    const refused = error instanceof TaskError && error.exitCode === EXIT.failed &&
      /answered (400|404|415|422|501)\b/.test(messageOf(error));
    if (!mayRefuse || !refused) throw error;
    return { skipped: `the server refuses it: ${messageOf(error)}` };
  }
}
