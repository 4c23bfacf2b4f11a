/**
 * Ways to measure a deployed graph, a few seconds each. What is judged is that all of it arrives;
 * the figures are a busy machine's.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { BenchSummary } from "../../lib/bench/summary.ts";
import type { Context } from "../../lib/cli/context.ts";
import { benchObjects } from "../support/bench_jobs.ts";
import { runTaskProcess, type TaskResult } from "../support/task.ts";

type Run = (...words: string[]) => Promise<TaskResult>;

const LOAD = ["--no-calibration", "--concurrency", "4", "--output-tokens", "8"];

/**
 * From a pod beside the graph: as many requests in the results' folder as from here, the tunnel's
 * tax where `tax` says so, and nothing stays in the cluster, also after Ctrl-C.
 */
export async function benchFromInside(
  ctx: Context,
  run: Run,
  { graph, tax }: { readonly graph: string; readonly tax: boolean },
): Promise<void> {
  const words = ["bench", graph, "--in-cluster", ...LOAD];
  const result = await run(
    ...words,
    "--requests",
    "150",
    ...(tax ? [] : ["--no-tunnel-tax"]),
    "--output",
    "json",
  );
  const summary = summaryOf(result);
  assert.equal(summary.requests.completed, 150, result.stdout);
  assert.ok(summary.ttft_ms!.p50 > 0);
  // The server's side is watched from here, and joined with the times that the pod measured.
  const { server } = summary;
  assert.equal(server?.requests, 150, JSON.stringify(server));
  assert.ok(server.sources.some(({ kind }) => kind === "worker"), JSON.stringify(server));
  assert.equal(server.ttft_split_ms?.same_requests, true, JSON.stringify(server));
  const folder = /^\s*Results: (.+)$/m.exec(result.stderr)?.[1];
  assert.ok(folder !== undefined, result.stderr);
  const lines = (await Deno.readTextFile(`${folder}/requests.jsonl`)).trimEnd().split("\n");
  const indexes = lines.map((line) => JSON.parse(line).index).sort((a, b) => a - b);
  assert.deepEqual(indexes, Array.from({ length: 150 }, (_, i) => i));
  if (tax) {
    const { tunnel } = summary;
    assert.ok(tunnel?.ttft_p50_ms && tunnel.cpu_ms_per_request, JSON.stringify(summary.warnings));
    assert.ok(tunnel.ceiling.tunnel!.requests_per_second > 0);
    assert.ok(tunnel.cpu_ms_per_request.tunnel > 0 && tunnel.cpu_ms_per_request.in_cluster > 0);
  } else assert.equal(summary.tunnel, undefined);
  assert.deepEqual(await benchObjects(ctx), []);
  await interrupted(ctx, [...words, "--duration", "60"]);
}

async function interrupted(ctx: Context, words: readonly string[]): Promise<void> {
  const timer = new AbortController();
  const result = await runTaskProcess(words, {
    home: ctx.home,
    onStart: async (child) => {
      // Once the Job is there, whatever has become of its pod.
      while (!timer.signal.aborted && (await benchObjects(ctx)).length === 0) {
        await ctx.clock.sleep(200);
      }
      child.kill("SIGINT");
    },
  });
  timer.abort();
  assert.equal(result.code, 130, result.stderr);
  assert.deepEqual(await benchObjects(ctx), []);
}

// Exit code 1 is an honest answer of a busy machine: the client was the limit.
function summaryOf(result: TaskResult): BenchSummary {
  assert.ok(result.stdout.startsWith("{"), result.stderr);
  const summary: BenchSummary = JSON.parse(result.stdout);
  assert.equal(result.code, summary.valid ? 0 : 1, result.stderr);
  return summary;
}
