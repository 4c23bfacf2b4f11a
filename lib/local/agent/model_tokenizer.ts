/**
 * The simulated model's tokenizer: byte-level BPE in the form of Hugging Face's `tokenizer.json`.
 *
 * The merges are chains: every word of a fixed list is reached letter by letter, so that it
 * becomes one token with its leading blank. Anything else falls back to bytes, so every text
 * survives the round trip.
 *
 * @module
 */
import { modelWords } from "./model_words.ts";

/** Ids of the special tokens. */
export const SPECIAL_TOKENS = {
  "<|endoftext|>": 256,
  "<|im_start|>": 257,
  "<|im_end|>": 258,
} as const;

/**
 * The mocker answers with ids drawn evenly from this range (observed: 1000 to 4999 in 0.4.1,
 * 1000 to 1999 in 1.6.1), so each of them is a whole word and answers can be read.
 */
export const ANSWER_TOKENS: { readonly first: number; readonly count: number } = {
  first: 1000,
  count: 4000,
};

/** A vocabulary with its merges. */
export interface Bpe {
  /** Token → id; ids run from 0 without a gap. */
  readonly vocab: Record<string, number>;
  /** Pairs in the order in which they are merged. */
  readonly merges: readonly string[];
}

/**
 * The visible character for each byte: printable ones stand for themselves, the rest
 * is moved to U+0100 and up (the byte alphabet introduced with GPT-2).
 */
export function byteAlphabet(): string[] {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let moved = 0x100;
  return Array.from(
    { length: 256 },
    (_, byte) => String.fromCodePoint(printable(byte) ? byte : moved++),
  );
}

/** The vocabulary and merges made of a word list; the same list gives the same result. */
export function buildBpe(words: readonly string[] = modelWords()): Bpe {
  const alphabet = byteAlphabet();
  const blank = alphabet[0x20]!;
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  // Chains that begin with a blank come first: they cannot take letters from one another.
  const chains = [
    ...words.map((word) => blank + word),
    ...words.map((word) => blank + capital(word)),
    ...words.map(capital),
    ...words,
    ...Array.from({ length: 10 }, (_, digit) => `${blank}${digit}`),
  ];
  const merges = new Set<string>();
  const tokens = new Set<string>();
  for (const chain of chains) {
    for (let end = 2; end <= chain.length; end++) {
      merges.add(`${chain.slice(0, end - 1)} ${chain.charAt(end - 1)}`);
      tokens.add(chain.slice(0, end));
    }
  }
  // Words with punctuation are never made from a text; they only fill the range of answers.
  const answers = ["", ",", "."].flatMap((mark) => words.map((word) => blank + word + mark));
  return { vocab: assignIds(alphabet, tokens, answers), merges: [...merges] };
}

function assignIds(
  alphabet: readonly string[],
  tokens: ReadonlySet<string>,
  answers: readonly string[],
): Record<string, number> {
  const vocab: Record<string, number> = {};
  alphabet.forEach((character, byte) => vocab[character] = byte);
  Object.assign(vocab, SPECIAL_TOKENS);
  const { first, count } = ANSWER_TOKENS;
  const chosen = answers.slice(0, count);
  chosen.forEach((token, i) => vocab[token] = first + i);
  let next = 259;
  for (const token of tokens) {
    if (vocab[token] !== undefined) continue;
    if (next === first) next = first + chosen.length;
    vocab[token] = next++;
  }
  return vocab;
}

/** The content of `tokenizer.json`. */
export function tokenizerJson(bpe: Bpe = buildBpe()): Record<string, unknown> {
  const byteLevel = {
    type: "ByteLevel",
    add_prefix_space: false,
    trim_offsets: false,
    use_regex: true,
  };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: Object.entries(SPECIAL_TOKENS).map(([content, id]) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: bpe.vocab,
      merges: bpe.merges,
    },
  };
}
