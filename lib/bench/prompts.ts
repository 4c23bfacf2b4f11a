/**
 * Synthetic prompts of a given number of words. Prompts of one seed differ from each other in
 * their first words, so that no cache of prefixes helps, and are the same in every run.
 *
 * @module
 */
import { seededRandom } from "./random.ts";
import { WORDS } from "./words.ts";

/** Makes prompt number `index` with so many words. */
export type PromptSource = (index: number, words: number) => string;

// The rest of a prompt is cut out of one long random text: a copy, whatever its length.
const RING_WORDS = 1 << 13;
const HEAD_WORDS = 8;
const RING_STREAM = 2;
const FIRST_PROMPT_STREAM = 1 << 8;

/** The prompts of a seed, out of `vocabulary`. */
export function syntheticPrompts(
  seed: number,
  vocabulary: readonly string[] = WORDS,
): PromptSource {
  const random = seededRandom(seed, RING_STREAM);
  const pick = (from: () => number) => vocabulary[Math.floor(from() * vocabulary.length)]!;
  const starts = new Uint32Array(RING_WORDS + 1);
  let ring = "";
  for (let i = 0; i < RING_WORDS; i++) {
    starts[i] = ring.length;
    ring += ` ${pick(random)}`;
  }
  starts[RING_WORDS] = ring.length;
  return (index, words) => {
    const own = seededRandom(seed, FIRST_PROMPT_STREAM + index);
    let text = "";
    for (let i = 0; i < Math.min(words, HEAD_WORDS); i++) text += ` ${pick(own)}`;
    let left = words - HEAD_WORDS;
    let at = Math.floor(own() * RING_WORDS);
    while (left > 0) {
      const count = Math.min(left, RING_WORDS - at);
      text += ring.slice(starts[at], starts[at + count]);
      left -= count;
      at = 0;
    }
    return text.slice(1);
  };
}
