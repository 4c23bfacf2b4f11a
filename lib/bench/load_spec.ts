/**
 * What a load is made of, as plain data: so that each thread can make the same requests.
 *
 * @module
 */
import { type Dataset, datasetWorkload } from "./dataset.ts";
import type { LaneLimits } from "./lane.ts";
import {
  type RequestShape,
  type RequestSource,
  requestSource,
  type RequestTarget,
} from "./request.ts";
import { type Trace, traceWorkload } from "./trace.ts";
import type { TlsTrust } from "./transport_tls.ts";
import {
  counted,
  type Planned,
  type SyntheticWorkload,
  syntheticWorkload,
  warmupWorkload,
  type WordCounts,
  wordCounts,
  type WordRule,
  type Workload,
} from "./workload.ts";

/** Numbers of the warm-up's requests begin here: its prompts are none of those that are measured. */
export const FIRST_WARMUP: number = 1 << 28;

/** A load; secrets are part of it, so it stays within the process. */
export interface LoadSpec {
  /** Where requests go. */
  readonly target: RequestTarget;
  /** Which certificates are trusted. */
  readonly trust: TlsTrust | undefined;
  /** What requests look like. */
  readonly shape: RequestShape;
  /** How words become tokens. */
  readonly rule: WordRule;
  /** Lengths, shared beginnings, turns. */
  readonly synthetic: SyntheticWorkload;
  /** Conversations in place of random words. */
  readonly dataset?: Dataset | undefined;
  /** A recorded load in place of both. */
  readonly trace?: Trace | undefined;
  /** Limits of a request. */
  readonly limits: LaneLimits;
}

/** The requests of a load, and what was planned of those that were made. */
export function requestsOf(
  { target, shape, rule, synthetic, dataset, trace }: LoadSpec,
): { readonly request: RequestSource; readonly planned: Planned } {
  const words = wordCounts(rule);
  const { workload, planned } = counted(
    workloadOf(synthetic, words, { dataset, trace }),
    warmupWorkload(synthetic, words),
    FIRST_WARMUP,
  );
  return { request: requestSource(target, shape, workload), planned };
}

function workloadOf(
  synthetic: SyntheticWorkload,
  words: WordCounts,
  { dataset, trace }: Pick<LoadSpec, "dataset" | "trace">,
): Workload {
  if (trace !== undefined) return traceWorkload(trace, synthetic, words);
  if (dataset !== undefined) return datasetWorkload(dataset, synthetic);
  return syntheticWorkload(synthetic, words);
}
