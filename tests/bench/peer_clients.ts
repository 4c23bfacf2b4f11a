/**
 * The load generators that are measured beside each other: how each is installed, called and read.
 *
 * @module
 */
import type { Context } from "../../lib/cli/context.ts";
import { pythonEnvironment } from "../support/python_environment.ts";
import { INPUT_TOKENS, OUTPUT_TOKENS, type PeerLoad } from "./peer_load.ts";
import { readAiperf, readGuidellm, readOurs, type ReportedFigures } from "./peer_results.ts";

/** A call of a load generator. */
export interface PeerCall {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Variables for it. */
  readonly env: Record<string, string>;
  /** Whether an exit code of 1 comes with results (ours: the run is INVALID). */
  readonly oneIsFine: boolean;
  /** Its figures, from what it printed and left. */
  readonly read: (stdout: string) => Promise<ReportedFigures>;
}

/** What a call is made for. */
export interface PeerCallOptions {
  /** Base URL of the server. */
  readonly url: string;
  /** What is asked of it. */
  readonly load: PeerLoad;
  /** Empty folder for results. */
  readonly folder: string;
}

/** A load generator that is installed. */
export interface PeerClient {
  /** Such as `aiperf`. */
  readonly id: string;
  /** Name and version. */
  readonly title: string;
  /** How it is called. */
  readonly call: (options: PeerCallOptions) => PeerCall;
}

/** Names of all of them; the first is this project's. */
export const CLIENT_IDS = ["ours", "aiperf", "guidellm"] as const;

/** One of {@link CLIENT_IDS}. */
export type ClientId = typeof CLIENT_IDS[number];

const AIPERF = "0.13.0";
const GUIDELLM = "0.8.1";

/** Installs a load generator into the cache where it is not there yet; else says why it cannot. */
export async function prepareClient(
  ctx: Context,
  id: ClientId,
): Promise<PeerClient | { readonly reason: string }> {
  if (id === "ours") {
    return { id, title: "this project", call: (options) => ourCall(ctx, options) };
  }
  const version = id === "aiperf" ? AIPERF : GUIDELLM;
  ctx.ui.info(
    `${id} ${version}: a Python environment in the cache; its first making takes minutes`,
  );
  const bin = await pythonEnvironment(ctx, { name: id, version, requirement: `${id}==${version}` });
  if (typeof bin !== "string") return bin;
  const tokenizer = `${ctx.home}/bench/peer-tokenizer`;
  const made = await ctx.processes.run(`${bin}/python`, [
    `${ctx.root}/tests/bench/peer_tokenizer.py`,
    tokenizer,
  ], { signal: ctx.signal });
  if (made.code !== 0) return { reason: `no tokenizer: ${made.stderr.trim().slice(-300)}` };
  const call = id === "aiperf" ? aiperfCall : guidellmCall;
  return {
    id,
    title: `${id} ${version}`,
    call: (options) => call(ctx, { ...options, bin, tokenizer }),
  };
}

// The task as a user runs it, with its calibration.
function ourCall(ctx: Context, { url, load, folder }: PeerCallOptions): PeerCall {
  const permissions = ["net", "read", "write", "env", "sys"].map((name) => `--allow-${name}`);
  const shape = load.rate === undefined
    ? ["--concurrency", `${load.concurrency}`]
    : ["--rate", `${load.rate}`, "--arrival", "constant"];
  return {
    command: [
      ctx.processes.denoPath,
      "run",
      "--no-prompt",
      "--quiet",
      ...permissions,
      `${ctx.root}/tasks/bench.ts`,
      "--url",
      url,
      ...shape,
      "--requests",
      `${load.requests}`,
      "--input-tokens",
      `${INPUT_TOKENS}`,
      "--output-tokens",
      `${OUTPUT_TOKENS}`,
      "--output",
      "json",
    ],
    env: { DYNAMO_HOME: folder },
    oneIsFine: true,
    read: (stdout) => Promise.resolve(readOurs(stdout)),
  };
}

interface PythonCallOptions extends PeerCallOptions {
  /** Folder of the environment's programs. */
  readonly bin: string;
  /** Folder of a tokenizer. */
  readonly tokenizer: string;
}

function aiperfCall(ctx: Context, options: PythonCallOptions): PeerCall {
  const { url, load, folder, bin, tokenizer } = options;
  const shape = load.rate === undefined
    ? ["--concurrency", `${load.concurrency}`]
    : ["--request-rate", `${load.rate}`, "--arrival-pattern", "constant"];
  return {
    command: [
      `${bin}/aiperf`,
      "profile",
      "--model=mock",
      `--url=${url}`,
      "--endpoint-type=chat",
      "--streaming",
      `--tokenizer=${tokenizer}`,
      ...shape,
      `--request-count=${load.requests}`,
      `--isl=${INPUT_TOKENS}`,
      `--osl=${OUTPUT_TOKENS}`,
      "--ui=none",
      // There is neither a GPU nor a Prometheus endpoint to look at.
      "--no-gpu-telemetry",
      "--no-server-metrics",
      `--artifact-dir=${folder}`,
    ],
    env: {},
    oneIsFine: false,
    read: async () => readAiperf(await ctx.fs.readTextFile(`${folder}/profile_export_aiperf.json`)),
  };
}

function guidellmCall(ctx: Context, options: PythonCallOptions): PeerCall {
  const { url, load, folder, bin, tokenizer } = options;
  const results = `${folder}/guidellm.json`;
  const profile = load.rate === undefined
    ? `kind=concurrent,streams=${load.concurrency}`
    : `kind=constant,rate=${load.rate}`;
  return {
    command: [
      `${bin}/guidellm`,
      "run",
      `--backend=kind=openai_http,target=${url},model=mock`,
      `--profile=${profile}`,
      `--constraint=kind=max_requests,count=${load.requests}`,
      `--tokenizer=kind=huggingface_auto,model=${tokenizer}`,
      `--data=kind=synthetic_text,prompt_tokens=${INPUT_TOKENS},output_tokens=${OUTPUT_TOKENS}`,
      `--output=kind=json,path=${results}`,
      "--disable-console",
    ],
    env: {},
    oneIsFine: false,
    read: async () => readGuidellm(await ctx.fs.readTextFile(results)),
  };
}
