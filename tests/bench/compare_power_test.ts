/**
 * The short form of `deno task bench:power`: a slow-down that no noise hides is found.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testContext } from "../../lib/cli/testing.ts";
import { measurePower, powerOf, type PowerRound } from "./compare_power.ts";

Deno.test("rounds are measured once each, and a server of twice the delays is found", async () => {
  await using test = await testContext();
  const options = { factor: 2, rounds: 1, pairs: 4, jobs: 2, requests: 24 };
  const known: PowerRound = { factor: 1, round: 0, found: [], regressions: [], changes: {} };
  const rounds: PowerRound[] = [known];
  await measurePower(test.ctx, options, [known], (round) => {
    rounds.push(round);
  });
  assert.deepEqual(
    rounds.map(({ factor, round }) => `${factor} ${round}`).toSorted(),
    ["1 0", "2 0"],
  );
  const power = powerOf(rounds);
  assert.deepEqual([power.found.count, power.found.of], [1, 1], JSON.stringify(rounds));
  assert.ok(power.found.low > 0.2 && power.found.high === 1);
});
