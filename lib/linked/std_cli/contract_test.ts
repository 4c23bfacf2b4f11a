/**
 * What the project counts on in `@std/cli`. Holds for the edition and for the original.
 */
import { parseArgs, promptSecret, unicodeWidth } from "@std/cli";
import assert from "node:assert/strict";

type Options = NonNullable<Parameters<typeof parseArgs>[1]>;

const CASES: readonly (readonly [string, readonly string[], Options, Record<string, unknown>])[] = [
  [
    "flags, values and operands",
    ["--foo", "--bar=baz", "./quux.txt"],
    {},
    { foo: true, bar: "baz", _: ["./quux.txt"] },
  ],
  ["nothing", [], {}, { _: [] }],
  ["a value behind its flag", ["--a", "x", "y"], {}, { a: "x", _: ["y"] }],
  ["numbers", ["--n", "5", "-m", "1.5", "7"], {}, { n: 5, m: 1.5, _: [7] }],
  ["numbers as texts", ["--n", "5", "7"], { string: ["n", "_"] }, { n: "5", _: ["7"] }],
  ["declared flags take no value", ["--foo", "bar"], { boolean: ["foo"] }, {
    foo: true,
    _: ["bar"],
  }],
  ["flags that were not given are false", [], { boolean: ["foo"] }, { foo: false, _: [] }],
  ["a text without a value is empty", ["--s"], { string: ["s"] }, { s: "", _: [] }],
  ["true and false are values of flags", ["--foo", "false"], { boolean: ["foo"] }, {
    foo: false,
    _: [],
  }],
  ["a flag set with =", ["--foo=false"], { boolean: ["foo"] }, { foo: false, _: [] }],
  ["letters in one word", ["-abc"], {}, { a: true, b: true, c: true, _: [] }],
  ["letters in one word, the last with a value", ["-ab", "x"], {}, { a: true, b: "x", _: [] }],
  [
    "other names",
    ["-v", "--output", "f"],
    { boolean: ["verbose"], alias: { verbose: "v", output: ["o", "out"] } },
    { v: true, verbose: true, output: "f", o: "f", out: "f", _: [] },
  ],
  ["defaults", ["--a", "x"], { default: { a: "d", b: 2 } }, { a: "x", b: 2, _: [] }],
  ["the last value wins", ["--a", "x", "--a", "y"], {}, { a: "y", _: [] }],
  [
    "values are gathered",
    ["--foo", "bar", "--foo", "baz"],
    { collect: ["foo"], string: ["foo"] },
    { foo: ["bar", "baz"], _: [] },
  ],
  ["gathered values start empty", [], { collect: ["foo"], string: ["foo"] }, { foo: [], _: [] }],
  [
    "--no- turns a flag off",
    ["--no-foo"],
    { boolean: ["foo"], negatable: ["foo"] },
    { foo: false, _: [] },
  ],
  ["--no- of another flag is a flag", ["--no-foo"], {}, { "no-foo": true, _: [] }],
  ["-- ends options", ["--a", "--", "--b", "c"], {}, { a: true, _: ["--b", "c"] }],
  [
    "-- ends options, apart",
    ["x", "--", "--b", "5"],
    { "--": true },
    { _: ["x"], "--": ["--b", "5"] },
  ],
  [
    "stopEarly ends options at the first operand",
    ["--a", "--b=1", "run", "--c"],
    { stopEarly: true, boolean: ["a"] },
    { a: true, b: 1, _: ["run", "--c"] },
  ],
  ["a value that starts with =", ["--a=b=c"], {}, { a: "b=c", _: [] }],
  ["an empty value", ["--a="], { string: ["a"] }, { a: "", _: [] }],
];

for (const [title, args, options, expected] of CASES) {
  Deno.test(`parseArgs: ${title}`, () => {
    assert.deepEqual({ ...parseArgs([...args], options) }, expected);
  });
}

Deno.test("parseArgs tells of what is not declared", () => {
  const heard: unknown[] = [];
  const result = parseArgs(["--known", "x", "--other=y", "operand"], {
    string: ["known"],
    unknown: (arg, key, value) => {
      heard.push([arg, key, value]);
      return false;
    },
  });
  assert.deepEqual({ ...result }, { known: "x", _: [] });
  assert.deepEqual(heard, [["--other=y", "other", "y"], ["operand", undefined, undefined]]);
});

Deno.test("parseArgs does not touch the prototype of objects", () => {
  parseArgs(["--__proto__=x", "--__proto__", "y"]);
  assert.equal(({} as Record<string, unknown>)["x"], undefined);
  assert.equal(Object.getPrototypeOf({}), Object.prototype);
});

Deno.test("unicodeWidth counts columns", () => {
  const widths: readonly (readonly [string, number])[] = [
    ["", 0],
    ["hello world", 11],
    ["天地玄黃宇宙洪荒", 16],
    ["ｆｕｌｌｗｉｄｔｈ", 18],
    ["голубой", 7],
    ["é", 1],
    ["e\u0301", 1],
    ["한국", 4],
    ["🦕", 2],
    ["█░✓•…", 5],
  ];
  for (const [text, width] of widths) assert.equal(unicodeWidth(text), width, text);
});

Deno.test("promptSecret without a terminal is null", async () => {
  const child = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "import { promptSecret } from '@std/cli'; console.log(promptSecret('x'))"],
    cwd: new URL("../../..", import.meta.url),
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(new TextDecoder().decode(child.stdout), "null\n");
  assert.equal(typeof promptSecret, "function");
});
