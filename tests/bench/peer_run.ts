/**
 * One run of a load generator against a mock server of its own.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { MockStats } from "../../lib/bench/mock_options.ts";
import type { Context } from "../../lib/cli/context.ts";
import { messageOf } from "../../lib/cli/errors.ts";
import type { PeerClient } from "./peer_clients.ts";
import type { PeerLoad } from "./peer_load.ts";
import type { ReportedFigures } from "./peer_results.ts";

/** What was reported, and what was true by the server's clock. Times in milliseconds. */
export interface PeerFigures {
  /** The load generator's word. */
  readonly reported: ReportedFigures;
  /** The server's. */
  readonly truth: { readonly ttftP50: number; readonly ttftP99: number; readonly itl: number };
  /** Processor time of the load generator as a whole, start-up included. */
  readonly cpuMs: number;
}

/** A run; plain data. */
export interface PeerRun {
  /** Id of the load generator. */
  readonly client: string;
  /** Id of the load. */
  readonly load: string;
  /** From 1. */
  readonly round: number;
  /** What came out; undefined when it failed. */
  readonly figures?: PeerFigures;
  /** Why it failed. */
  readonly failed?: string;
}

/** Longest that a run may take. */
const DEADLINE_MS = 240_000;

/** Runs it once. All processes have ended when it returns. */
export async function runPeer(
  ctx: Context,
  client: PeerClient,
  load: PeerLoad,
): Promise<PeerFigures | { readonly failed: string }> {
  const folder = await ctx.fs.makeTempDir({ prefix: "bench-peers-" });
  try {
    await using server = await startServer(load);
    const call = client.call({ url: server.url, load, folder: `${folder}/results` });
    await ctx.fs.mkdir(`${folder}/results`);
    const usage = `${folder}/usage.json`;
    const result = await ctx.processes.run("python3", [
      `${ctx.root}/tests/bench/peer_usage.py`,
      usage,
      ...call.command,
    ], {
      cwd: folder,
      // With it set AIPerf refuses a tokenizer that is a folder.
      env: { ...call.env, HF_HUB_OFFLINE: "" },
      signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(DEADLINE_MS)]),
    });
    ctx.signal.throwIfAborted();
    if (result.code !== 0 && !(result.code === 1 && call.oneIsFine)) {
      const words = `${result.stdout}\n${result.stderr}`.trim().slice(-400);
      return { failed: `exit code ${result.code}: ${words}` };
    }
    const { ttft, itl } = await server.stats();
    if (ttft === undefined || itl === undefined) return { failed: "it asked for nothing" };
    return {
      reported: await call.read(result.stdout),
      truth: { ttftP50: ttft.p50, ttftP99: ttft.p99, itl },
      cpuMs: (JSON.parse(await ctx.fs.readTextFile(usage)) as { cpu_ms: number }).cpu_ms,
    };
  } catch (error) {
    ctx.signal.throwIfAborted();
    return { failed: messageOf(error) };
  } finally {
    await ctx.fs.remove(folder, { recursive: true });
  }
}

interface Server extends AsyncDisposable {
  readonly url: string;
  stats(): Promise<MockStats>;
}

// Ends with its standard input, so with this process at the latest.
async function startServer({ mock }: PeerLoad): Promise<Server> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--quiet",
      ...["net", "read", "env", "sys"].map((name) => `--allow-${name}`),
      fileURLToPath(new URL("server_process.ts", import.meta.url)),
      JSON.stringify(mock),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  if (value === undefined) throw new Error("the mock server did not start");
  const url = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}`;
  return {
    url,
    stats: async () => await (await fetch(`${url}/stats`)).json() as MockStats,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await child.status;
    },
  };
}
