import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { dueTimes, stagedLoad } from "./schedule.ts";
import { parseStages, type Stage, stagesText, totalMs } from "./stages.ts";
import { parseStagesFile } from "./stages_file.ts";

function times(stages: readonly Stage[], arrival: "constant" | "poisson", seed = 1): number[] {
  return dueTimes(stagedLoad(stages, { arrival }, 10), seed).toArray();
}

Deno.test("stages are read from text and from files, and written as text again", () => {
  const stages = parseStages("500ms@10, 30s@10-50,1m@50,2@0");
  assert.deepEqual(stages, [
    { durationMs: 500, from: 10, to: 10 },
    { durationMs: 30_000, from: 10, to: 50 },
    { durationMs: 60_000, from: 50, to: 50 },
    { durationMs: 2000, from: 0, to: 0 },
  ]);
  assert.equal(stagesText(stages), "0.5s@10,30s@10-50,60s@50,2s@0");
  assert.deepEqual(parseStages(stagesText(stages)), stages);
  assert.equal(totalMs(stages), 92_500);
  const file =
    "- {duration: 500ms, rate: 10}\n- {duration: 30, from: 10, to: 50}\n- 1m@50\n- 2@0\n";
  assert.deepEqual(parseStagesFile(file, "load.yaml"), stages);
});

const BAD: readonly [string, RegExp][] = [
  ["30s", /does not understand "30s"/],
  ["", /does not understand ""/],
  ["30s@10,", /does not understand ""/],
  ["30s@ten", /does not understand "30s@ten"/],
  ["30d@10", /"30d" is no time/],
  ["0s@10", /"0s" is no time/],
  ["1s@1.2.3", /"1\.2\.3" is no rate/],
  ["1s@2000000", /"2000000" is no rate/],
  ["5s@0", /never sends a request/],
  ["100h@1,100h@1", /takes 200 h/],
];
const BAD_FILES: readonly [string, RegExp][] = [
  ["{", /load\.yaml is not YAML/],
  ["duration: 3", /holds no list of stages/],
  ["", /holds no list of stages/],
  ["- 3", /stage 1 is neither a text nor a mapping/],
  ["- 1s@1\n- {duration: 3}", /stage 2: nothing is no rate/],
  ["- {rate: 3}", /stage 1: nothing is no time/],
  ["- {duration: 1, rate: 3, from: 1}", /has a rate and a ramp/],
  ["- {duration: 1, rat: 3}", /unknown field rat /],
];

Deno.test("what is not understood is refused with its words", () => {
  const refused = (run: () => unknown, pattern: RegExp) =>
    assert.throws(run, (error) => {
      assert.ok(error instanceof TaskError);
      assert.equal(error.code, "BENCH_OPTIONS");
      assert.equal(error.exitCode, 2);
      assert.match(error.message, pattern);
      return true;
    });
  for (const [text, pattern] of BAD) refused(() => parseStages(text), pattern);
  for (const [text, pattern] of BAD_FILES) {
    refused(() => parseStagesFile(text, "load.yaml"), pattern);
  }
});

Deno.test("constant stages: each has its gaps, and a pause has no request", () => {
  const due = times(parseStages("1s@0,1s@4,1s@0,1s@2"), "constant");
  assert.deepEqual(due, [1000, 1250, 1500, 1750, 3000, 3500]);
});

Deno.test("a ramp's rate is linear: request n is due when the rate's integral is n", () => {
  for (const [from, to] of [[0, 20], [20, 0], [5, 35]] as const) {
    const due = times([{ durationMs: 10_000, from, to }], "constant");
    const integral = (ms: number) => from * ms / 1000 + (to - from) / 10 * (ms / 1000) ** 2 / 2;
    assert.equal(due.length, (from + to) * 5);
    due.forEach((at, n) => assert.ok(Math.abs(integral(at) - n) < 1e-9, `request ${n} at ${at}`));
  }
});

Deno.test("Poisson stages: counts in each stage are Poisson's, the same for the same seed", () => {
  const stages = parseStages("100s@50,100s@50-150,100s@10");
  const due = times(stages, "poisson", 3);
  assert.deepEqual(times(stages, "poisson", 3), due);
  assert.notDeepEqual(times(stages, "poisson", 4), due);
  assert.ok(due.every((at, i) => at > (due[i - 1] ?? 0)));
  const expected: readonly [number, number, number][] = [
    [0, 100_000, 5000],
    [100_000, 150_000, 3750],
    [150_000, 200_000, 6250],
    [200_000, 300_000, 1000],
  ];
  for (const [start, end, mean] of expected) {
    const count = due.filter((at) => at >= start && at < end).length;
    assert.ok(Math.abs(count - mean) < 4 * Math.sqrt(mean), `${count} in place of ${mean}`);
  }
});
