/**
 * `compare` as a user runs it, of two servers whose models have other names.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Comparison } from "../../lib/bench/compare/comparison.ts";
import { startMock } from "../../lib/bench/mock.ts";
import { runCommand } from "../../lib/cli/main.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { command as compare } from "../../tasks/compare.ts";

Deno.test("compare asks each side for its own model", async () => {
  await using test = await testContext();
  await using a = await startMock({ ttftMs: 2, itlMs: 0, models: ["old", "other"] });
  await using b = await startMock({ ttftMs: 2, itlMs: 0, models: ["new", "other"] });
  const load = ["--pairs", "2", "--requests", "40", "--output-tokens", "4", "--no-calibration"];
  const words = [a.url, b.url, ...load, "--output", "json", "--model", "old"];
  assert.equal(await runCommand(test.ctx, compare, words), 1);
  assert.match(test.heard.talk.splice(0).join("\n"), /404.*old/s, "B does not have it");

  await runCommand(test.ctx, compare, [...words, "--model-b", "new"]);
  const comparison: Comparison = JSON.parse(test.heard.data.join("\n"));
  assert.equal(comparison.blocks, 2);
  // Blocks so short are no runs of their own; that is said, and nothing else.
  assert.doesNotMatch(comparison.invalid_reasons.join("\n"), /failed|404/);
});
