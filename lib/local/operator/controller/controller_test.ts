import assert from "node:assert/strict";
import { systemClock } from "../../../cli/context_deno.ts";
import type { Kube, KubeObject } from "../../../kube/types.ts";
import { ANNOTATION } from "../names.ts";
import { makeStore } from "./store.ts";
import { mergePatch, syncObject } from "./sync.ts";
import { makeQueue } from "./work_queue.ts";

function object(version: string, extra: Partial<KubeObject["metadata"]> = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Thing",
    metadata: { name: "a", namespace: "n", uid: "1", resourceVersion: version, ...extra },
    spec: { size: 1 },
  };
}

Deno.test("a store keeps the newer version and never brings back what is gone", () => {
  const store = makeStore<KubeObject>();
  store.put(object("10"));
  store.put(object("9"));
  assert.equal(store.get("n/a")?.metadata.resourceVersion, "10");
  assert.equal(store.remove(object("11")), true);
  store.put(object("12"));
  assert.equal(store.get("n/a"), undefined);
  store.put(object("13", { uid: "2" }));
  assert.equal(store.remove(object("11")), false);
  assert.deepEqual(store.replaceAll([]).map((one) => one.metadata.uid), ["2"]);
});

Deno.test("a queue works on a key once at a time, and again when added meanwhile", async () => {
  const stop = new AbortController();
  const done: string[] = [];
  let running = 0;
  const ended = Promise.withResolvers<void>();
  const queue = makeQueue({ clock: systemClock }, {
    signal: stop.signal,
    onFailure: () => {},
    work: async (key) => {
      assert.equal(++running, 1);
      done.push(key);
      if (done.length < 3) queue.add(key);
      await systemClock.sleep(1);
      running--;
      if (done.length === 3) ended.resolve();
    },
  });
  queue.add("k");
  queue.add("k");
  assert.deepEqual(done, []);
  queue.start();
  await ended.promise;
  stop.abort();
  await queue.idle();
  assert.deepEqual(done, ["k", "k", "k"]);
});

Deno.test("a failing key waits longer each time, and starts over after a success", async () => {
  const stop = new AbortController();
  const waits: number[] = [];
  let calls = 0;
  const ended = Promise.withResolvers<void>();
  const queue = makeQueue({ clock: { ...systemClock, sleep: () => Promise.resolve() } }, {
    signal: stop.signal,
    onFailure: (_key, _error, waitMs) => void waits.push(waitMs),
    work: () => {
      calls++;
      if (calls === 4) queue.add("k");
      if (calls === 6) ended.resolve();
      return calls === 4 || calls === 6 ? Promise.resolve() : Promise.reject(new Error("no"));
    },
  });
  queue.start();
  queue.add("k");
  await ended.promise;
  stop.abort();
  assert.deepEqual(waits, [100, 200, 400, 100]);
});

Deno.test("a merge patch holds what differs and takes away what is gone", () => {
  const old = { a: 1, b: { c: 1, d: 2 }, e: [1], f: 1 };
  assert.deepEqual(mergePatch(old, { a: 1, b: { c: 1, d: 3 }, e: [2] }), {
    b: { d: 3 },
    e: [2],
    f: null,
  });
  assert.equal(mergePatch(old, structuredClone(old)), undefined);
});

/** A server of one object that counts writes and keeps a generation. */
function oneObjectServer(): { kube: Kube; now: () => KubeObject; writes: string[] } {
  let stored: KubeObject | undefined;
  let generation = 0;
  const writes: string[] = [];
  const keep = (next: KubeObject) => {
    const changed = JSON.stringify(stored?.["spec"]) !== JSON.stringify(next["spec"]);
    if (changed) generation++;
    stored = { ...next, metadata: { ...next.metadata, generation } };
    return Promise.resolve(stored);
  };
  const kube = {
    create: (one: KubeObject) => (writes.push("create"), keep(one)),
    replace: (one: KubeObject) => (writes.push("replace"), keep(one)),
    patch: (_ref: unknown, _type: unknown, body: { metadata: KubeObject["metadata"] }) => {
      writes.push("patch");
      const annotations = { ...stored!.metadata.annotations, ...body.metadata.annotations };
      return keep({ ...stored!, metadata: { ...stored!.metadata, annotations } });
    },
  } as unknown as Kube;
  return { kube, now: () => stored!, writes };
}

Deno.test("an object is written when the wish changes; others' changes only with revert", async () => {
  for (const revert of [false, true]) {
    const { kube, now, writes } = oneObjectServer();
    const wish = object("1");
    await syncObject(kube, wish, { existing: undefined, revert });
    const same = await syncObject(kube, wish, { existing: now(), revert });
    assert.equal(same.change, "unchanged");
    const bigger = { ...wish, spec: { size: 2 } };
    await syncObject(kube, bigger, { existing: now(), revert });
    assert.deepEqual(writes, ["create", "replace"]);
    assert.equal(
      now().metadata.annotations?.[ANNOTATION.generation],
      revert ? "2" : undefined,
    );
    const byHand = {
      ...now(),
      spec: { size: 9 },
      metadata: { ...now().metadata, generation: 3 },
    };
    const after = await syncObject(kube, bigger, { existing: byHand, revert });
    assert.equal(after.change, revert ? "updated" : "unchanged");
  }
});

Deno.test("a write that the server takes as no change is noted with the kept generation", async () => {
  const { kube, now, writes } = oneObjectServer();
  await syncObject(kube, object("1"), { existing: undefined, revert: true });
  const forgotten = { ...now(), metadata: { ...now().metadata, annotations: {} } };
  await syncObject(kube, object("1"), { existing: forgotten, revert: true });
  assert.deepEqual(writes, ["create", "replace", "patch"]);
  assert.equal(now().metadata.annotations?.[ANNOTATION.generation], "1");
});

Deno.test("an object of somebody else is refused, one that is going is left alone", async () => {
  const { kube, writes } = oneObjectServer();
  const owner = (uid: string) => ({
    ownerReferences: [{ apiVersion: "v1", kind: "Owner", name: "o", uid, controller: true }],
  });
  await assert.rejects(
    syncObject(kube, object("1", owner("a")), { existing: object("1"), revert: true }),
    /exists and is nobody's/,
  );
  await assert.rejects(
    syncObject(kube, object("1", owner("a")), {
      existing: object("1", owner("b")),
      revert: true,
    }),
    /owned by Owner o \(an earlier one of that name\)/,
  );
  const going = object("1", { deletionTimestamp: "2026-01-01T00:00:00Z" });
  const result = await syncObject(kube, object("1"), { existing: going, revert: true });
  assert.equal(result.change, "unchanged");
  assert.deepEqual(writes, []);
});
