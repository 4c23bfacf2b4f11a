import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { drawLength, lengthsText, meanTokens, mostTokens, parseLengths } from "./lengths.ts";
import { seededRandom } from "./random.ts";

function draw(text: string, count: number): number[] {
  const lengths = parseLengths("input-tokens", text, 100_000);
  const random = seededRandom(7, 1);
  return Array.from({ length: count }, () => drawLength(lengths, random));
}

function moments(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(square) };
}

Deno.test("each form has its mean, its bounds and its text", () => {
  const forms: [string, number, number][] = [
    ["128", 128, 128],
    ["uniform:64-256", 160, 256],
    ["normal:128,32", 128, 256],
    ["70%:128,30%:2048", 704, 2048],
    ["70%:128,20%:normal:900,50,10%:uniform:1-3", 270, 1100],
  ];
  for (const [text, mean, most] of forms) {
    const lengths = parseLengths("input-tokens", text, 100_000);
    assert.equal(meanTokens(lengths), mean, text);
    assert.equal(mostTokens(lengths), most, text);
    assert.equal(lengthsText(lengths), text);
    assert.deepEqual(parseLengths("x", lengthsText(lengths), 100_000), lengths);
  }
});

Deno.test("draws follow the distribution", () => {
  assert.deepEqual([...new Set(draw("9", 10))], [9]);
  const uniform = draw("uniform:3-6", 20_000);
  for (const value of [3, 4, 5, 6]) {
    const share = uniform.filter((drawn) => drawn === value).length / 20_000;
    assert.ok(Math.abs(share - 0.25) < 0.015, `${value}: ${share}`);
  }
  assert.ok(uniform.every((value) => value >= 3 && value <= 6));
  const { mean, deviation } = moments(draw("normal:500,40", 20_000));
  assert.ok(Math.abs(mean - 500) < 1.5, `mean ${mean}`);
  assert.ok(Math.abs(deviation - 40) < 1.5, `deviation ${deviation}`);
  const wide = draw("normal:2,50", 5_000);
  assert.ok(wide.every((value) => value >= 1 && value <= 202 && Number.isInteger(value)));
  const mix = draw("70%:128,30%:2048", 20_000);
  const share = mix.filter((value) => value === 128).length / 20_000;
  assert.ok(Math.abs(share - 0.7) < 0.015, `share ${share}`);
});

Deno.test("what is no length is refused with its flag", () => {
  const bad: [string, RegExp][] = [
    ["", /"" is no whole number/],
    ["0", /"0" is no whole number from 1/],
    ["1.5", /"1\.5" is no whole number/],
    ["100001", /from 1 to 100000/],
    ["uniform:9-3", /9 is more than 3/],
    ["uniform:9", /"uniform:9" is no whole number/],
    ["normal:9,", /"" is no deviation/],
    ["normal:9,-1", /"-1" is no deviation/],
    ["zipf:3,4", /no whole number/],
    ["70%:1,20%:2", /add up to 90 %/],
    ["70%:1,2", /"1,2" is no whole number/],
    ["0%:1,100%:2", /"0%:1" has no share/],
    ["50%:50%:1,50%:3", /no whole number/],
  ];
  for (const [text, pattern] of bad) {
    assert.throws(() => parseLengths("output-tokens", text, 100_000), (error) => {
      assert.ok(error instanceof TaskError && error.exitCode === 2, text);
      assert.match(error.message, pattern);
      assert.match(error.message, /^--output-tokens /);
      return true;
    });
  }
});
