/**
 * What happened when: requests in flight and output events along the run, in bins whose
 * number stays small however long the run is.
 *
 * @module
 */

/** One bin of a {@link Timeline}. */
export interface Bin {
  /** Start, milliseconds from the start of the run. */
  readonly start: number;
  /** Mean number of requests in flight. */
  readonly inFlight: number;
  /** Events with output. */
  readonly events: number;
  /** Requests that ended well. */
  readonly completed: number;
  /** Requests that failed. */
  readonly failed: number;
}

/** A span of the run, in milliseconds from its start. */
export interface Span {
  /** First moment. */
  readonly start: number;
  /** Moment after the last. */
  readonly end: number;
}

/** What a {@link Timeline} holds, as plain data for another thread. */
export interface TimelineData {
  /** Width of a bin in milliseconds. */
  readonly width: number;
  /** In flight × milliseconds, events, requests that ended well and that failed, each by bin. */
  readonly columns: readonly Float64Array[];
  /** In flight at the end. */
  readonly inFlight: number;
  /** Last time of an event. */
  readonly end: number;
  /** Time up to which the requests in flight are counted. */
  readonly at: number;
}

const FIRST_WIDTH_MS = 50;
const MAX_BINS = 2048;

/** Collects counts along the run. Times are milliseconds from its start. */
export class Timeline {
  #width = FIRST_WIDTH_MS;
  #area = new Float64Array(MAX_BINS);
  #events = new Float64Array(MAX_BINS);
  #completed = new Float64Array(MAX_BINS);
  #failed = new Float64Array(MAX_BINS);
  #inFlight = 0;
  #at = 0;
  #end = 0;

  /** Width of a bin in milliseconds; doubles as the run grows. */
  get width(): number {
    return this.#width;
  }

  /** Requests in flight now. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** All that was collected. */
  data(): TimelineData {
    return {
      width: this.#width,
      columns: [this.#area, this.#events, this.#completed, this.#failed],
      inFlight: this.#inFlight,
      end: this.#end,
      at: this.#at,
    };
  }

  /** Adds what another one collected over the same time. */
  addAll(data: TimelineData): void {
    while (this.#width < data.width) this.#halve();
    const ratio = this.#width / data.width;
    const own = [this.#area, this.#events, this.#completed, this.#failed];
    own.forEach((column, c) => {
      const other = data.columns[c]!;
      for (let i = 0; i < MAX_BINS; i++) column[Math.floor(i / ratio)]! += other[i]!;
    });
    this.#inFlight += data.inFlight;
    this.#end = Math.max(this.#end, data.end);
    this.#at = Math.max(this.#at, data.at);
  }

  /** The number of requests in flight changes by `by`; the time may be a little in the past. */
  addInFlight(at: number, by: number): void {
    if (at < this.#at) this.#addArea(at, this.#at, by);
    else this.advance(at);
    this.#inFlight += by;
  }

  /** Events with output. */
  addEvents(at: number, count: number): void {
    this.#events[this.#bin(at)]! += count;
  }

  /** A request ended. */
  addEnd(at: number, failed: boolean): void {
    (failed ? this.#failed : this.#completed)[this.#bin(at)]!++;
  }

  /** Time went on to `at` with the same number in flight. */
  advance(at: number): void {
    if (at <= this.#at) return;
    this.#addArea(this.#at, at, this.#inFlight);
    this.#at = at;
  }

  #addArea(from: number, to: number, height: number): void {
    // The end first: it may make the bins wider.
    this.#bin(to);
    for (let at = Math.max(0, from); at < to;) {
      const bin = Math.floor(at / this.#width);
      const next = Math.min(to, (bin + 1) * this.#width);
      this.#area[bin]! += height * (next - at);
      at = next;
    }
  }

  // Stamps are taken before parsing, so a time may be a little before the last one.
  #bin(at: number): number {
    const time = Math.max(0, at);
    if (time > this.#end) this.#end = time;
    while (time >= MAX_BINS * this.#width) this.#halve();
    return Math.floor(time / this.#width);
  }

  #halve(): void {
    for (const values of [this.#area, this.#events, this.#completed, this.#failed]) {
      for (let i = 0; i < MAX_BINS; i++) {
        values[i] = i < MAX_BINS / 2 ? values[2 * i]! + values[2 * i + 1]! : 0;
      }
    }
    this.#width *= 2;
  }

  /** The bins up to the last time seen; the last one may be shorter than the others. */
  bins(): Bin[] {
    const end = Math.max(this.#end, this.#at);
    const bins: Bin[] = [];
    for (let i = 0; i * this.#width < end; i++) {
      const length = Math.min(this.#width, end - i * this.#width);
      bins.push({
        start: i * this.#width,
        inFlight: this.#area[i]! / length,
        events: this.#events[i]!,
        completed: this.#completed[i]!,
        failed: this.#failed[i]!,
      });
    }
    return bins;
  }

  /** Requests in flight, on average over whole bins of a span; undefined when it has none. */
  meanInFlight(span: Span): number | undefined {
    const [from, to] = this.#wholeBins(span);
    if (from >= to) return undefined;
    let area = 0;
    for (let i = from; i < to; i++) area += this.#area[i]!;
    return area / ((to - from) * this.#width);
  }

  /** Events a second over whole bins of a span; undefined when it has none. */
  eventRate(span: Span): number | undefined {
    const [from, to] = this.#wholeBins(span);
    if (from >= to) return undefined;
    let events = 0;
    for (let i = from; i < to; i++) events += this.#events[i]!;
    return events / ((to - from) * this.#width / 1000);
  }

  #wholeBins(span: Span): [number, number] {
    // Spans that were made from bins must not lose one to rounding.
    return [
      Math.ceil(span.start / this.#width - 1e-9),
      Math.min(MAX_BINS, Math.floor(span.end / this.#width + 1e-9)),
    ];
  }

  /**
   * The longest span in which at least `share` of the peak was in flight, on average over
   * each bin (a lane between two requests is no dip); undefined without any load.
   */
  steadySpan(share: number): Span | undefined {
    const bins = this.bins();
    // The last bin is as short as it happens to be; it may be part of the span, not the peak.
    const peak = bins.slice(0, Math.max(1, bins.length - 1))
      .reduce((most, bin) => Math.max(most, bin.inFlight), 0);
    if (peak === 0) return undefined;
    const end = Math.max(this.#end, this.#at);
    let best: Span = { start: 0, end: 0 };
    let start: number | undefined;
    for (const bin of [...bins, undefined]) {
      const steady = bin !== undefined && bin.inFlight >= share * peak;
      if (steady) start ??= bin.start;
      else if (start !== undefined) {
        const stop = bin?.start ?? end;
        if (stop - start > best.end - best.start) best = { start, end: stop };
        start = undefined;
      }
    }
    return best.end > best.start ? best : undefined;
  }
}
