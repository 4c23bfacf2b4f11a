/**
 * Conversations from a file: ShareGPT's form, OpenAI's messages, or plain prompts, as JSON lines or
 * one JSON list.
 *
 * @module
 */
import { messageOf, type TaskError, usageError } from "../cli/errors.ts";
import { drawLength, type Lengths } from "./lengths.ts";
import { seededRandom } from "./random.ts";
import type { Message, Workload } from "./workload.ts";

/** One conversation. */
export interface Conversation {
  /** What was said; the first who speaks is the user, or a system message before him. */
  readonly messages: readonly Message[];
  /** Tokens of an answer, where the file says. */
  readonly outputTokens: number | undefined;
}

/** A file of conversations. */
export interface Dataset {
  /** Where it came from. */
  readonly path: string;
  /** Its conversations, each with a message of the user. */
  readonly conversations: readonly Conversation[];
}

const HINT = 'One JSON object a line: {"conversations":[{"from":"human","value":"…"},…]}, ' +
  '{"messages":[{"role":"user","content":"…"},…]}, or {"prompt":"…","output_tokens":64}';

/**
 * Reads a file of conversations. Those without a user's message are left out.
 *
 * @param path for messages.
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) naming the file and the line.
 */
export function parseDataset(text: string, path: string): Dataset {
  const conversations = itemsOf(text, path).map(([item, where]) => conversationOf(item, where))
    .filter(({ messages }) => messages.some((message) => message.role === "user"));
  if (conversations.length > 0) return { path, conversations };
  throw usageError("BENCH_OPTIONS", `${path} holds no conversation`, HINT);
}

/** The objects of JSON lines, or of one list, each with its place for messages. */
export function itemsOf(text: string, path: string): [Record<string, unknown>, string][] {
  const lines = text.trimStart().startsWith("[")
    ? listOf(text, path)
    : text.split("\n").map((line, i): [unknown, string] => {
      const where = `${path}, line ${i + 1}`;
      return [line.trim() === "" ? undefined : parse(line, where), where];
    });
  return lines.filter(([item]) => item !== undefined).map(([item, where]) => {
    if (typeof item === "object" && item !== null && !Array.isArray(item)) {
      return [item as Record<string, unknown>, where];
    }
    throw usageError("BENCH_OPTIONS", `${where} is no JSON object`);
  });
}

function listOf(text: string, path: string): [unknown, string][] {
  return (parse(text, path) as unknown[]).map((item, i) => [item, `${path}, item ${i + 1}`]);
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw usageError("BENCH_OPTIONS", `${where} is not JSON: ${messageOf(error)}`);
  }
}

/** One conversation, of any of the forms. */
export function conversationOf(item: Record<string, unknown>, where: string): Conversation {
  const { conversations, messages, prompt } = item;
  const said = typeof prompt === "string"
    ? [{ role: "user", content: prompt }]
    : Array.isArray(messages)
    ? messages
    : Array.isArray(conversations)
    ? conversations
    : undefined;
  if (said === undefined) throw datasetError(`${where} has no conversations, messages or prompt`);
  const all = said.map((message) => messageFrom(message, where));
  // Some of ShareGPT's begin with an answer whose question is lost.
  const first = all.findIndex((message) => message.role !== "assistant");
  return {
    messages: first < 0 ? [] : all.slice(first),
    outputTokens: tokensOf(item.output_tokens ?? item.output_length ?? item.max_tokens, where),
  };
}

const ROLES: Readonly<Record<string, Message["role"]>> = {
  human: "user",
  user: "user",
  gpt: "assistant",
  chatgpt: "assistant",
  assistant: "assistant",
  system: "system",
};

function messageFrom(value: unknown, where: string): Message {
  const { role, from, content, value: said } = (value ?? {}) as Record<string, unknown>;
  const known = Object.hasOwn(ROLES, String(role ?? from))
    ? ROLES[String(role ?? from)]
    : undefined;
  const text = content ?? said;
  if (known === undefined || typeof text !== "string") {
    throw datasetError(`${where} has a message without a known role, or without a text`);
  }
  return { role: known, text: escaped(text) };
}

function tokensOf(value: unknown, where: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return Math.max(1, value);
  throw datasetError(`${where} has ${JSON.stringify(value)} tokens of output`);
}

function datasetError(message: string): TaskError {
  return usageError("BENCH_OPTIONS", message, HINT);
}

/** A text as the content of a JSON string in ASCII. */
export function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** How conversations are turned into requests. */
export interface DatasetOptions {
  /** Seed of their order and of the lengths of answers. */
  readonly seed: number;
  /** Tokens of answers where the file does not say. */
  readonly output: Lengths;
  /** Most turns of a conversation; 1 asks the first question only. */
  readonly turns: number;
  /** Conversations that are going on at a time. */
  readonly sessions: number;
}

const ORDER_STREAM = 3;
const LENGTHS_STREAM = 4;

/** The conversations in an order of the seed's, from the start again when all were asked. */
export function datasetWorkload(dataset: Dataset, options: DatasetOptions): Workload {
  const requests = requestsOf(dataset, options);
  return (index) => requests[index % requests.length]!;
}

function requestsOf(dataset: Dataset, options: DatasetOptions): ReturnType<Workload>[] {
  const random = seededRandom(options.seed, LENGTHS_STREAM);
  const order = shuffled(dataset.conversations, options.seed);
  const requests: ReturnType<Workload>[] = [];
  for (let at = 0; at < order.length; at += options.sessions) {
    const group = order.slice(at, at + options.sessions).map((one) => ({
      ...one,
      ends: one.messages.flatMap(({ role }, i) => role === "user" ? [i + 1] : [])
        .slice(0, options.turns),
    }));
    // All of a group have their first turn, then those that have one their second.
    for (let turn = 0; turn < Math.max(...group.map(({ ends }) => ends.length)); turn++) {
      for (const { messages, ends, outputTokens } of group) {
        const end = ends[turn];
        if (end === undefined) continue;
        requests.push({
          messages: messages.slice(0, end),
          inputTokens: NaN,
          outputTokens: outputTokens ?? drawLength(options.output, random),
          sharedTokens: NaN,
        });
      }
    }
  }
  return requests;
}

// Fisher and Yates.
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const random = seededRandom(seed, ORDER_STREAM);
  const order = [...items];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
