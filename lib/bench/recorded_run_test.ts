// A recorded run of real Dynamo, summed up by numpy and by us.
import assert from "node:assert/strict";
import vectors from "../../tests/fixtures/statistics/vectors.json" with { type: "json" };
import { testContext } from "../cli/testing.ts";
import { newRecord, type RequestRecord, timePerToken } from "./record.ts";
import { samplesOf } from "./samples.ts";
import { Timeline } from "./timeline.ts";

const RUN = new URL("../../tests/fixtures/statistics/run.jsonl", import.meta.url);

async function records(): Promise<RequestRecord[]> {
  await using test = await testContext();
  const lines = (await test.ctx.fs.readTextFile(RUN)).trim().split("\n");
  return lines.map((line) => {
    const read = JSON.parse(line);
    return {
      ...newRecord(read.index, read.lane, read.scheduled_ms),
      sent: read.sent_ms,
      first: read.first_ms,
      last: read.last_ms,
      ended: read.ended_ms,
      events: read.events,
      firstTokens: read.first_tokens,
      outputTokens: read.output_tokens,
    };
  });
}

function close(actual: number, expected: number, what: string): void {
  const error = Math.abs(actual - expected) / Math.max(1e-9, Math.abs(expected));
  assert.ok(error < 1e-9, `${what}: ${actual}, numpy has ${expected}`);
}

Deno.test("latencies of a recorded run are numpy's", async () => {
  const run = await records();
  const measures = {
    ttft_ms: (record: RequestRecord) => record.first - record.scheduled,
    ttft_service_ms: (record: RequestRecord) => record.first - record.sent,
    tpot_ms: timePerToken,
    e2e_ms: (record: RequestRecord) => record.last - record.scheduled,
    e2e_service_ms: (record: RequestRecord) => record.last - record.sent,
  };
  for (const [name, of] of Object.entries(measures)) {
    const expected = vectors.run[name as keyof typeof measures];
    const found = samplesOf(run.map(of)).distribution()!;
    for (const [figure, value] of Object.entries(expected)) {
      close(found[figure as keyof typeof found], value, `${name}.${figure}`);
    }
  }
});

Deno.test("the steady window of a recorded run is numpy's", async () => {
  const changes = (await records()).flatMap(({ sent, ended }) => [
    { at: sent, by: 1 },
    { at: ended, by: -1 },
  ]).sort((a, b) => a.at - b.at);
  const timeline = new Timeline();
  for (const { at, by } of changes) timeline.addInFlight(at, by);
  const span = timeline.steadySpan(0.9)!;
  close(span.start, vectors.run.steady_window.start, "start");
  close(span.end, vectors.run.steady_window.end, "end");
});
