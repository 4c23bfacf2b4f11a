import assert from "node:assert/strict";
import { testContext } from "../../cli/testing.ts";
import { runBench } from "../bench.ts";
import { startMock } from "../mock.ts";
import { newRecord } from "../record.ts";
import type { BenchSummary } from "../summary.ts";
import { timely } from "../testing.ts";
import { costOfPrice } from "../cost.ts";
import { type Curve, curveHtml, curveOf, type CurvePoint, curveToText } from "./curve.ts";
import { curveCsv } from "./curve_csv.ts";
import { findHighest } from "./find.ts";
import { parseLevels } from "./levels.ts";
import { attainmentOf, isGood, parseSlo, sloText } from "./slo.ts";

Deno.test("service levels are read in ms and s", () => {
  assert.deepEqual(parseSlo("ttft=300ms, itl<=20ms,e2e=5s"), {
    ttftMs: 300,
    itlMs: 20,
    e2eMs: 5000,
  });
  assert.equal(sloText(parseSlo("tpot=1.5ms")), "itl ≤ 1.5 ms");
  for (const text of ["", "ttft", "ttft=300", "ttft=0ms", "speed=1ms", "ttft=1ms,ttft=2ms"]) {
    assert.throws(() => parseSlo(text), { code: "BENCH_OPTIONS" }, text);
  }
});

Deno.test("a good request meets every level, counted from the moment it was due", () => {
  const record = { ...newRecord(0, 0, 100), sent: 400, first: 450, last: 650, ended: 651 };
  const request = { ...record, events: 11, outputTokens: 11 };
  assert.equal(isGood(request, { ttftMs: 350, itlMs: 20, e2eMs: 550 }), true);
  assert.equal(isGood(request, { ttftMs: 349 }), false);
  assert.equal(isGood(request, { itlMs: 19.9 }), false);
  assert.equal(isGood(request, { e2eMs: 549 }), false);
  assert.equal(isGood({ ...request, failure: "reset" }, {}), false);
  assert.equal(isGood({ ...request, first: NaN }, { ttftMs: 1e9 }), false);
  assert.equal(isGood({ ...request, events: 1 }, { itlMs: 1 }), true);
});

Deno.test("few requests cannot prove a high share", () => {
  assert.ok(attainmentOf(20, 20).low < 0.9);
  assert.ok(attainmentOf(1000, 1000).low > 0.99);
  assert.deepEqual(attainmentOf(0, 0).share, 0);
});

Deno.test("loads of a sweep: lists, doubling, steps", () => {
  assert.deepEqual(parseLevels("8,1,4,4"), [1, 4, 8]);
  assert.deepEqual(parseLevels("1-20"), [1, 2, 4, 8, 16, 20]);
  assert.deepEqual(parseLevels("10-50:20"), [10, 30, 50]);
  assert.deepEqual(parseLevels("0.5-2"), [0.5, 1, 2]);
  for (const text of ["", "0", "a", "4-2", "1-1000:1", "1-2:0", "-1"]) {
    assert.throws(() => parseLevels(text), { code: "BENCH_OPTIONS" }, text);
  }
});

Deno.test("the search ends at the true limit, for any limit", async () => {
  for (let limit = 0; limit <= 130; limit++) {
    const { best, broke, probes } = await findHighest(
      { start: 8, most: 128, whole: true, resolution: 0, maxProbes: 50 },
      (load) => Promise.resolve({ ok: load <= limit, result: load }),
    );
    assert.equal(best?.load, limit === 0 ? undefined : Math.min(limit, 128), `limit ${limit}`);
    assert.equal(broke?.load, limit >= 128 ? undefined : limit + 1);
    assert.ok(probes.length <= 16, `${probes.length} probes`);
  }
});

Deno.test("the search stops at its resolution and at its number of probes", async () => {
  const search = (resolution: number, maxProbes: number) =>
    findHighest(
      { start: 1, most: 1000, whole: false, resolution, maxProbes },
      (load) => Promise.resolve({ ok: load <= 100, result: load }),
    );
  const rough = await search(0.1, 50);
  assert.ok(rough.best!.load > 85 && rough.best!.load <= 100);
  assert.ok(rough.broke!.load - rough.best!.load <= 0.1 * rough.broke!.load);
  assert.equal((await search(0, 3)).probes.length, 3);
});

Deno.test("a sweep over a server gives a curve, a table and a page", () =>
  timely(async () => {
    await using test = await testContext();
    await using server = await startMock({ ttftMs: 10, itlMs: 2 });
    const slo = parseSlo("ttft=500ms,itl=50ms");
    const points: CurvePoint[] = [];
    for (const load of [2, 8]) {
      let good = 0;
      const summary: BenchSummary = await runBench(test.ctx, {
        url: server.url,
        concurrency: load,
        requests: 120,
        outputTokens: 16,
        onRequests: (records) => good += records.filter((record) => isGood(record, slo)).length,
      });
      points.push({
        load,
        summary,
        attainment: attainmentOf(good, summary.requests.scheduled),
      });
    }
    const curve = curveOf({ axis: "concurrency", slo, target: 0.9, points });
    assert.equal(curve.best, 8, JSON.stringify(points.map((point) => point.attainment)));
    assert.match(curveToText(curve), /Up to 8 requests in flight keep ttft ≤ 500 ms, itl ≤ 50 ms/);
    const html = curveHtml("a <b>", curve);
    assert.match(html, /a &#60;b&#62;/);
    assert.equal(html.match(/<svg/g)?.length, 2);
    checkCosts(curve);
    const none = curveOf({ axis: "rate", slo: parseSlo("ttft=1ms"), target: 0.9, points: [] });
    assert.match(curveToText(none), /No load that was tried keeps/);
  }));

/** A column of costs where prices are known, in all three forms; none where they are not. */
function checkCosts(curve: Curve): void {
  assert.doesNotMatch(curveToText(curve) + curveHtml("x", curve), /USD/);
  const points = curve.points.map((point, i) => {
    const output = [2_000, 5_000][i]!;
    const cost = costOfPrice(36, { output, good: output / 2 });
    return { ...point, summary: { ...point.summary, cost } };
  });
  const { axis, slo, target } = curve;
  const priced = curveOf({ axis, slo, target, points: points.toReversed() });
  const lines = curveToText(priced).split("\n");
  const at = lines[0]!.indexOf("USD/M") + "USD/M".length;
  assert.deepEqual(
    lines.slice(1, 3).map((line) => line.slice(0, at).trim().split(/\s+/).at(-1)),
    ["2.00", "5.00"],
  );
  assert.match(lines.at(-1)!, /USD\/M: .* at 36\.00 USD an hour \(--price-per-hour\)/);
  const html = curveHtml("x", priced);
  assert.match(html, /<th>USD\/M<\/th>/);
  assert.match(html, /<td>5\.00<\/td>[^]*<td>2\.00<\/td>/, "sorted by load");
  const [head, ...rows] = curveCsv(priced).trimEnd().split("\n").map((row) => row.split(","));
  const column = (name: string) => rows.map((row) => row[head!.indexOf(name)]);
  assert.deepEqual(column("concurrency"), ["2", "8"]);
  assert.deepEqual(column("usd_per_million_output_tokens"), ["5", "2"]);
  assert.deepEqual(column("usd_per_million_good_tokens"), ["10", "4"]);
  assert.ok(rows.every((row) => row.length === head!.length));
}
