/**
 * Collected values and their percentiles, in memory that does not grow with the run.
 *
 * @module
 */

/** What is reported of a set of values, in the values' unit. */
export interface Distribution {
  /** Number of values. */
  readonly count: number;
  /** Smallest. */
  readonly min: number;
  /** Arithmetic mean. */
  readonly mean: number;
  /** Median. */
  readonly p50: number;
  /** 90th percentile. */
  readonly p90: number;
  /** 95th percentile. */
  readonly p95: number;
  /** 99th percentile. */
  readonly p99: number;
  /** Largest. */
  readonly max: number;
}

/** Values kept exactly; beyond that they go into the histogram. */
const EXACT = 1 << 17;

// Buckets are cut by the bits of the float: 1024 to each doubling, so a bucket's middle is
// within 0.05 % of every value in it. They cover 2^-20 to 2^31; what is less counts as zero.
const SHIFT = 10;
const LOW = ((1023 - 20) << 20) >>> SHIFT;
const HIGH = ((1023 + 31) << 20) >>> SHIFT;
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const HIGH_WORD = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** What {@link Samples} holds, as plain data for another thread. */
export interface SamplesData {
  /** The values; undefined when there are buckets. */
  readonly values: Float64Array | undefined;
  /** Counts of the buckets. */
  readonly buckets: Float64Array | undefined;
  /** Number of values. */
  readonly count: number;
  /** Their sum. */
  readonly sum: number;
  /** The smallest. */
  readonly min: number;
  /** The largest. */
  readonly max: number;
}

/** Collects values that are not negative. Exact up to 131,072 of them, then within 0.05 %. */
export class Samples {
  #values = new Float64Array(64);
  #length = 0;
  #buckets: Float64Array | undefined;
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;

  /** Number of values. */
  get count(): number {
    return this.#count;
  }

  /** Sum of the values. */
  get sum(): number {
    return this.#sum;
  }

  /** Whether percentiles are exact. */
  get exact(): boolean {
    return this.#buckets === undefined;
  }

  /** Adds a value; anything that is not a finite number is a defect of the caller and ignored. */
  add(value: number): void {
    if (!Number.isFinite(value)) return;
    const kept = value < 0 ? 0 : value;
    this.#count++;
    this.#sum += kept;
    if (kept < this.#min) this.#min = kept;
    if (kept > this.#max) this.#max = kept;
    if (this.#buckets !== undefined) {
      this.#buckets[bucketOf(kept)]!++;
      return;
    }
    if (this.#length === this.#values.length) this.#grow();
    this.#values[this.#length++] = kept;
    if (this.#length === EXACT) this.#fold();
  }

  /** All that was collected. */
  data(): SamplesData {
    return {
      values: this.#buckets === undefined ? this.#values.slice(0, this.#length) : undefined,
      buckets: this.#buckets,
      count: this.#count,
      sum: this.#sum,
      min: this.#min,
      max: this.#max,
    };
  }

  /** Adds what another one collected: percentiles are those of all the values in one. */
  addAll(data: SamplesData): void {
    if (data.values !== undefined) {
      for (const value of data.values) this.add(value);
      return;
    }
    if (this.#buckets === undefined) this.#fold();
    for (let i = 0; i < this.#buckets!.length; i++) this.#buckets![i]! += data.buckets![i]!;
    this.#count += data.count;
    this.#sum += data.sum;
    this.#min = Math.min(this.#min, data.min);
    this.#max = Math.max(this.#max, data.max);
  }

  /**
   * The `p`-th percentile (0 to 100) with linear interpolation between neighbours, which is
   * numpy's default; undefined when there are no values.
   */
  percentile(p: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = (p / 100) * (this.#count - 1);
    const below = Math.floor(rank);
    const low = this.#at(below);
    return below === rank ? low : low + (this.#at(below + 1) - low) * (rank - below);
  }

  /** The usual figures; undefined when there are no values. */
  distribution(): Distribution | undefined {
    if (this.#count === 0) return undefined;
    const at = (p: number) => this.percentile(p)!;
    return {
      count: this.#count,
      min: this.#min,
      mean: this.#sum / this.#count,
      p50: at(50),
      p90: at(90),
      p95: at(95),
      p99: at(99),
      max: this.#max,
    };
  }

  // The value of this rank, from 0.
  #at(rank: number): number {
    if (rank <= 0) return this.#min;
    if (rank >= this.#count - 1) return this.#max;
    if (this.#buckets === undefined) return this.#sorted()[rank]!;
    let seen = 0;
    for (let i = 0; i < this.#buckets.length; i++) {
      seen += this.#buckets[i]!;
      if (seen > rank) return Math.min(this.#max, Math.max(this.#min, middleOf(i)));
    }
    return this.#max;
  }

  #sortedLength = 0;

  #sorted(): Float64Array {
    if (this.#sortedLength !== this.#length) {
      this.#values.subarray(0, this.#length).sort();
      this.#sortedLength = this.#length;
    }
    return this.#values;
  }

  #grow(): void {
    const grown = new Float64Array(2 * this.#values.length);
    grown.set(this.#values);
    this.#values = grown;
  }

  #fold(): void {
    this.#buckets = new Float64Array(HIGH - LOW + 1);
    for (let i = 0; i < this.#length; i++) this.#buckets[bucketOf(this.#values[i]!)]!++;
    this.#values = new Float64Array(0);
    this.#length = 0;
  }
}

function bucketOf(value: number): number {
  float[0] = value;
  const index = (words[HIGH_WORD]! >>> SHIFT) - LOW;
  return index < 0 ? 0 : index > HIGH - LOW ? HIGH - LOW : index;
}

function middleOf(index: number): number {
  if (index === 0) return 0;
  words[HIGH_WORD] = (index + LOW) << SHIFT;
  words[1 - HIGH_WORD] = 0;
  const from = float[0]!;
  words[HIGH_WORD] = (index + LOW + 1) << SHIFT;
  return (from + float[0]!) / 2;
}

/** A set of values in one go. */
export function samplesOf(values: Iterable<number>): Samples {
  const samples = new Samples();
  for (const value of values) samples.add(value);
  return samples;
}
