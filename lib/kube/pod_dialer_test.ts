import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { podDialer } from "./pod_dialer.ts";
import type { Kube, PodConnection } from "./types.ts";

const failure = (code: string) => new TaskError({ code, message: code });

/** A dialer whose time passes only while it waits; `answer` fails or connects to a pod's name. */
function dialerOf(answer: (pod: string) => TaskError | undefined) {
  const waits: number[] = [];
  const asked: string[] = [];
  let now = 0;
  let pods = 0;
  const clock = {
    now: () => now,
    monotonic: () => now,
    sleep: (ms: number) => {
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
  const kube = {
    connect({ name }: { name: string }) {
      asked.push(name);
      const error = answer(name);
      return error === undefined ? Promise.resolve({} as PodConnection) : Promise.reject(error);
    },
  } as unknown as Kube;
  const { signal } = new AbortController();
  const pod = () => Promise.resolve({ name: `pod-${++pods}`, namespace: "x" });
  const first = { name: "pod-0", namespace: "x" };
  return { dial: podDialer({ clock }, kube, { pod, first, port: 80, signal }), waits, asked };
}

Deno.test("while the API server is away attempts come later and later, and end", async () => {
  const { dial, waits, asked } = dialerOf(() => failure("KUBE_UNREACHABLE"));
  await assert.rejects(dial.connect(), { code: "KUBE_UNREACHABLE" });
  assert.ok(waits.length >= 7 && waits.length <= 14, `${waits.length} waits`);
  waits.forEach((ms, index) => {
    const middle = Math.min(100 * 2 ** index, 2_000);
    assert.ok(ms >= 0.75 * middle && ms <= 1.25 * middle, `${ms} ms`);
  });
  assert.ok(asked.every((name) => name === "pod-0"), "the pod may be there");
  assert.equal(asked.length, waits.length + 1);
});

Deno.test("a pod that is gone is replaced at once, by one pod for all", async () => {
  const { dial, waits, asked } = dialerOf((name) =>
    name === "pod-0" ? failure("KUBE_NOTFOUND") : undefined
  );
  const all = await Promise.all([dial.connect(), dial.connect(), dial.connect()]);
  assert.deepEqual(asked.slice(3), ["pod-1", "pod-1", "pod-1"]);
  assert.deepEqual(waits, []);
  // One failure of several connections to it does not pick several pods.
  for (const connection of all) dial.failed(connection);
  await dial.connect();
  assert.equal(asked.at(-1), "pod-2");
});

Deno.test("what waiting does not mend is thrown at once", async () => {
  for (const code of ["KUBE_FORBIDDEN", "KUBE_NOTFOUND", "SERVICE_MISSING"]) {
    const { dial, waits } = dialerOf(() => failure(code));
    await assert.rejects(dial.connect(), { code });
    assert.deepEqual(waits, []);
  }
});

Deno.test("a server that has just started may refuse for a while", async () => {
  let starting = 0;
  const { dial, waits } = dialerOf(() =>
    starting > 0 && starting-- > 0 ? failure("KUBE_FORBIDDEN") : undefined
  );
  await dial.connect();
  starting = 5;
  await dial.connect();
  assert.ok(waits.length >= 2);
});

Deno.test("failures in a row slow connections down, until one works", async () => {
  const { dial, waits } = dialerOf(() => undefined);
  for (let failures = 0; failures < 6; failures++) dial.failed(await dial.connect());
  assert.ok(waits.length >= 2, `${waits.length}`);
  const before = waits.length;
  dial.worked();
  dial.failed(await dial.connect());
  await dial.connect();
  assert.equal(waits.length, before);
});
