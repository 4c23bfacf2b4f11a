/**
 * A cache of prompt prefixes, as engines have one, in words.
 *
 * @module
 */

/** Remembers all prompts it has seen. */
export class PrefixCache {
  // Hashes of prefixes: 53 bits are enough to tell a test's prompts apart.
  readonly #seen = new Set<number>();

  /** Words at the prompt's begin that an earlier prompt had as well. */
  add(prompt: string): number {
    let hash = 0, cached = 0, known = true;
    for (const word of prompt.split(" ")) {
      for (let i = 0; i < word.length; i++) hash = (hash * 131 + word.charCodeAt(i)) % MODULUS;
      hash = (hash * 131 + 32) % MODULUS;
      known &&= this.#seen.has(hash);
      if (known) cached++;
      else this.#seen.add(hash);
    }
    return cached;
  }
}

// A prime whose product with 131 is still exact.
const MODULUS = 68_719_476_731;
