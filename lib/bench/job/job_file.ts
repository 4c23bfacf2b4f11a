/**
 * What a benchmark's pod is told: the options of the run as a gzipped JSON file. Secrets are not
 * part of it; they come as environment variables.
 *
 * @module
 */
import { gunzipSync, gzipSync } from "node:zlib";
import type { BenchOptions } from "../options.ts";

/** Options of a run that are plain data and no secrets. */
export type PlainOptions = Omit<
  BenchOptions,
  "url" | "apiKey" | "headers" | "connect" | "server" | "onProgress" | "onRequests"
>;

/** What the pod does. */
export interface JobFile {
  /** The run. */
  readonly options: PlainOptions;
  /** Whether it goes on to measure blocks when told to, for the tunnel's tax. */
  readonly blocks: boolean;
  /** Whether the server is watched meanwhile by whoever started it; see `far_watch.ts`. */
  readonly watched: boolean;
}

/** Environment variables of the pod. */
export const JOB_ENV = {
  /** Base URL of the endpoint. */
  url: "BENCH_URL",
  /** Folder with the parts of the job's file: `0`, `1`, … */
  folder: "BENCH_JOB",
  /** Port on loopback where blocks are asked for. */
  controlPort: "BENCH_CONTROL_PORT",
  /** Port on loopback of the mock that has no delay. */
  mockPort: "BENCH_MOCK_PORT",
  /** The API key; from a Secret. */
  apiKey: "BENCH_API_KEY",
  /** Further headers as JSON; from a Secret. */
  headers: "BENCH_HEADERS",
} as const;

// JSON has no NaN; a trace without counts of its prompts' tokens does.
const NOT_A_NUMBER = "\u0000NaN";

/** The options without callbacks and secrets. */
export function plainOptions(options: Omit<BenchOptions, "url">): PlainOptions {
  const {
    url: _url,
    apiKey: _key,
    headers: _headers,
    connect: _connect,
    server: _server,
    onProgress: _progress,
    onRequests: _requests,
    ...plain
  } = options as BenchOptions;
  return plain;
}

/** The file's bytes. */
export function encodeJob(job: JobFile): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(job, (_, value) => Number.isNaN(value) ? NOT_A_NUMBER : value);
  return new Uint8Array(gzipSync(text));
}

/** What {@link encodeJob} wrote. */
export function decodeJob(bytes: Uint8Array): JobFile {
  return JSON.parse(
    gunzipSync(bytes).toString(),
    (_, value) => value === NOT_A_NUMBER ? NaN : value,
  );
}
