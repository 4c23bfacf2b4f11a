import assert from "node:assert/strict";
import {
  alignColumns,
  bar,
  fitColumns,
  formatBytes,
  formatDuration,
  formatProgress,
  hanging,
  redactText,
  truncate,
  wrap,
} from "./text.ts";
import { didYouMean, nearest } from "./suggest.ts";

Deno.test("amounts read like a person writes them", () => {
  assert.equal(formatBytes(999), "999 B");
  assert.equal(formatBytes(1_500_000), "1.5 MB");
  assert.equal(formatBytes(613_000_000), "613 MB");
  assert.equal(formatDuration(420), "420 ms");
  assert.equal(formatDuration(12_400), "12 s");
  assert.equal(formatDuration(200_000), "3 min 20 s");
  assert.equal(formatDuration(7_500_000), "2 h 5 min");
  assert.equal(formatProgress(5_000_000, 10_000_000, "bytes"), "50 % (5.0 MB of 10 MB)");
  assert.equal(formatProgress(3, undefined, "packages"), "3 packages");
  assert.equal(bar(0.5, 4), "██░░");
  assert.equal(bar(7, 4), "████");
});

Deno.test("columns align without trailing blanks, cuts keep the width, words wrap", () => {
  assert.deepEqual(alignColumns([["a", "bb"], ["ccc", ""]]), ["a    bb", "ccc"]);
  assert.equal(truncate("abcdef", 4), "abc…");
  assert.equal(truncate("äöü", 3), "äöü");
  assert.deepEqual(wrap("one two three", 9, "  "), ["  one two", "  three"]);
});

Deno.test("secrets are replaced everywhere", () => {
  assert.equal(redactText("a hf_secret b hf_secret", ["hf_secret"]), "a *** b ***");
});

Deno.test("did you mean finds near words only", () => {
  assert.equal(nearest("vlm", ["vllm", "sglang"]), "vllm");
  assert.equal(nearest("trtlm-disag", ["trtllm", "trtllm-disagg"]), "trtllm-disagg");
  assert.equal(nearest("kubernetes", ["vllm", "sglang"]), undefined);
  assert.equal(didYouMean("hello-wrold", ["hello-world"]), 'Did you mean "hello-world"?');
  assert.equal(didYouMean("zzz", ["hello-world"]), "");
});

Deno.test("a table fits the width: words wrap in the widest columns, long words break last", () => {
  const rows = [["NAME", "TEXT"], ["a-name", "some words that do not fit"], ["b", ""]];
  assert.deepEqual(fitColumns(rows, 80)[1], "a-name  some words that do not fit");
  assert.deepEqual(fitColumns(rows, 20), [
    "NAME    TEXT",
    "a-name  some words",
    "        that do not",
    "        fit",
    "b",
  ]);
  const long = fitColumns([["x".repeat(30), "y".repeat(30)]], 30);
  assert.ok(long.every((line) => line.length <= 30), long.join("\n"));
  assert.equal(long.join("").replaceAll(/[^xy]/g, "").length, 60, "nothing is lost");
});

Deno.test("a long line goes on further in", () => {
  assert.deepEqual(hanging("a  b", 10, "  "), ["  a  b"], "what fits stays as it is");
  assert.deepEqual(hanging("one two three", 11, "  "), ["  one", "      two", "      three"]);
});
