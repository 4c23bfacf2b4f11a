import assert from "node:assert/strict";
import { type Backoff, nextBackoff } from "./backoff.ts";

Deno.test("the first restart is immediate, then 10 s doubling up to 5 min", () => {
  let state: Backoff;
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    const step = nextBackoff(state, 1_000);
    waits.push(step.waitMs / 1_000);
    state = step.next;
  }
  assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
});

Deno.test("a container that ran for 10 min starts afresh", () => {
  assert.deepEqual(nextBackoff(160_000, 600_000), { waitMs: 0, next: 10_000 });
  assert.deepEqual(nextBackoff(160_000, 599_999), { waitMs: 160_000, next: 300_000 });
});

Deno.test("times can be chosen", () => {
  const times = { firstMs: 5, mostMs: 8, resetMs: 100 };
  assert.deepEqual(nextBackoff(5, 1, times), { waitMs: 5, next: 8 });
});
