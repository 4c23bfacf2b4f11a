/**
 * One source between two of its scrapes, as numbers. Pure.
 *
 * @module
 */
import {
  grownBuckets,
  grownBy,
  type Growth,
  growthOf,
  presentValue,
} from "../../serving/growth.ts";
import type { Buckets } from "../../serving/histogram.ts";
import type { Metrics, Sample } from "../../serving/prometheus.ts";
import { COUNTERS, GAUGES, GPU_GAUGES, ROUTER_HIT_RATE, TIMES, WORKER_GAUGES } from "./signals.ts";
import type { SourceKind } from "./source.ts";

/** Growth of a histogram of times. */
export interface TimesGrowth {
  /** Values by upper bound in seconds, each with those of smaller bounds. */
  readonly buckets: Buckets;
  /** Their sum in seconds. */
  readonly sum: number;
  /** Their number. */
  readonly count: number;
}

/** What a frontend did. */
export interface FrontendReading {
  /** Times, where it has them. */
  readonly times: Readonly<Record<keyof typeof TIMES, TimesGrowth | undefined>>;
  /** Growth of counters, where it has them. */
  readonly counters: Readonly<Record<keyof typeof COUNTERS, number | undefined>>;
  /** Gauges now, where it has them. */
  readonly gauges: Readonly<Record<keyof typeof GAUGES, number | undefined>>;
  /** Growth of the router's shares of cached prompts. */
  readonly routerHits: { readonly sum: number; readonly count: number } | undefined;
}

/** One GPU. */
export interface GpuReading {
  /** Busy, 0 to 1. */
  readonly utilisation: number | undefined;
  /** Bytes in use. */
  readonly memory: number | undefined;
  /** Watts. */
  readonly power: number | undefined;
}

/** What one source says. */
export interface Reading {
  /** What it is. */
  readonly kind: "frontend" | "worker" | "gpu";
  /** Of frontends. */
  readonly frontend: FrontendReading | undefined;
  /** Of workers, and of servers that are their own frontend. */
  readonly worker: Readonly<Record<keyof typeof WORKER_GAUGES, number | undefined>> | undefined;
  /** Of exporters. */
  readonly gpus: readonly GpuReading[];
}

/** What to read. */
export interface ReadOptions {
  /** What the source is. */
  readonly kind: SourceKind;
  /** Model of the run: series of others do not count. */
  readonly model: string;
  /** Pods whose GPUs count; all where undefined. */
  readonly pods?: ReadonlySet<string> | undefined;
}

/** Reads a source; without an earlier scrape its counters count from zero. */
export function readSource(
  before: Metrics | undefined,
  after: Metrics,
  options: ReadOptions,
): Reading {
  const kind = kindOf(after, options.kind);
  if (kind === "gpu") {
    return { kind, frontend: undefined, worker: undefined, gpus: gpusOf(after, options.pods) };
  }
  const growth = growthOf(before, after)
    .filter(({ sample }) => isOfModel(sample, options.model) && isWork(sample));
  return {
    kind,
    frontend: kind === "frontend" ? frontendReading(growth) : undefined,
    worker: mapOf(WORKER_GAUGES, (names) => meanOrSum(growth, names)),
    gpus: [],
  };
}

// A server without a frontend of Dynamo's in front of it is both.
function kindOf({ samples }: Metrics, said: SourceKind): Reading["kind"] {
  if (said !== "auto") return said;
  const has = (start: string) => samples.some(({ name }) => name.startsWith(start));
  if (has("DCGM_")) return "gpu";
  return has("dynamo_component_") && !has("dynamo_frontend_") ? "worker" : "frontend";
}

// 0.4.1 writes models in lower case; metrics that name no model are of all of them.
function isOfModel({ labels }: Sample, model: string): boolean {
  const named = labels["model"] ?? labels["model_name"];
  return named === undefined || named.toLowerCase() === model.toLowerCase();
}

// Workers have endpoints besides the one that generates.
function isWork({ labels }: Sample): boolean {
  const endpoint = labels["dynamo_endpoint"];
  return endpoint === undefined || endpoint === "generate";
}

function frontendReading(growth: readonly Growth[]): FrontendReading {
  const hits = grownBy(growth, `${ROUTER_HIT_RATE}_count`);
  return {
    times: mapOf(TIMES, (names) => timesOf(growth, names)),
    counters: mapOf(COUNTERS, (names) => first(names, (name) => grownBy(growth, name))),
    gauges: mapOf(GAUGES, (names) => first(names, (name) => presentValue(growth, name))),
    routerHits: hits === undefined
      ? undefined
      : { sum: grownBy(growth, `${ROUTER_HIT_RATE}_sum`) ?? 0, count: hits },
  };
}

function timesOf(growth: readonly Growth[], names: readonly string[]): TimesGrowth | undefined {
  return first(names, (name) => {
    const count = grownBy(growth, `${name}_count`);
    if (count === undefined) return undefined;
    return {
      buckets: grownBuckets(growth, name),
      sum: grownBy(growth, `${name}_sum`) ?? 0,
      count,
    };
  });
}

// Shares of several engines of one process are averaged, numbers of requests are added.
function meanOrSum(growth: readonly Growth[], names: readonly string[]): number | undefined {
  return first(names, (name) => {
    const sum = presentValue(growth, name);
    if (sum === undefined || names !== WORKER_GAUGES.kvUsage) return sum;
    return sum / growth.filter(({ sample }) => sample.name === name).length;
  });
}

function gpusOf({ samples }: Metrics, pods: ReadonlySet<string> | undefined): GpuReading[] {
  const byGpu = new Map<string, Sample[]>();
  // An exporter that does not say whose work is on a GPU says so of none.
  const saysPods = samples.some((sample) => podOf(sample) !== undefined);
  for (const sample of samples) {
    if (pods !== undefined && saysPods && !pods.has(podOf(sample) ?? "")) continue;
    const { UUID, gpu, Hostname } = sample.labels;
    const key = UUID ?? `${Hostname ?? ""}/${gpu ?? ""}`;
    byGpu.set(key, [...byGpu.get(key) ?? [], sample]);
  }
  return [...byGpu.values()].map((own) => {
    const value = (name: string, factor: number) => {
      const found = own.find((sample) => sample.name === name)?.value;
      return found === undefined ? undefined : found * factor;
    };
    return {
      utilisation: value(GPU_GAUGES.utilisation, 0.01),
      memory: value(GPU_GAUGES.memory, 1024 * 1024),
      power: value(GPU_GAUGES.power, 1),
    };
  });
}

function podOf({ labels }: Sample): string | undefined {
  return labels["exported_pod"] || labels["pod"] || undefined;
}

function first<T>(
  names: readonly string[],
  find: (name: string) => T | undefined,
): T | undefined {
  for (const name of names) {
    const found = find(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function mapOf<K extends string, V>(
  table: Readonly<Record<K, readonly string[]>>,
  of: (names: readonly string[]) => V,
): Record<K, V> {
  return Object.fromEntries(
    Object.entries<readonly string[]>(table).map(([key, names]) => [key, of(names)]),
  ) as Record<K, V>;
}
