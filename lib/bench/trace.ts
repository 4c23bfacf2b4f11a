/**
 * A recorded load, to be sent again: when each request came, and how long it was. Mooncake's form
 * (JSON lines of `timestamp`, `input_length`, `output_length`, `hash_ids`), with or without its
 * block ids, or with the prompts themselves.
 *
 * @module
 */
import { type TaskError, usageError } from "../cli/errors.ts";
import { conversationOf, itemsOf } from "./dataset.ts";
import { syntheticPrompts } from "./prompts.ts";
import type { Message, SyntheticWorkload, WordCounts, Workload } from "./workload.ts";

/** A request of a trace. */
export interface TraceRequest {
  /** Milliseconds since the first one. */
  readonly atMs: number;
  /** Tokens of the prompt; NaN where the trace has its text and no number. */
  readonly inputTokens: number;
  /** Tokens of the answer. */
  readonly outputTokens: number;
  /** Blocks of the prompt, of {@link BLOCK_TOKENS} each, numbered from 0; equal ones are equal text. */
  readonly blocks: readonly number[];
  /** The prompt itself; undefined where only its length is known. */
  readonly messages: readonly Message[] | undefined;
  /** Tokens of the leading blocks that an earlier request had as well. */
  readonly sharedTokens: number;
}

/** A trace. */
export interface Trace {
  /** Where it came from. */
  readonly path: string;
  /** Its requests, in the order of their time. */
  readonly requests: readonly TraceRequest[];
}

/** Tokens of a block with a `hash_id`, as Mooncake's traces have them. */
export const BLOCK_TOKENS = 512;
const HINT = 'One JSON object a line: {"timestamp":1200,"input_length":900,"output_length":50,' +
  '"hash_ids":[3,7]}, times in milliseconds; "messages" or "prompt" in place of lengths';
const MOST_TOKENS = 4_000_000;

/**
 * Reads a trace. Lines may be in any order; the first request comes at once.
 *
 * @param path for messages.
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) naming the file and the line.
 */
export function parseTrace(text: string, path: string): Trace {
  const rows = itemsOf(text, path).map(([item, where]) => rowOf(item, where));
  if (rows.length === 0) throw usageError("BENCH_OPTIONS", `${path} holds no request`, HINT);
  rows.sort((a, b) => a.at - b.at);
  const numbers = new Map<unknown, number>(), seen = new Set<number>();
  const requests = rows.map((row): TraceRequest => {
    const blocks = row.ids.map((id) => {
      if (!numbers.has(id)) numbers.set(id, numbers.size);
      return numbers.get(id)!;
    });
    const fresh = blocks.findIndex((block) => !seen.has(block));
    for (const block of blocks) seen.add(block);
    const shared = fresh < 0 ? blocks.length : fresh;
    return {
      atMs: row.at - rows[0]!.at,
      inputTokens: row.input,
      outputTokens: row.output,
      blocks,
      messages: row.messages,
      sharedTokens: Math.min(shared * BLOCK_TOKENS, row.input),
    };
  });
  return { path, requests };
}

interface Row {
  readonly at: number;
  readonly input: number;
  readonly output: number;
  readonly ids: readonly unknown[];
  readonly messages: readonly Message[] | undefined;
}

function rowOf(item: Record<string, unknown>, where: string): Row {
  const refuse = (field: string, value: unknown): TaskError =>
    usageError("BENCH_OPTIONS", `${where} has the ${field} ${JSON.stringify(value)}`, HINT);
  const { timestamp: at, hash_ids: ids = [] } = item;
  if (typeof at !== "number" || !Number.isFinite(at) || at < 0) throw refuse("timestamp", at);
  if (!Array.isArray(ids)) throw refuse("hash_ids", ids);
  const count = (field: string, value: unknown) => {
    if (typeof value === "number" && value >= 0 && value <= MOST_TOKENS) {
      return Math.max(1, Math.round(value));
    }
    throw refuse(field, value);
  };
  const spoken = item.prompt !== undefined || item.messages !== undefined ||
    item.conversations !== undefined;
  const input = item.input_length ?? item.input_tokens;
  const conversation = spoken ? conversationOf(item, where) : undefined;
  return {
    at,
    ids,
    input: spoken && input === undefined ? NaN : count("input_length", input),
    output: conversation?.outputTokens ??
      count("output_length", item.output_length ?? item.output_tokens),
    messages: conversation?.messages,
  };
}

/** Milliseconds from the first request to the last. */
export function traceMs(trace: Trace): number {
  return trace.requests.at(-1)!.atMs;
}

// Numbers of prompts for blocks, away from those of requests.
const BLOCKS = 7 << 27;

/** The trace's requests; equal blocks are equal texts, so that caches find in them what they found. */
export function traceWorkload(
  trace: Trace,
  { seed, vocabulary }: Pick<SyntheticWorkload, "seed" | "vocabulary">,
  words: WordCounts,
): Workload {
  const prompts = syntheticPrompts(seed, vocabulary);
  const blockWords = words.ofPart(BLOCK_TOKENS);
  return (index) => {
    const request = trace.requests[index % trace.requests.length]!;
    const { inputTokens, outputTokens, sharedTokens } = request;
    if (request.messages !== undefined) {
      return { messages: request.messages, inputTokens, outputTokens, sharedTokens };
    }
    const texts: string[] = [];
    let left = words.ofPrompt(inputTokens);
    for (const block of request.blocks) {
      if (left <= 0) break;
      texts.push(prompts(BLOCKS + block, Math.min(left, blockWords)));
      left -= blockWords;
    }
    if (left > 0) texts.push(prompts(index, left));
    return {
      messages: [{ role: "user", text: texts.join(" ") }],
      inputTokens,
      outputTokens,
      sharedTokens,
    };
  };
}
