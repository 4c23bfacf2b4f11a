/**
 * Scrapes the server's metrics while a run goes on: besides the load, over connections of their
 * own, and without ever breaking the run.
 *
 * @module
 */
import type { Clock } from "../../cli/context.ts";
import { messageOf } from "../../cli/errors.ts";
import { type Metrics, parseMetrics } from "../../serving/prometheus.ts";
import { type Distribution, Samples } from "../samples.ts";
import { type Answer, joiner } from "./join.ts";
import { readSource } from "./reading.ts";
import { isWanted } from "./signals.ts";
import type { Pinger } from "./ping.ts";
import type { MetricsSource, OpenSources } from "./source.ts";
import type { ServerPoint, ServerSummary, SourceSummary } from "./types.ts";

/** What was seen of the server. */
export interface ServerRecord {
  /** Along the run. */
  readonly points: readonly ServerPoint[];
  /** Over the run; `ttft_split_ms` is the summary's to fill in. */
  readonly summary: ServerSummary;
  /** Milliseconds of small requests on the load's way; undefined when none came back. */
  readonly roundTrip: Distribution | undefined;
}

/** Watches the server during one run. */
export interface ServerWatch {
  /** Takes the first scrape: after the warm-up, before the first request of the run. */
  begin(model: string): Promise<void>;
  /**
   * Takes the last scrape, after the last answer, and closes all connections.
   * `start` is the moment that the run began, on the monotonic clock.
   */
  end(start: number): Promise<ServerRecord>;
  /** What was seen along the run; empty before the end. */
  readonly points: readonly ServerPoint[];
  /** Stops and closes all connections, where there was no end. */
  close(): Promise<void>;
}

/** What to watch. */
export interface WatchOptions {
  /** Time. */
  readonly clock: Clock;
  /** Opens the sources. */
  readonly open: OpenSources;
  /** Sends small requests on the load's way; without it the network's time is not known. */
  readonly pinger?: Pinger | undefined;
  /** Milliseconds between scrapes; 1,000 unless given. */
  readonly intervalMs?: number;
}

interface Watched {
  readonly source: MetricsSource;
  metrics: Metrics | undefined;
  at: number;
  kind: SourceSummary["kind"];
  scrapes: number;
  failures: number;
  failuresInARow: number;
  problem: string | null;
  /** Whether it was there before the run: counters of those that come later begin at zero. */
  readonly fromBegin: boolean;
  gone: boolean;
}

const INTERVAL_MS = 1000;
const MOST_SOURCES = 64;
const TIMEOUT_MS = 2000;
// A server's counters may be a moment behind its answers.
const SETTLE_MS = 100;
const REOPEN_MS = 5000;
const PINGS_PER_SECOND = 5;
const PATIENCE = 3;
const RETRY_ROUNDS = 10;
// Points are few however long the run is: after an hour each is of two intervals, and so on.
const POINTS_PER_INTERVAL = 3600;

/** Makes a watch; nothing is opened before it begins. */
export function watchServer(options: WatchOptions): ServerWatch {
  const { clock, open, pinger } = options;
  const intervalMs = options.intervalMs ?? INTERVAL_MS;
  const stop = new AbortController();
  // An interrupted run waits for no scrape.
  const closing = new AbortController();
  const watched = new Map<string, Watched>();
  const joined = joiner();
  const pings = new Samples();
  let model = "";
  let before = 0;
  let openedAt = 0;
  let rounds = 0;
  let points: readonly ServerPoint[] = [];
  let running: Promise<unknown> = Promise.resolve();

  async function refresh(fromBegin: boolean): Promise<void> {
    openedAt = clock.monotonic();
    let sources: readonly MetricsSource[];
    try {
      sources = (await open()).slice(0, MOST_SOURCES);
    } catch {
      return; // Those that are known stay.
    }
    const names = new Set(sources.map((source) => source.name));
    for (const [name, one] of watched) if (!names.has(name)) one.gone = true;
    for (const source of sources) {
      const known = watched.get(source.name);
      if (known !== undefined) known.gone = false;
      else watched.set(source.name, unseen(source, fromBegin));
    }
  }

  async function scrape(one: Watched): Promise<Answer | undefined> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const metrics = parseMetrics(await one.source.scrape(signal), isWanted);
      const at = clock.monotonic();
      const first = one.metrics === undefined && one.fromBegin;
      const { kind, pods } = one.source;
      const reading = readSource(one.metrics, metrics, { kind, model, pods });
      const seconds = (at - (one.metrics === undefined ? before : one.at)) / 1000;
      Object.assign(one, { metrics, at, kind: reading.kind, failuresInARow: 0 });
      one.scrapes++;
      // What it had counted before the run is not of the run.
      return first ? undefined : { reading, seconds };
    } catch (error) {
      one.failures++;
      one.failuresInARow++;
      one.problem ??= signal.aborted ? `no answer within ${TIMEOUT_MS} ms` : messageOf(error);
      return undefined;
    }
  }

  async function round(spreadMs: number, last: boolean): Promise<void> {
    rounds++;
    const due = [...watched.values()].filter((one) =>
      !one.gone &&
      (one.failuresInARow < PATIENCE || (last ? one.scrapes > 0 : rounds % RETRY_ROUNDS === 0))
    );
    const failed = () => due.reduce((sum, one) => sum + one.failures, 0);
    const failedBefore = failed();
    const answers = await Promise.all(due.map(async (one, i) => {
      if (spreadMs > 0) await pause(i * spreadMs / due.length);
      return await scrape(one);
    }));
    const at = clock.monotonic();
    joined.add({
      at,
      seconds: (at - before) / 1000,
      answers: answers.filter((answer) => answer !== undefined),
      failed: failed() - failedBefore,
    });
    before = at;
    if (failed() > failedBefore && at - openedAt > REOPEN_MS) await refresh(false);
  }

  async function scrapeOnAndOn(): Promise<void> {
    // One after the other over the interval, so that no moment of it bears them all.
    for (let next = before + intervalMs; !stop.signal.aborted;) {
      await pause(next - clock.monotonic());
      if (stop.signal.aborted) return;
      await round(intervalMs / 2, false);
      const step = intervalMs * 2 ** Math.floor(joined.points.length / POINTS_PER_INTERVAL);
      next = Math.max(next + step, clock.monotonic());
    }
  }

  async function pingOnAndOn(): Promise<void> {
    while (pinger !== undefined && !stop.signal.aborted) {
      await pause(1000 / PINGS_PER_SECOND);
      try {
        const ms = await pinger.ping(
          AbortSignal.any([stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
        );
        if (ms !== undefined) pings.add(ms);
      } catch {
        // The load will show it.
      }
    }
  }

  function pause(ms: number): Promise<void> {
    return ms > 0 ? clock.sleep(ms, stop.signal).catch(() => {}) : Promise.resolve();
  }

  async function close(): Promise<void> {
    stop.abort();
    closing.abort();
    await running;
    for (const one of watched.values()) one.source.close();
    pinger?.close();
  }

  return {
    async begin(ofModel) {
      model = ofModel;
      await refresh(true);
      await Promise.all([...watched.values()].map(scrape));
      before = clock.monotonic();
      running = Promise.all([scrapeOnAndOn(), pingOnAndOn()]);
    },
    async end(start) {
      stop.abort();
      await running;
      await clock.sleep(SETTLE_MS);
      await round(0, true);
      await close();
      points = joined.points.map(({ at, ...point }) => ({ at_s: (at - start) / 1000, ...point }));
      return {
        points,
        summary: {
          interval_ms: intervalMs,
          sources: [...watched.values()].map(sourceSummary),
          ...joined.totals(),
          ttft_split_ms: null,
        },
        roundTrip: pings.distribution(),
      };
    },
    get points() {
      return points;
    },
    close,
  };
}

function unseen(source: MetricsSource, fromBegin: boolean): Watched {
  return {
    source,
    metrics: undefined,
    at: 0,
    kind: null,
    scrapes: 0,
    failures: 0,
    failuresInARow: 0,
    problem: null,
    fromBegin,
    gone: false,
  };
}

function sourceSummary({ source, kind, scrapes, failures, problem }: Watched): SourceSummary {
  return { name: source.name, kind, scrapes, failures, problem };
}
