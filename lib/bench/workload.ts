/**
 * What is asked, request by request: prompts, their history, and the lengths of answers.
 * Everything follows from the seed and a request's number, so the same seed sends the same bytes.
 *
 * @module
 */
import { drawLength, type Lengths, meanTokens } from "./lengths.ts";
import { type PromptSource, syntheticPrompts } from "./prompts.ts";
import { type Random, seededRandom } from "./random.ts";

/** One message of a request. */
export interface Message {
  /** Who says it. */
  readonly role: "system" | "user" | "assistant";
  /** What, as the content of a JSON string in ASCII: as many bytes as characters. */
  readonly text: string;
}

/** One request. */
export interface Plan {
  /** The messages, the last of them the user's; plain completions get their texts in a row. */
  readonly messages: readonly Message[];
  /** Tokens of the prompt; NaN where only the server can count them. */
  readonly inputTokens: number;
  /** Tokens of the answer. */
  readonly outputTokens: number;
  /** Tokens at the begin of the prompt that an earlier request had as well: what a cache can save. */
  readonly sharedTokens: number;
  /** Number of the shared beginning that no earlier request had; undefined when there is none. */
  readonly freshPrefix?: number | undefined;
}

/** Makes request number `index`. Requests are asked for once each, in the order of their numbers. */
export type Workload = (index: number) => Plan;

/** How many words make a prompt of so many tokens. */
export interface WordCounts {
  /** Words of a whole prompt; the template's tokens are not for words. */
  readonly ofPrompt: (tokens: number) => number;
  /** Words of a part of a prompt, without a template. */
  readonly ofPart: (tokens: number) => number;
}

/** How words become tokens, as far as it is known; plain data. */
export type WordRule =
  /** A word is taken for a token. */
  | { readonly kind: "plain" }
  /** A word is a token, and the server's template adds some. */
  | { readonly kind: "exact"; readonly template: number }
  /** As measured: a prompt of one word has `small` tokens; what was tried is exact. */
  | {
    readonly kind: "measured";
    readonly small: number;
    readonly perWord: number;
    readonly tried: { readonly tokens: number; readonly words: number };
  };

/** The numbers of words that follow from a rule. */
export function wordCounts(rule: WordRule): WordCounts {
  if (rule.kind === "plain") return { ofPrompt: (tokens) => tokens, ofPart: (tokens) => tokens };
  if (rule.kind === "exact") {
    return {
      ofPrompt: (tokens) => Math.max(1, tokens - rule.template),
      ofPart: (tokens) => Math.max(1, tokens),
    };
  }
  const { small, perWord, tried } = rule;
  return {
    ofPrompt: (tokens) =>
      tokens === tried.tokens
        ? tried.words
        : Math.max(1, Math.round(1 + (tokens - small) / perWord)),
    ofPart: (tokens) => Math.max(1, Math.round(tokens / perWord)),
  };
}

/** What a synthetic workload is made of. */
export interface SyntheticWorkload {
  /** Seed of everything. */
  readonly seed: number;
  /** Tokens of a prompt, or of a turn's part of it. */
  readonly input: Lengths;
  /** Tokens of an answer. */
  readonly output: Lengths;
  /** Tokens at the begin of each prompt that requests share; 0 for none. */
  readonly prefixTokens: number;
  /** Number of different shared beginnings. */
  readonly prefixPool: number;
  /** Turns of a session. */
  readonly turns: number;
  /** Sessions that are going on at a time. */
  readonly sessions: number;
  /** Words of prompts; ours unless given. */
  readonly vocabulary?: readonly string[] | undefined;
}

const LENGTHS_STREAM = 0;
const PREFIX_STREAM = 1;
// Numbers of prompts for purposes of their own, away from those of requests.
const PREFIXES = 3 << 28;
const ANSWERS = 1 << 30;

/** All requests alike: one prompt of so many words. */
export function fixedWorkload(
  prompts: PromptSource,
  lengths: { readonly words: number; readonly outputTokens: number },
): Workload {
  return (index) => ({
    messages: [{ role: "user", text: prompts(index, lengths.words) }],
    inputTokens: NaN,
    outputTokens: lengths.outputTokens,
    sharedTokens: 0,
  });
}

/** Prompts of random words, with shared beginnings and turns where asked for. */
export function syntheticWorkload(options: SyntheticWorkload, words: WordCounts): Workload {
  const prompts = syntheticPrompts(options.seed, options.vocabulary);
  return options.turns > 1
    ? sessionWorkload(options, prompts, words)
    : singleWorkload(options, prompts, words);
}

function singleWorkload(
  options: SyntheticWorkload,
  prompts: PromptSource,
  words: WordCounts,
): Workload {
  const prefix = prefixes(options, prompts, words);
  return (index) => {
    const random = requestRandom(options.seed, index, LENGTHS_STREAM);
    const drawn = drawLength(options.input, random);
    const outputTokens = drawLength(options.output, random);
    const begin = prefix(index);
    const inputTokens = Math.max(begin.tokens + 1, drawn);
    const own = Math.max(1, words.ofPrompt(inputTokens) - begin.words);
    return {
      messages: [{ role: "user", text: begin.text + prompts(index, own) }],
      inputTokens,
      outputTokens,
      sharedTokens: begin.sharedTokens,
      freshPrefix: begin.fresh,
    };
  };
}

/** A shared beginning. */
interface Prefix {
  readonly text: string;
  readonly words: number;
  readonly tokens: number;
  /** Tokens that an earlier request had. */
  readonly sharedTokens: number;
  /** Its number in the pool, the first time. */
  readonly fresh: number | undefined;
}

function prefixes(
  options: SyntheticWorkload,
  prompts: PromptSource,
  words: WordCounts,
): (number: number) => Prefix {
  const { prefixTokens: tokens, prefixPool, seed } = options;
  const count = tokens === 0 ? 0 : words.ofPart(tokens);
  const texts = new Map<number, string>();
  return (number) => {
    if (tokens === 0) {
      return { text: "", words: 0, tokens: 0, sharedTokens: 0, fresh: undefined };
    }
    const pick = Math.floor(requestRandom(seed, number, PREFIX_STREAM)() * prefixPool);
    const known = texts.get(pick);
    const text = known ?? `${prompts(PREFIXES + pick, count)} `;
    if (known === undefined) texts.set(pick, text);
    return known === undefined
      ? { text, words: count, tokens, sharedTokens: 0, fresh: pick }
      : { text, words: count, tokens, sharedTokens: tokens, fresh: undefined };
  };
}

// Sessions go round: all of a group have their first turn, then all their second one. The answers
// in their history are made up: with the server's own no two runs would send the same.
function sessionWorkload(
  options: SyntheticWorkload,
  prompts: PromptSource,
  words: WordCounts,
): Workload {
  const { seed, turns, sessions } = options;
  const prefix = prefixes(options, prompts, words);
  return (index) => {
    const { session, turn } = placeOf(index, turns, sessions);
    const random = requestRandom(seed, session, LENGTHS_STREAM);
    const begin = prefix(session);
    const messages: Message[] = [];
    let inputTokens = 0, outputTokens = 0, sharedTokens = begin.sharedTokens;
    for (let t = 0; t <= turn; t++) {
      const number = session * turns + t;
      const drawn = drawLength(options.input, random);
      if (t === 0) {
        inputTokens = Math.max(begin.tokens + 1, drawn);
        const own = Math.max(1, words.ofPrompt(inputTokens) - begin.words);
        messages.push({ role: "user", text: begin.text + prompts(number, own) });
      } else {
        // The server's cache holds its own answer, which is not this one.
        sharedTokens = inputTokens;
        inputTokens += outputTokens + drawn;
        messages.push(
          { role: "assistant", text: prompts(ANSWERS + number - 1, words.ofPart(outputTokens)) },
          { role: "user", text: prompts(number, words.ofPart(drawn)) },
        );
      }
      outputTokens = drawLength(options.output, random);
    }
    const freshPrefix = turn === 0 ? begin.fresh : undefined;
    return { messages, inputTokens, outputTokens, sharedTokens, freshPrefix };
  };
}

/** Which turn of which session a request is. */
export function placeOf(
  index: number,
  turns: number,
  sessions: number,
): { readonly session: number; readonly turn: number } {
  const group = Math.floor(index / (turns * sessions));
  const within = index % (turns * sessions);
  return { session: group * sessions + within % sessions, turn: Math.floor(within / sessions) };
}

function requestRandom(seed: number, index: number, stream: number): Random {
  // Below zero there are no other streams.
  return seededRandom(seed, -1 - 2 * index - stream);
}

/** Requests of the mean lengths that share nothing, for the time before the clock starts. */
export function warmupWorkload(options: SyntheticWorkload, words: WordCounts): Workload {
  const prompts = syntheticPrompts(options.seed, options.vocabulary);
  return fixedWorkload(prompts, {
    words: words.ofPrompt(meanTokens(options.input)),
    outputTokens: meanTokens(options.output),
  });
}

/** Sums over the requests that were made. */
export interface Planned {
  /** Requests. */
  requests: number;
  /** Tokens of their prompts; NaN where only the server can count them. */
  inputTokens: number;
  /** Tokens of their answers. */
  outputTokens: number;
  /** Tokens that a cache of all earlier prompts could save. */
  sharedTokens: number;
  /** Numbers of the shared beginnings that were used. */
  readonly prefixes: Set<number>;
}

/** The sums over no requests. */
export function nothingPlanned(): Planned {
  return { requests: 0, inputTokens: 0, outputTokens: 0, sharedTokens: 0, prefixes: new Set() };
}

/** Adds the sums over other requests of the same run; a beginning is new only once. */
export function addPlanned(sum: Planned, other: Planned, prefixTokens: number): void {
  sum.requests += other.requests;
  sum.inputTokens += other.inputTokens;
  sum.outputTokens += other.outputTokens;
  sum.sharedTokens += other.sharedTokens;
  for (const prefix of other.prefixes) {
    if (sum.prefixes.has(prefix)) sum.sharedTokens += prefixTokens;
    sum.prefixes.add(prefix);
  }
}

/** A workload that counts what it makes, below the number where the warm-up begins. */
export function counted(
  workload: Workload,
  warmup: Workload,
  firstWarmup: number,
): { readonly workload: Workload; readonly planned: Planned } {
  const planned = nothingPlanned();
  return {
    planned,
    workload: (index) => {
      if (index >= firstWarmup) return warmup(index);
      const plan = workload(index);
      planned.requests++;
      planned.inputTokens += plan.inputTokens;
      planned.outputTokens += plan.outputTokens;
      planned.sharedTokens += plan.sharedTokens;
      if (plan.freshPrefix !== undefined) planned.prefixes.add(plan.freshPrefix);
      return plan;
    },
  };
}
