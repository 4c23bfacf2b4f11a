/**
 * What the project counts on in `@std/yaml`. Holds for the edition and for the original.
 */
import { parse, parseAll, stringify } from "@std/yaml";
import assert from "node:assert/strict";

Deno.test("parse reads one document", () => {
  assert.deepEqual(parse("id: 1\nname: Alice\nlist:\n  - qux\n  - - a\n    - b: c\n"), {
    id: 1,
    name: "Alice",
    list: ["qux", ["a", { b: "c" }]],
  });
  assert.deepEqual(parse('{"a": [1, 2.5, true, null, "x"]}'), { a: [1, 2.5, true, null, "x"] });
});

Deno.test("parse of nothing is null", () => {
  for (const text of ["", "\n", "# only a comment\n", "---\n"]) assert.equal(parse(text), null);
});

Deno.test("plain scalars follow YAML 1.2: yes, no, on and off are texts", () => {
  assert.deepEqual(parse("a: yes\nb: no\nc: on\nd: off\ne: True\nf: ~\ng: 0x1F\nh: 1e3\ni: .inf"), {
    a: "yes",
    b: "no",
    c: "on",
    d: "off",
    e: true,
    f: null,
    g: 31,
    h: 1000,
    i: Infinity,
  });
});

Deno.test("the default schema knows time stamps and merge keys, the core schema does not", () => {
  assert.deepEqual(parse("a: 2024-01-02"), { a: new Date("2024-01-02T00:00:00Z") });
  assert.deepEqual(parse("a: 2024-01-02", { schema: "core" }), { a: "2024-01-02" });
  assert.deepEqual(parse("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n"), {
    x: { a: 1, b: 2 },
    y: { a: 1, b: 3 },
  });
  assert.deepEqual(parse("a: 1", { schema: "failsafe" }), { a: "1" });
});

Deno.test("texts of several lines", () => {
  assert.deepEqual(parse("a: |\n  x\n   y\nb: >\n  x\n  y\nc: |-\n  z\n"), {
    a: "x\n y\n",
    b: "x y\n",
    c: "z",
  });
});

Deno.test("parseAll reads every document", () => {
  assert.deepEqual(parseAll("---\nid: 1\n---\nid: 2\n---\n---\nid: 3\n"), [
    { id: 1 },
    { id: 2 },
    null,
    { id: 3 },
  ]);
  assert.deepEqual(parseAll(""), []);
});

Deno.test("parse refuses a second document", () => {
  assert.throws(() => parse("a: 1\n---\nb: 2\n"), SyntaxError);
});

Deno.test("mistakes are SyntaxErrors that name line and column", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["a: b: c\n", 1],
    ["a: 1\nb: [1, 2\nc: 3\n", 3],
    ['a: "x\n', 2],

    ["a: *unknown\n", 1],
    ["a: !mine x\n", 1],
  ];
  for (const [text, line] of cases) {
    for (const read of [parse, parseAll]) {
      assert.throws(() => read(text), (error) => {
        assert.ok(error instanceof SyntaxError, text);
        assert.match(error.message, /at line \d+, column \d+/);
        const found = Number(/at line (\d+)/.exec(error.message)?.[1]);
        assert.ok(Math.abs(found - line) <= 1, `${JSON.stringify(text)}: ${error.message}`);
        return true;
      });
    }
  }
});

Deno.test("equal keys are refused unless they are allowed", () => {
  assert.throws(() => parse("a: 1\na: 2\n"), SyntaxError);
  assert.deepEqual(parse("a: 1\na: 2\n", { allowDuplicateKeys: true }), { a: 2 });
});

Deno.test("keys that every object has do no harm", () => {
  const value = parse("__proto__: {polluted: true}\n") as Record<string, unknown>;
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  assert.ok(Object.hasOwn(value, "__proto__"));
});

Deno.test("stringify writes block style, two spaces, lists below their key", () => {
  assert.equal(
    stringify({ foo: "bar", baz: ["qux", { a: 1, b: [] }], empty: {}, none: null, yes: true }),
    "foo: bar\nbaz:\n  - qux\n  - a: 1\n    b: []\nempty: {}\nnone: null\n'yes': true\n",
  );
  assert.equal(stringify({ a: ["x"] }, { arrayIndent: false }), "a:\n- x\n");
  assert.equal(stringify({ a: { b: 1 } }, { indent: 4 }), "a:\n    b: 1\n");
  assert.equal(stringify({ a: { b: [1, 2] } }, { flowLevel: 1 }), "a: {b: [1, 2]}\n");
});

Deno.test("stringify quotes texts that would be read as something else", () => {
  const texts = [
    "true",
    "null",
    "~",
    "1",
    "0x1F",
    "1e3",
    "yes",
    "",
    "- a",
    "a: b",
    "# c",
    " x",
    "@y",
  ];
  for (const text of [...texts, "2024-01-02", "*x", "&x", "!x", "%x", "'", '"', "a\tb", "é😀"]) {
    assert.deepEqual(parse(stringify({ a: text })), { a: text }, text);
  }
});

Deno.test("stringify sorts keys when asked", () => {
  assert.equal(
    stringify({ b: 1, a: { d: 1, c: 2 } }, { sortKeys: true }),
    "a:\n  c: 2\n  d: 1\nb: 1\n",
  );
  assert.equal(
    stringify({ a: 1, b: 2 }, { sortKeys: (x, y) => x < y ? 1 : -1 }),
    "b: 2\na: 1\n",
  );
});

Deno.test("stringify folds at lineWidth and keeps lines whole with -1", () => {
  const text = `${"word ".repeat(30)}end`;
  assert.ok(stringify({ a: text }).split("\n").length > 2);
  assert.equal(stringify({ a: text }, { lineWidth: -1 }), `a: ${text}\n`);
  assert.deepEqual(parse(stringify({ a: text })), { a: text });
});

Deno.test("stringify writes objects met twice as references, or in full", () => {
  const shared = { x: 1 };
  assert.match(stringify({ a: shared, b: shared }), /&ref_0/);
  assert.equal(
    stringify({ a: shared, b: shared }, { useAnchors: false }),
    "a:\n  x: 1\nb:\n  x: 1\n",
  );
});

Deno.test("stringify refuses what YAML has no form for, or leaves it out", () => {
  for (const value of [undefined, () => 1]) {
    assert.throws(() => stringify({ a: value }), TypeError);
    assert.equal(stringify({ a: value, b: 1 }, { skipInvalid: true }), "b: 1\n");
  }
});

Deno.test("what was written is read again", () => {
  const value = {
    text: "a\nb\n",
    script: "#!/bin/sh\n  indented: yes\n\n",
    numbers: [0, -1, 1.5, 1e21],
    deep: [[[{ a: [null, true, ""] }]]],
    "key: with, marks": "x",
  };
  assert.deepEqual(parse(stringify(value)), value);
});
