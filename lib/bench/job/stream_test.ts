import assert from "node:assert/strict";
import { testContext } from "../../cli/testing.ts";
import { TaskError } from "../../cli/errors.ts";
import type { Kube, LogOptions } from "../../kube/types.ts";
import { newRecord, type RequestRecord } from "../record.ts";
import type { BenchSummary } from "../summary.ts";
import { frameWriter } from "./frames.ts";
import type { JobMessage } from "./messages.ts";
import { rowOf } from "./record_rows.ts";
import { followJob, type FollowJobOptions } from "./stream.ts";

/** One answer to a call for the log: its lines, and what becomes of it then. */
interface LogAnswer {
  readonly lines: readonly string[];
  readonly then: "ends" | "breaks" | "hangs";
}

/** A log that is answered as told, call by call; the last answer is for all further calls. */
function scripted(answers: readonly LogAnswer[], calls: LogOptions[] = []): Pick<Kube, "logs"> {
  return {
    async *logs(_pod, options = {}) {
      const answer = answers[Math.min(calls.length, answers.length - 1)]!;
      calls.push(options);
      yield* answer.lines;
      if (answer.then === "breaks") throw new Error("connection reset");
      if (answer.then === "hangs") {
        const stopped = Promise.withResolvers<void>();
        options.signal?.addEventListener("abort", () => stopped.resolve());
        await stopped.promise;
      }
    },
  };
}

const summary = { warnings: [] as string[] } as unknown as BenchSummary;

/** Lines of a run of four batches of ten requests, each a second after the other. */
function runLines(end: JobMessage = { kind: "summary", summary }): string[] {
  const writer = frameWriter();
  const batches = Array.from({ length: 4 }, (_, batch): JobMessage => ({
    kind: "requests",
    rows: Array.from({ length: 10 }, (_, i) => rowOf(newRecord(batch * 10 + i, 0, i))),
  }));
  return [...batches, end].flatMap((message) => writer.message(message))
    .map((line, second) => `2026-01-02T03:04:0${second}.123456789Z ${line}`);
}

async function follow(
  answers: readonly LogAnswer[],
  more: Partial<FollowJobOptions> = {},
): Promise<{ summary: BenchSummary; indexes: number[]; calls: LogOptions[] }> {
  await using test = await testContext();
  const indexes: number[] = [], calls: LogOptions[] = [];
  const result = await followJob(test.ctx, scripted(answers, calls), {
    pod: { name: "client", namespace: "graphs" },
    ended: new AbortController().signal,
    onProgress: () => {},
    onRequests: (records: readonly RequestRecord[]) =>
      indexes.push(...records.map(({ index }) => index)),
    ...more,
  });
  return { summary: result, indexes, calls };
}

const all = Array.from({ length: 40 }, (_, i) => i);

Deno.test("a log that does not break: all requests, then the summary", async () => {
  const { summary, indexes, calls } = await follow([{ lines: runLines(), then: "hangs" }]);
  assert.deepEqual(indexes, all);
  assert.deepEqual(summary.warnings, []);
  assert.equal(calls.length, 1);
});

Deno.test("a broken connection goes on where it was, and what comes twice counts once", async () => {
  const lines = runLines();
  const { indexes, calls } = await follow([
    { lines: lines.slice(0, 2), then: "breaks" },
    { lines: lines.slice(1), then: "hangs" },
  ]);
  assert.deepEqual(indexes, all);
  assert.equal(calls[1]?.sinceTime, "2026-01-02T03:04:01Z");
});

Deno.test("a line damaged on the way is read again", async () => {
  const lines = runLines();
  const damaged = lines.map((line, i) => i === 2 ? line.replace(/.{5}"\}$/, 'XXXXX"}') : line);
  const { indexes, summary, calls } = await follow([
    { lines: damaged, then: "hangs" },
    { lines: lines.slice(1), then: "ends" },
  ]);
  assert.deepEqual(indexes, all);
  assert.deepEqual(summary.warnings, []);
  assert.equal(calls[1]?.follow, undefined, "read once, not followed");
});

Deno.test("the last line damaged: read again without waiting for another", async () => {
  const lines = runLines();
  const damaged = lines.map((line, i) => i === 4 ? line.replace(/.{5}"\}$/, 'XXXXX"}') : line);
  const { summary } = await follow([
    { lines: damaged, then: "hangs" },
    { lines: lines.slice(3), then: "ends" },
  ]);
  assert.deepEqual(summary.warnings, []);
});

Deno.test("lines that a rotated log has lost: the figures stay, and a warning says so", async () => {
  const lines = runLines();
  const left = [lines[0]!, ...lines.slice(3)];
  const { indexes, summary } = await follow([{ lines: left, then: "ends" }]);
  assert.deepEqual(indexes, all.filter((index) => index < 10 || index >= 30));
  assert.equal(summary.warnings.length, 1);
  assert.match(summary.warnings[0]!, /^2 lines of the pod's log were lost/);
});

Deno.test("what the pod reports is thrown here", async () => {
  const error = {
    code: "MODEL_UNKNOWN",
    message: "serves no model yet",
    hint: "wait",
    exitCode: 3 as const,
    evidence: ["a line"],
  };
  await assert.rejects(
    follow([{ lines: runLines({ kind: "error", error }), then: "hangs" }]),
    (thrown) => {
      assert.ok(thrown instanceof TaskError);
      assert.deepEqual(
        [thrown.code, thrown.hint, thrown.exitCode, thrown.evidence],
        ["MODEL_UNKNOWN", "wait", 3, ["a line"]],
      );
      return true;
    },
  );
});

Deno.test("a pod that ended without a result, with its last words", async () => {
  const words = "2026-01-02T03:04:09Z error: Uncaught (in promise) Error: something";
  await assert.rejects(
    follow([{ lines: [...runLines().slice(0, 2), words], then: "ends" }], {
      ended: AbortSignal.abort(),
    }),
    { code: "BENCH_JOB_LOST", evidence: ["error: Uncaught (in promise) Error: something"] },
  );
});

Deno.test("a log that says nothing more is opened anew, and given up in the end", async () => {
  const calls: LogOptions[] = [];
  await using test = await testContext();
  await assert.rejects(
    followJob(test.ctx, scripted([{ lines: [], then: "hangs" }], calls), {
      pod: { name: "client", namespace: "graphs" },
      ended: new AbortController().signal,
      onProgress: () => {},
      onRequests: () => {},
      silenceMs: 200,
      giveUpMs: 900,
    }),
    { code: "BENCH_JOB_SILENT", exitCode: 4 },
  );
  assert.ok(calls.length >= 2, `${calls.length} calls`);
});
