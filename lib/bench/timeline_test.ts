import assert from "node:assert/strict";
import { Timeline } from "./timeline.ts";

Deno.test("bins hold the mean in flight, events and ends", () => {
  const timeline = new Timeline();
  timeline.addInFlight(0, 2);
  timeline.addInFlight(25, 2);
  timeline.addEvents(60, 3);
  timeline.addEnd(70, false);
  timeline.addEnd(70, true);
  timeline.addInFlight(100, -4);
  timeline.advance(150);
  assert.deepEqual(timeline.bins(), [
    { start: 0, inFlight: 3, events: 0, completed: 0, failed: 0 },
    { start: 50, inFlight: 4, events: 3, completed: 1, failed: 1 },
    { start: 100, inFlight: 0, events: 0, completed: 0, failed: 0 },
  ]);
});

Deno.test("a change that is reported late counts from its own time", () => {
  const timeline = new Timeline();
  timeline.addInFlight(0, 1);
  timeline.advance(80);
  timeline.addInFlight(40, -1);
  timeline.advance(100);
  assert.deepEqual(timeline.bins().map((bin) => bin.inFlight), [0.8, 0]);
  assert.equal(timeline.inFlight, 0);
});

Deno.test("a long run widens the bins and keeps the sums", () => {
  const timeline = new Timeline();
  timeline.addInFlight(0, 1);
  for (let at = 0; at < 400_000; at += 100) timeline.addEvents(at, 1);
  timeline.advance(400_000);
  assert.equal(timeline.width, 200);
  const bins = timeline.bins();
  assert.equal(bins.length, 2000);
  assert.ok(bins.every((bin) => bin.inFlight === 1 && bin.events === 2));
});

Deno.test("the steady span leaves out start, end and dips, not the gap between two requests", () => {
  const timeline = new Timeline();
  // Ten lanes come up over 200 ms, work for 2 s with short gaps, and end one by one.
  for (let lane = 0; lane < 10; lane++) timeline.addInFlight(lane * 20, 1);
  for (let at = 300; at < 2200; at += 100) {
    timeline.addInFlight(at, -1);
    timeline.addInFlight(at + 0.5, 1);
  }
  for (let lane = 0; lane < 10; lane++) timeline.addInFlight(2200 + lane * 20, -1);
  timeline.advance(2600);
  const span = timeline.steadySpan(0.9)!;
  assert.deepEqual(span, { start: 150, end: 2200 });
  const mean = timeline.meanInFlight(span)!;
  assert.ok(mean > 9.97 && mean < 10, `mean ${mean}`);
});

Deno.test("event rate counts whole bins of the span", () => {
  const timeline = new Timeline();
  timeline.addInFlight(0, 1);
  for (let at = 0; at < 1000; at += 10) timeline.addEvents(at, 1);
  timeline.advance(1000);
  assert.equal(timeline.eventRate({ start: 100, end: 900 }), 100);
  assert.equal(timeline.eventRate({ start: 110, end: 140 }), undefined);
  assert.equal(new Timeline().steadySpan(0.9), undefined);
});
