import assert from "node:assert/strict";
import {
  costLines,
  costOf,
  costOfPrice,
  nodeShare,
  type PricedNode,
  usdPerMillion,
} from "./cost.ts";

const PRICES = { source: "table", date: "2026-07-20", region: "us-east-1" } as const;
const node = (parts: Partial<PricedNode>): PricedNode => ({
  name: "n",
  instanceType: "g5.12xlarge",
  capacityType: "on-demand",
  share: 1,
  pricePerHour: 3.6,
  ...parts,
});

Deno.test("USD a million tokens is the hour's price over the hour's tokens", () => {
  assert.equal(usdPerMillion(3.6, 1000), 1);
  assert.equal(usdPerMillion(3.6, 0), null);
  const cost = costOf([node({}), node({})], PRICES, {
    rates: { output: 1000, good: 500 },
    simulated: false,
  })!;
  assert.equal(cost.usd_per_hour, 7.2);
  assert.equal(cost.usd_per_million_output_tokens, 2);
  assert.equal(cost.usd_per_million_good_tokens, 4);
  assert.deepEqual(cost.instances, [{
    instance_type: "g5.12xlarge",
    count: 2,
    share: 2,
    usd_per_hour: 3.6,
    capacity_type: "on-demand",
  }]);
  assert.match(costLines(cost)[0]!, /2\.00 USD a million output tokens, 4\.00 a million good ones/);
});

Deno.test("a shared node counts by its share, and whole beside it", () => {
  const cost = costOf([node({ share: 0.25 })], PRICES, {
    rates: { output: 1000, good: undefined },
    simulated: true,
  })!;
  assert.equal(cost.usd_per_hour, 0.9);
  assert.equal(cost.usd_per_hour_whole_nodes, 3.6);
  assert.equal(cost.usd_per_million_good_tokens, null);
  assert.equal(cost.simulated, true);
  assert.match(cost.notes[0]!, /simulated/);
  assert.match(
    costLines(cost)[0]!,
    /0\.25 of 1 × g5\.12xlarge, on demand in us-east-1, 2026-07-20/,
  );
});

Deno.test("spot and types without a price are said; no price at all is no cost", () => {
  const rates = { output: 1000, good: undefined };
  const cost = costOf(
    [
      node({ capacityType: "spot" }),
      node({ instanceType: "x9.large", pricePerHour: undefined }),
    ],
    PRICES,
    { rates, simulated: false },
  )!;
  assert.equal(cost.usd_per_hour, 3.6);
  assert.ok(cost.notes.some((note) => /spot, which costs less/.test(note)), `${cost.notes}`);
  assert.ok(cost.notes.some((note) => /x9\.large: the cost is a lower bound/.test(note)));
  assert.equal(
    costOf([node({ pricePerHour: undefined })], PRICES, { rates, simulated: false }),
    null,
  );
  assert.equal(costOf([], PRICES, { rates, simulated: false }), null);
});

Deno.test("a price of one's own needs no nodes", () => {
  const cost = costOfPrice(36, { output: 10_000, good: undefined });
  assert.equal(cost.usd_per_million_output_tokens, 1);
  assert.equal(cost.price_source, "flag");
  assert.match(costLines(cost)[0]!, /--price-per-hour/);
});

Deno.test("a share is of GPUs where pods ask for any, else the larger of cores and memory", () => {
  const big = { gpus: 4, cpus: 48, memory: 192 };
  assert.equal(nodeShare({ gpus: 1, cpus: 40, memory: 0 }, big), 0.25);
  assert.equal(nodeShare({ gpus: 8, cpus: 0, memory: 0 }, big), 1);
  assert.equal(nodeShare({ gpus: 0, cpus: 12, memory: 96 }, big), 0.5);
  assert.equal(nodeShare({ gpus: 0, cpus: 0, memory: 0 }, big), 0);
  assert.equal(nodeShare({ gpus: 0, cpus: 0, memory: 0 }, { gpus: 0, cpus: 8, memory: 32 }), 1);
});
