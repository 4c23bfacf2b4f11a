import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { diffObjects } from "./diff.ts";

// The two calls that a diff makes; the real server's part is in the end-to-end test.
function cluster(live: KubeObject | undefined, wanted: KubeObject | Error): Kube {
  return {
    get: () => Promise.resolve(live),
    apply: (_object: KubeObject, options: { dryRun?: boolean }) => {
      assert.equal(options.dryRun, true);
      return wanted instanceof Error ? Promise.reject(wanted) : Promise.resolve(wanted);
    },
  } as unknown as Kube;
}

function config(data: Record<string, string>, more: Partial<KubeObject["metadata"]> = {}) {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", namespace: "n", ...more },
    data,
  };
}

Deno.test("what the server writes is no difference", async () => {
  const live = { ...config({ a: "1" }, { uid: "u", resourceVersion: "3" }), status: { x: 1 } };
  const wanted = config({ a: "1" }, { generation: 2, creationTimestamp: "now" });
  const [diff] = await diffObjects(cluster(live, wanted), [wanted]);
  assert.equal(diff?.change, "same");
  assert.equal(diff?.diff, "");
});

Deno.test("a change is a unified diff, a new object is all plus", async () => {
  const [changed] = await diffObjects(cluster(config({ a: "1" }), config({ a: "2" })), [
    config({}),
  ]);
  assert.equal(changed?.change, "changed");
  assert.match(changed!.diff, /^--- live ConfigMap n\/c/);
  assert.match(changed!.diff, /^- {2}a: '1'\n\+ {2}a: '2'$/m);
  const [fresh] = await diffObjects(cluster(undefined, config({ a: "2" })), [config({})]);
  assert.equal(fresh?.change, "new");
  assert.match(fresh!.diff, /^--- \/dev\/null/);
  assert.ok(!/^-(?!--)/m.test(fresh!.diff), fresh!.diff);
});

Deno.test("a Secret's values change without being shown", async () => {
  const secret = (value: string) => ({ ...config({ k: value, same: "c2FtZQ==" }), kind: "Secret" });
  const [diff] = await diffObjects(cluster(secret("b25l"), secret("dHdv")), [secret("dHdv")]);
  assert.match(diff!.diff, /- {2}k: '\*\*\* \(before\)'\n\+ {2}k: '\*\*\* \(after\)'/);
  assert.ok(!/b25l|dHdv|c2FtZQ/.test(diff!.diff));
});

Deno.test("an error never has the exit code of a difference", async () => {
  for (const error of [new TaskError({ code: "X", message: "x" }), new Error("y")]) {
    await assert.rejects(
      diffObjects(cluster(undefined, error), [config({})]),
      (thrown) => thrown instanceof TaskError && thrown.exitCode === 3,
    );
  }
});
