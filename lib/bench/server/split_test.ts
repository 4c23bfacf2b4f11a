import assert from "node:assert/strict";
import { splitTtft } from "./split.ts";

const server = (mean: number, count = 100) => ({
  count,
  mean,
  p50: { low: 22, high: 47 },
  p90: { low: 47, high: 100 },
  p99: { low: 100, high: null },
});
const client = (mean: number, count = 100) => ({ count, mean, p50: 45 });
const roundTrip = { mean: 2, p50: 1.5 };

Deno.test("client less server is the network's; of medians only an interval is known", () => {
  const split = splitTtft({
    client: client(43),
    server: server(40),
    roundTrip,
    clientErrorMs: 0.2,
  })!;
  assert.equal(split.same_requests, true);
  assert.equal(split.network_mean, 3);
  assert.deepEqual(split.server_p50, { low: 22, high: 47 });
  assert.deepEqual(split.network_p50, { low: 0, high: 23 });
  assert.equal(split.agrees, true);
  assert.equal(split.note, null);
});

Deno.test("more than a round trip is not explained away", () => {
  const of = (mean: number) =>
    splitTtft({ client: client(mean), server: server(40), roundTrip, clientErrorMs: 0 })!;
  assert.equal(of(44).agrees, true);
  assert.equal(of(44.1).agrees, false);
  assert.match(of(68).note!, /26\.0 ms more than a round trip.*TCP_NODELAY/);
  assert.match(of(140).note!, /wait before the server's clock starts/);
  assert.equal(of(38).agrees, false);
  assert.match(of(38).note!, /the server counts more time/);
});

Deno.test("nothing is claimed of different requests, or without a round trip", () => {
  const other = splitTtft({
    client: client(43, 98),
    server: server(40),
    roundTrip,
    clientErrorMs: 0,
  })!;
  assert.equal(other.same_requests, false);
  assert.equal(other.agrees, null);
  assert.match(other.note!, /counted 100 first tokens, the client 98/);
  const blind = splitTtft({
    client: client(43),
    server: server(40),
    roundTrip: undefined,
    clientErrorMs: 0,
  })!;
  assert.equal(blind.agrees, null);
  assert.equal(blind.round_trip_mean, null);
  assert.equal(
    splitTtft({ client: null, server: server(40), roundTrip, clientErrorMs: 0 }),
    null,
  );
  assert.equal(splitTtft({ client: client(1), server: null, roundTrip, clientErrorMs: 0 }), null);
});
