import assert from "node:assert/strict";
import { grownBuckets, grownBy, growthOf, presentValue } from "./growth.ts";
import { parseMetrics } from "./prometheus.ts";

const text = (a: number, b: number, fast: number) => `
up_total{pod="a"} ${a}
up_total{pod="b"} ${b}
t_bucket{le="0.1"} ${fast}
t_bucket{le="+Inf"} ${fast + 1}
`;

Deno.test("series grow on their own; what fell began anew, what is new counts from zero", () => {
  const growth = growthOf(parseMetrics(text(10, 20, 3)), parseMetrics(text(4, 25, 5)));
  assert.deepEqual(growth.map(({ grown }) => grown), [4, 5, 2, 2]);
  assert.equal(grownBy(growth, "up_total"), 9);
  assert.equal(presentValue(growth, "up_total"), 29);
  assert.deepEqual([...grownBuckets(growth, "t")], [[0.1, 2], [Infinity, 2]]);
  const fresh = growthOf(undefined, parseMetrics(text(4, 25, 5)));
  assert.equal(grownBy(fresh, "up_total"), 29);
});

Deno.test("a name without series is unknown, not zero", () => {
  const growth = growthOf(undefined, parseMetrics(text(1, 2, 3)));
  assert.equal(grownBy(growth, "down_total"), undefined);
  assert.equal(presentValue(growth, "down_total"), undefined);
});

Deno.test("the order of labels does not make another series", () => {
  const [one] = growthOf(
    parseMetrics('x{a="1",b="2"} 5\n'),
    parseMetrics('x{b="2",a="1"} 8\n'),
  );
  assert.equal(one?.grown, 3);
});
