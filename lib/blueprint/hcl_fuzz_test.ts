import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { type HclValue, parseTfvars, plainValue } from "./hcl_parser.ts";

const RUNS = 100_000;

const SEED = [
  'name = "demo" # x\n',
  'a-b = "\\n\\u00e9 $${x} \\"q\\""\n',
  "list = [1, -2.5e3, true, null, [\n], ]\n",
  'object = { x = 1, "y" : "z"\n 3 = { w = [] } }\n',
  "text = <<-EOT\n    a\n  b\n  EOT\n",
  "/* c\n*/ d = false // e\n",
].join("");

const PIECES = [
  "=",
  ":",
  ",",
  "[",
  "]",
  "{",
  "}",
  "(",
  "-",
  '"',
  "\\",
  "\\u12",
  "${",
  "$${",
  "%{",
  "<<EOT\n",
  "<<-E\n",
  "EOT\n",
  "E\n",
  "#",
  "//",
  "/*",
  "*/",
  "\n",
  "\r\n",
  " ",
  "\t",
  "0",
  "1e9",
  "1e999",
  ".",
  "true",
  "null",
  "name",
  "é",
  "名",
  "😀",
  "\ud800",
  "\u0000",
  "\ufeff",
  "\u2028",
  "'",
  ";",
  "__proto__",
];

/** Whole numbers below `n`, the same in every run (mulberry32). */
function randomNumbers(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

function mutated(text: string, random: (n: number) => number): string {
  let result = text;
  for (let i = random(6); i >= 0; i--) {
    const at = random(result.length + 1);
    const cut = random(3) === 0 ? random(20) : random(2);
    result = result.slice(0, at) + PIECES[random(PIECES.length)] + result.slice(at + cut);
  }
  return random(10) === 0 ? result.slice(0, random(result.length + 1)) : result;
}

function checkPlaces(value: HclValue, lines: readonly string[]): void {
  const line = lines[value.at.line - 1];
  assert.ok(line !== undefined && value.at.column <= [...line].length, "a place outside the text");
  if (value.kind === "list") { for (const item of value.items) checkPlaces(item, lines); }
  if (value.kind === "object") {
    for (const entry of value.entries) {
      checkPlaces(entry.value, lines);
    }
  }
}

Deno.test(`${RUNS} damaged files give a result or an error with a place`, () => {
  const random = randomNumbers(1);
  let accepted = 0;
  let slowest = 0;
  for (let run = 0; run < RUNS; run++) {
    const text = mutated(SEED, random);
    const start = performance.now();
    try {
      const entries = parseTfvars("f", text);
      accepted++;
      const lines = text.split("\n");
      for (const entry of entries) {
        checkPlaces(entry.value, lines);
        JSON.stringify(plainValue(entry.value));
      }
    } catch (error) {
      assert.ok(error instanceof TaskError, `${JSON.stringify(text)}: ${error}`);
      assert.match(error.message, /^f:\d+:\d+: expected /, JSON.stringify(text));
      const [, line = 0, column = 0] = error.message.split(":").map(Number);
      const lines = text.split("\n");
      assert.ok(line >= 1 && line <= lines.length, "a line outside the text");
      assert.ok(column >= 1 && column <= [...lines[line - 1]!].length + 1, "a column outside");
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  assert.ok(accepted > RUNS / 100, `only ${accepted} were accepted: the damage is too great`);
  assert.ok(accepted < RUNS * 0.9, `${accepted} were accepted: the damage is too small`);
  assert.ok(slowest < 1000, `one took ${slowest} ms`);
});

Deno.test("long and deep files are read or refused in time", () => {
  const start = performance.now();
  const long = Array.from({ length: 5000 }, (_, i) => `k${i} = "${"x".repeat(50)}"\n`).join("");
  assert.equal(parseTfvars("f", long).length, 5000);
  for (const mark of ["[", "{a=", "-", '"', "/*", "<<A\n", "(", "a = "]) {
    assert.throws(() => parseTfvars("f", `a = ${mark.repeat(20_000)}`), TaskError);
  }
  assert.ok(performance.now() - start < 3000, "too slow");
});
