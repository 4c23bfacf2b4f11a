/**
 * Random numbers that a seed reproduces on every machine.
 *
 * @module
 */

/** Numbers in [0, 1), 32 bits each. */
export type Random = () => number;

/**
 * A generator for one purpose: the same `seed` and `stream` give the same numbers for ever,
 * and different streams of one seed are independent.
 *
 * The generator is Marsaglia's xorshift128 with a Weyl sequence added (as in his xorwow),
 * its state filled by a hash of seed and stream.
 */
export function seededRandom(seed: number, stream: number): Random {
  let hash = mix(seed >>> 0) ^ mix(Math.floor(seed / 2 ** 32) + 1) ^ mix(stream ^ 0x5bd1e995);
  const next = () => hash = mix(hash + 0x9e3779b9);
  let a = next(), b = next(), c = next(), d = next() | 1, weyl = next();
  return () => {
    let t = d;
    t ^= t >>> 2;
    t ^= t << 1;
    d = c, c = b, b = a;
    a = t ^ b ^ (b << 4);
    t = a;
    weyl = (weyl + 362437) | 0;
    return ((t + weyl) >>> 0) / 2 ** 32;
  };
}

// A bijection on 32 bits in which every input bit reaches every output bit.
function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}
