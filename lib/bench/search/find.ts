/**
 * The highest load that keeps the service levels: doubling until they break, then halving the gap.
 *
 * @module
 */

/** What one load gave. */
export interface Probe<T> {
  /** Requests in flight or requests a second. */
  readonly load: number;
  /** Whether enough requests were good, surely. */
  readonly ok: boolean;
  /** What was measured. */
  readonly result: T;
}

/** Options of {@link findHighest}. */
export interface FindOptions {
  /** First load. */
  readonly start: number;
  /** Highest load that is tried. */
  readonly most: number;
  /** Whether loads are whole numbers. */
  readonly whole: boolean;
  /** Ends when the gap is below this share of the load. */
  readonly resolution: number;
  /** Most loads that are tried. */
  readonly maxProbes: number;
}

/** Outcome of a search. */
export interface Found<T> {
  /** Highest load that kept the levels; undefined when none did. */
  readonly best: Probe<T> | undefined;
  /** Lowest load above it that broke them; undefined when none did up to the highest. */
  readonly broke: Probe<T> | undefined;
  /** Everything that was tried, in order. */
  readonly probes: readonly Probe<T>[];
}

/**
 * Searches. Assumes that a higher load does not make things better. `run` measures one load and
 * says whether it is good enough.
 */
export async function findHighest<T>(
  options: FindOptions,
  run: (load: number) => Promise<{ readonly ok: boolean; readonly result: T }>,
): Promise<Found<T>> {
  const probes: Probe<T>[] = [];
  let best: Probe<T> | undefined;
  let broke: Probe<T> | undefined;
  for (
    let load: number | undefined = fit(options.start, options);
    load !== undefined && probes.length < options.maxProbes;
    load = nextLoad(options, best, broke)
  ) {
    const probe: Probe<T> = { load, ...await run(load) };
    probes.push(probe);
    if (probe.ok) best = probe;
    else broke = probe;
  }
  return { best, broke, probes };
}

function nextLoad<T>(
  options: FindOptions,
  best: Probe<T> | undefined,
  broke: Probe<T> | undefined,
): number | undefined {
  if (broke === undefined) {
    return best!.load >= options.most ? undefined : fit(best!.load * 2, options);
  }
  const low = best?.load ?? 0;
  if (broke.load - low <= options.resolution * broke.load) return undefined;
  // Without a load that works the first guess may be far too high.
  const next = fit(best === undefined ? broke.load / 4 : (low + broke.load) / 2, options);
  return next > low && next < broke.load ? next : undefined;
}

function fit(load: number, { most, whole }: FindOptions): number {
  const bounded = Math.min(most, load);
  return whole ? Math.max(1, Math.round(bounded)) : bounded;
}
