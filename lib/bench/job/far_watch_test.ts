import assert from "node:assert/strict";
import { testContext } from "../../cli/testing.ts";
import type { Pinger } from "../server/ping.ts";
import { watchServer } from "../server/watch.ts";
import { farWatch, followWatch } from "./far_watch.ts";
import type { WatchMessage } from "./messages.ts";

const PINGER: Pinger = { ping: () => Promise.resolve(2), close: () => {} };

Deno.test("a pod that gets no word measures all the same, without the server's side", async () => {
  await using test = await testContext();
  const said: WatchMessage[] = [];
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const watch = farWatch(test.ctx, {
    port,
    say: (message) => Promise.resolve(void said.push(message)),
    pinger: PINGER,
    patienceMs: 50,
  });
  await watch.begin("m");
  const record = await watch.end(test.ctx.clock.monotonic());
  assert.deepEqual(said.map(({ at }) => at), ["begin", "end"]);
  assert.deepEqual([record.summary.sources, record.summary.requests], [[], null]);
});

Deno.test("what keeps the server from being watched is told, and nothing is asked after that", async () => {
  await using test = await testContext();
  const { clock } = test.ctx;
  const watch = watchServer({ clock, open: () => Promise.resolve([]) });
  const asked: string[] = [];
  const follower = followWatch(test.ctx, watch, ({ kind }) => {
    asked.push(kind);
    return Promise.reject(new Error("no way there"));
  });
  follower.hear({ kind: "watch", at: "begin", model: "m" });
  follower.hear({ kind: "watch", at: "end", delayMs: 1 });
  assert.equal(await follower.done(), "no way there");
  assert.deepEqual(asked, ["go"]);
  await watch.close();
});
