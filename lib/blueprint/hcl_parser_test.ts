import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { parseTfvars, plainValue } from "./hcl_parser.ts";

function read(text: string): Record<string, unknown> {
  return Object.fromEntries(
    parseTfvars("a.tfvars", text).map((entry) => [entry.key, plainValue(entry.value)]),
  );
}

function problem(text: string): string {
  try {
    parseTfvars("a.tfvars", text);
  } catch (error) {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.code, "TFVARS_SYNTAX");
    assert.equal(error.exitCode, 3);
    return error.message;
  }
  return assert.fail(`accepted: ${text}`);
}

const GOOD: Readonly<Record<string, readonly [string, Record<string, unknown>]>> = {
  "an empty file": ["", {}],
  "blank lines and comments": ["\n# a\n// b\n/* c\n d */\n\n", {}],
  "constants": [
    'a = "x"\nb = 12\nc = -1.5e3\nd = true\ne = false\nf = null\n',
    { a: "x", b: 12, c: -1500, d: true, e: false, f: null },
  ],
  "no line end at the end": ["a = 1", { a: 1 }],
  "line ends of Windows": ["a = 1\r\nb = 2 # x\r\n", { a: 1, b: 2 }],
  "a byte order mark": ["\ufeffa = 1", { a: 1 }],
  "comments behind values": ["a = 1 # x\nb = 2 // y\nc = /* z */ 3 /* w */\n", {
    a: 1,
    b: 2,
    c: 3,
  }],
  "a comment over lines does not end a line": ["a = [1, /* x\n */ 2]", { a: [1, 2] }],
  "comment marks inside a text": ['a = "# // /* */"', { a: "# // /* */" }],
  "escapes": ['a = "\\n\\r\\t\\"\\\\\\u00e9\\U0001F600"', { a: '\n\r\t"\\é😀' }],
  "template marks that are escaped": ['a = "$${x} %%{y} $ % $$ $x"', { a: "${x} %{y} $ % $$ $x" }],
  "names with - and of other scripts": [
    'a-b = 1\n_c = 2\nrégion = 3\n名前 = "日本"',
    { "a-b": 1, _c: 2, "région": 3, "名前": "日本" },
  ],
  "lists": ["a = []\nb = [1,]\nc = [\n  1, # one\n  [2],\n]\n", { a: [], b: [1], c: [1, [2]] }],
  "objects": [
    'a = {}\nb = { x = 1, "y z" : 2 }\nc = {\n  x = 1\n\n  y = { z = [true]\n }\n  3 = 4\n}\n',
    { a: {}, b: { x: 1, "y z": 2 }, c: { x: 1, y: { z: [true] }, 3: 4 } },
  ],
  "keys that objects of JavaScript have": [
    "a = { __proto__ = 1, constructor = 2 }\n__proto__ = 3",
    Object.fromEntries([
      ["a", Object.fromEntries([["__proto__", 1], ["constructor", 2]])],
      ["__proto__", 3],
    ]),
  ],
  "heredocs": ['a = <<EOT\n  x\n\\n "y" $${z}\n  EOT\nb = 1', { a: '  x\n\\n "y" ${z}\n', b: 1 }],
  "an empty heredoc": ["a = <<EOT\nEOT\n", { a: "" }],
  "heredocs without indent": [
    "a = <<-EOT\n    x\n      y\n\n    z\n  EOT\n",
    { a: "x\n  y\n\nz\n" },
  ],
  "heredocs inside": ["a = [<<A\n1\nA\n, { b = <<B\n2\nB\n}]", { a: ["1\n", { b: "2\n" }] }],
};

for (const [title, [text, expected]] of Object.entries(GOOD)) {
  Deno.test(`reads ${title}`, () => assert.deepEqual(read(text), expected));
}

const BAD: readonly (readonly [string, string, RegExp])[] = [
  ["a = ", "1:5", /expected a value, found the end of the file/],
  ["a = \nb = 1", "1:5", /expected a value, found the end of the line/],
  ["a", "1:2", /expected = behind "a"/],
  ["a\n= 1", "1:2", /expected = behind "a"/],
  ["a 1", "1:3", /expected = behind "a", found "1"/],
  ["\n\n  1a = 2", "3:3", /expected a number, found "1a"/],
  ['"a" = 1', "1:1", /expected the name of a setting/],
  ["a = 1 b = 2", "1:7", /expected the end of the line behind the value of "a", found "b"/],
  ["a = 1,", "1:6", /expected the end of the line/],
  ["a = x", "1:5", /expected a value, found "x"/],
  ["a = True", "1:5", /expected a value, found "True"/],
  ["a = var.x", "1:5", /expected a value, found "var"/],
  ["a = f(1)", "1:5", /expected a value, found "f"/],
  ["a = 1 + 2", "1:7", /found \+/],
  ["a = .5", "1:5", /found \./],
  ["a = 5.", "1:5", /expected a number, found "5\."/],
  ["a = 0x1F", "1:5", /expected a number, found "0x1F"/],
  ["a = 1e999", "1:5", /expected a number of a size/],
  ["a = -true", "1:6", /expected a number behind -/],
  ["block {\n}", "1:7", /blocks are not allowed here/],
  ['block "x" {\n}', "1:7", /blocks are not allowed here/],
  ["a = 1\nb = 2\na = 3", "3:1", /expected "a" once, found it again \(first on line 1\)/],
  ['a = {\n x = 1\n "x" = 2\n}', "3:2", /expected "x" once/],
  ["a = [1 2]", "1:8", /expected , or \] in this list, found "2"/],
  ["a = [1,,2]", "1:8", /expected a value, found ","/],
  ["a = [1", "1:7", /expected , or \] in this list, found the end of the file/],
  ["a = {x = 1 y = 2}", "1:12", /expected , or } or the end of the line/],
  ["a = {x\n= 1}", "1:7", /expected = or : behind the key "x"/],
  ["a = {[1] = 2}", "1:6", /expected a key or } in this object/],
  ["a = {x = 1", "1:11", /expected , or }/],
  ['a = "x', "1:5", /expected " at the end of this text, on the same line/],
  ['a = "x\ny"', "1:5", /expected " at the end of this text/],
  ["a = 'x'", "1:5", /expected a text in double quotes/],
  ['a = "é日${b}"', "1:8", /expected a constant text, found the template/],
  ['a = "%{ if b }"', "1:6", /expected a constant text, found the template/],
  ['a = "\\x"', "1:6", /expected an escape .* found "\\x"/],
  ['a = "\\ud800"', "1:6", /expected an escape/],
  ["a = <<EOT\nx\n", "1:5", /expected a line with EOT alone/],
  ["a = <<EOT\nx\nEOT", "1:5", /and a line end behind it/],
  ["a = << EOT\nx\nEOT\n", "1:5", /expected a marker and a line end behind <</],
  ["a = <<EOT\n${b}\nEOT\n", "2:1", /found the template/],
  ["a = 1 /* x", "1:7", /expected \*\/ at the end of this comment/],
  ["a\u00a0= 1", "1:2", /found U\+00A0/],
  [`a = ${"[".repeat(101)}`, "1:105", /expected at most 100 levels/],
];

for (const [text, place, pattern] of BAD) {
  Deno.test(`refuses ${JSON.stringify(text.slice(0, 30))}`, () => {
    const message = problem(text);
    assert.ok(message.startsWith(`a.tfvars:${place}: `), message);
    assert.match(message, pattern);
  });
}

Deno.test("every value and key knows its place", () => {
  const [first, second] = parseTfvars("a.tfvars", '# x\na = "é" \n  b = {\n  c = [ 1,\n 2 ]\n}\n');
  assert.deepEqual(first?.at, { line: 2, column: 1 });
  assert.deepEqual(first?.value.at, { line: 2, column: 5 });
  assert.ok(second?.value.kind === "object");
  const [c] = second.value.entries;
  assert.deepEqual(c?.at, { line: 4, column: 3 });
  assert.ok(c?.value.kind === "list");
  assert.deepEqual(c.value.items.map((item) => item.at), [
    { line: 4, column: 9 },
    { line: 5, column: 2 },
  ]);
});
