import assert from "node:assert/strict";
import type { BenchProgress } from "../bench/options.ts";
import { ttyUi } from "../cli/ui_tty.ts";
import { testContext } from "../cli/testing.ts";
import { BenchPanel, Sparkline } from "./bench_panel.ts";
import { progressText, showProgress } from "./bench_progress.ts";

function snapshot(seconds: number, more: Partial<BenchProgress> = {}): BenchProgress {
  return {
    phase: "run",
    elapsedMs: 1000 * seconds,
    done: 100 * seconds,
    total: 1000,
    durationMs: undefined,
    failed: 0,
    failures: {},
    inFlight: 32,
    eventsPerSecond: 6400,
    ttftMs: 50,
    tpotMs: 10,
    lagMs: 0.4,
    ...more,
  };
}

Deno.test("the lines say how far, rates, latencies, failures and the client's lateness", () => {
  const panel = new BenchPanel();
  assert.deepEqual(panel.lines(snapshot(0, { phase: "warmup" })), []);
  for (let second = 0; second < 5; second++) panel.lines(snapshot(second));
  const lines = panel.lines(snapshot(5, {
    ttftMs: 400,
    lagMs: 7.25,
    failed: 9,
    failures: { http_503: 5, reset: 2, truncated: 1, timeout: 1 },
  }));
  const text = lines.join("\n");
  assert.match(text, /█{15}░{15} 50 %, 500 of 1000, 5\.0 s left/);
  assert.match(text, /Requests +100\/s .*500 done, 32 in flight/);
  assert.match(text, /Output +6400 events\/s +█{5}$/m);
  assert.match(text, /TTFT +400 ms +▂▂▂▂█$/m);
  assert.match(text, /Failed +9: 5 × http_503, 2 × reset, 1 × truncated, …/);
  assert.match(text, /Client +late by 7\.3 ms, at most 7\.3 ms/);
  assert.ok(lines.every((line) => [...line].length <= 78), text);
});

Deno.test("a line over time stays as wide however long a run is", () => {
  const line = new Sparkline();
  for (let i = 0; i < 10_000; i++) line.add(i < 5000 ? 1 : 8);
  const text = line.toString();
  assert.ok(text.length >= 12 && text.length <= 24, text);
  assert.match(text, /^▂+[▃-▇]?█+$/);
  assert.equal(new Sparkline().toString(), "");
});

Deno.test("on a terminal lines are redrawn and taken away; elsewhere they are sentences", async () => {
  await using test = await testContext();
  let written = "";
  const ui = ttyUi({
    writeError: (text) => written += text,
    writeOut: () => {},
    now: () => performance.now(),
    verbose: false,
    color: false,
    width: 60,
    columns: () => 60,
  });
  await showProgress({ ...test.ctx, ui }, "Measure it").during((onProgress) => {
    onProgress(snapshot(1));
    onProgress(snapshot(2));
    return Promise.resolve();
  });
  ui.close();
  assert.match(written, /Output +6400 events\/s/);
  assert.match(written, /\x1b\[\d+A\x1b\[0J/);
  for (const line of written.split("\n")) {
    assert.ok([...line.replace(/\x1b\[[?\d]*[a-zA-Z]/g, "")].length <= 60, line);
  }
  assert.match(written.slice(written.lastIndexOf("\x1b[0J")), /✓ Measure it/);
  await showProgress(test.ctx, "Measure it").during((onProgress) => {
    onProgress(snapshot(1));
    return Promise.resolve();
  });
  assert.deepEqual(test.heard.talk.length, 2);
  assert.match(progressText(snapshot(1)), /100 of 1000 requests, 6400 events\/s, TTFT 50 ms, ITL/);
});
