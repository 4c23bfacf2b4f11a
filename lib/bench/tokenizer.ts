/**
 * Exact lengths of prompts, from a model's own tokenizer (Hugging Face's `tokenizer.json`): its
 * words of one token each. A prompt of so many of them has so many tokens, so that nothing has to
 * be tokenized while a benchmark runs.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Context } from "../cli/context.ts";
import { messageOf, usageError } from "../cli/errors.ts";
import { seededRandom } from "./random.ts";
import { WORDS } from "./words.ts";

/** Words of one token each: plain data. */
export interface TokenWords {
  /** File they come from. */
  readonly path: string;
  /** SHA-256 of the file, in hexadecimal digits. */
  readonly sha256: string;
  /** The words: lower case, ASCII. */
  readonly words: readonly string[];
}

/** Part of a tokenizer that is used here. */
export interface Tokenizing {
  /** Tokens of a text, without those that mark its begin or end. */
  readonly count: (text: string) => number;
  /** All tokens as the file writes them. */
  readonly vocabulary: () => Iterable<string>;
}

// So many words differ enough for caches of prefixes; a model's vocabulary has all of ours.
const ENOUGH = 256;
const FEWEST = 32;
const MOST = 4096;
// Length of the text on which it is tried whether tokens of words add up.
const TRIED_WORDS = 2048;

/**
 * Reads a tokenizer, or the `tokenizer.json` in a folder.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) when the file is none, or when its tokens do not
 * follow words, so that lengths could not be exact.
 */
export async function readTokenizer(
  ctx: Pick<Context, "fs">,
  path: string,
): Promise<TokenWords> {
  const refuse = (why: string) =>
    usageError(
      "BENCH_OPTIONS",
      `Cannot use --tokenizer ${path}: ${why}`,
      "It takes the tokenizer.json of the model, as Hugging Face has it; without it the server's " +
        "own count of prompt tokens is used.",
    );
  let bytes: Uint8Array, file = path;
  try {
    if ((await ctx.fs.stat(path)).isDirectory) file = `${path.replace(/\/+$/, "")}/tokenizer.json`;
    bytes = await ctx.fs.readFile(file);
  } catch (error) {
    throw refuse(messageOf(error));
  }
  let tokenizing: Tokenizing;
  try {
    tokenizing = await parseTokenizer(new TextDecoder().decode(bytes));
  } catch (error) {
    throw refuse(`it is no tokenizer.json (${messageOf(error)})`);
  }
  const words = singleTokenWords(tokenizing);
  if (words.length < FEWEST) {
    throw refuse(`it has ${words.length} words of one token, and ${FEWEST} are needed`);
  }
  if (!tokensAddUp(tokenizing, words)) throw refuse("its tokens reach over the ends of words");
  return { path: file, sha256: createHash("sha256").update(bytes).digest("hex"), words };
}

/**
 * A tokenizer from the text of its file. The library is loaded here, when it is needed.
 *
 * @throws what the library throws for a text that is none.
 */
export async function parseTokenizer(text: string): Promise<Tokenizing> {
  const { Tokenizer } = await import("@huggingface/tokenizers");
  const tokenizer = new Tokenizer(JSON.parse(text), {});
  return {
    count: (what) => tokenizer.encode(what, { add_special_tokens: false }).ids.length,
    vocabulary: () => tokenizer.get_vocab(false).keys(),
  };
}

/** Words that are one token each, at the begin of a text as well as within one. */
export function singleTokenWords({ count, vocabulary }: Tokenizing): string[] {
  const before = "the";
  const tokensBefore = count(before);
  const single = (word: string) =>
    count(word) === 1 && count(`${before} ${word}`) === tokensBefore + 1;
  const words = new Set(WORDS.filter(single));
  if (words.size >= ENOUGH) return [...words];
  for (const token of vocabulary()) {
    if (words.size >= MOST) break;
    // Ġ and ▁ stand for the blank before a word.
    const word = /^[Ġ▁]([a-z]{2,16})$/.exec(token)?.[1];
    if (word !== undefined && !words.has(word) && single(word)) words.add(word);
  }
  return [...words];
}

function tokensAddUp({ count }: Tokenizing, words: readonly string[]): boolean {
  const random = seededRandom(1, 0);
  const text = Array.from(
    { length: TRIED_WORDS },
    () => words[Math.floor(random() * words.length)]!,
  );
  return count(text.join(" ")) === TRIED_WORDS;
}
