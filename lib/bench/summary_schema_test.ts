// summary.json against the schema that is published beside its description, in all its variants.
import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { type JsonSchema, schemaProblems } from "../graph/json_schema.ts";
import { runBench } from "./bench.ts";
import { costOf, costOfPrice } from "./cost.ts";
import { startMock } from "./mock.ts";
import { urlSource } from "./server/source.ts";
import type { ServerSummary } from "./server/types.ts";
import { watchServer } from "./server/watch.ts";
import published from "./summary.schema.json" with { type: "json" };
import { timely } from "./testing.ts";

const SCHEMA = published as unknown as JsonSchema;

function check(summary: unknown): void {
  // As a reader has it; closed, so that no field is without a description.
  const read = JSON.parse(JSON.stringify(summary));
  assert.deepEqual(schemaProblems(SCHEMA, read, { closed: true }), []);
}

Deno.test("summaries keep to the published schema: a good run, a failed one, and without streams", () =>
  timely(async () => {
    await using test = await testContext();
    await using good = await startMock({ ttftMs: 2, itlMs: 1 });
    await using bad = await startMock({
      ttftMs: 2,
      itlMs: 1,
      faults: [{ kind: "status", every: 3, offset: 1, status: 503 }],
    });
    const { ctx } = test;
    const load = { concurrency: 4, requests: 40, outputTokens: 8, warmup: 0 };
    const server = watchServer({
      clock: ctx.clock,
      open: () => Promise.resolve([urlSource(ctx, { url: good.url })]),
      intervalMs: 50,
    });
    const summary = await runBench(ctx, { ...load, url: good.url, server });
    check(summary);
    check(
      await runBench(ctx, {
        ...load,
        url: bad.url,
        requests: undefined,
        rate: 50,
        durationMs: 500,
      }),
    );
    check(await runBench(ctx, { ...load, url: good.url, stream: false }));
    const rates = { output: 100, good: 50 };
    check({ ...summary, cost: costOfPrice(2, rates) });
    const nodes = [{
      name: "n",
      instanceType: "g5.xlarge",
      capacityType: undefined,
      share: 0.5,
      pricePerHour: 1,
    }];
    const prices = { source: "table", date: "2026-07-20", region: "us-east-1" } as const;
    check({ ...summary, cost: costOf(nodes, prices, { rates, simulated: true }) });
    const level = { mean: 1, max: 2 };
    const gpu = { utilisation: level, memory_bytes: level, power_w: null };
    check({ ...summary, server: { ...summary.server, gpu } as ServerSummary });
    // The check itself finds what is wrong.
    const problems = schemaProblems(
      SCHEMA,
      JSON.parse(JSON.stringify({ ...summary, wall_s: "1" })),
    );
    assert.equal(problems.length, 1, JSON.stringify(problems));
    const { valid: _, ...incomplete } = summary;
    assert.equal(schemaProblems(SCHEMA, JSON.parse(JSON.stringify(incomplete))).length, 1);
  }));
