import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { parseGraph } from "./load.ts";
import { rewriteManifest } from "./manifest_rewrite.ts";
import { parsePlainYaml } from "../cli/plain_yaml.ts";
import { testRelease } from "./testing.ts";
import { parseValues } from "./values_file.ts";

const SELF = "&a\nname: *a\n";
const BOMB = "name: &b0 [x, x, x, x, x, x, x, x, x]\n" +
  Array.from({ length: 8 }, (_, i) => `b${i + 1}: &b${i + 1} [${Array(9).fill(`*b${i}`)}]\n`)
    .join("");
const DEEP = `name: ${"[".repeat(60)}${"]".repeat(60)}\n`;
const CASES: readonly [text: string, says: RegExp][] = [
  [SELF, /contains itself through an alias/],
  [BOMB, /more than 20000 values, aliases written out/],
  [DEEP, /nested more than 40 deep/],
];

Deno.test("a text that cannot be walked through is no plain YAML", () => {
  for (const [text, says] of CASES) assert.throws(() => parsePlainYaml(text), says);
});

Deno.test("aliases that say the same twice are plain", () => {
  assert.deepEqual(parsePlainYaml("a: &x {b: 1}\nc: *x\nd: *x\n"), {
    a: { b: 1 },
    c: { b: 1 },
    d: { b: 1 },
  });
});

Deno.test("every reader refuses aliases that blow up, at once and in plain words", () => {
  const release = testRelease("1.6.1");
  const manifest = (text: string) =>
    `apiVersion: nvidia.com/v1beta1\nkind: DynamoGraphDeployment\nmetadata: {name: m}\n` +
    `spec:${text.startsWith("&") ? " " : "\n  "}${text.replaceAll("\n", "\n  ")}`;
  for (const [text, says] of CASES) {
    const readers: [string, () => unknown][] = [
      ["GRAPH_SYNTAX", () => parseGraph(text, "f")],
      ["VALUES_SYNTAX", () => parseValues(text, "f")],
      [
        "MANIFEST_SYNTAX",
        () => rewriteManifest(manifest(text), { file: "f", release, namespace: "ns" }),
      ],
    ];
    for (const [code, read] of readers) {
      const started = performance.now();
      assert.throws(read, (error) => {
        assert.ok(error instanceof TaskError, `${code}: ${error}`);
        assert.equal(error.code, code);
        assert.match(error.message, says);
        return true;
      });
      assert.ok(performance.now() - started < 1_000, code);
    }
  }
});
