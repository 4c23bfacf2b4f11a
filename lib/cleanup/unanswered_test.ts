import assert from "node:assert/strict";
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { runPlan, type Step, type StepResult } from "../cli/plan.ts";
import { connectKube } from "../kube/client.ts";
import {
  type Answer,
  cleanTest,
  fastClock,
  startApiServer,
  statusResponse,
  type TestApiServer,
} from "../kube/testing.ts";
import type { Kube } from "../kube/types.ts";
import { cannotBeAsked, leaveOutWhenLost, type Reach, throughFaults } from "./unanswered.ts";

// The clock runs fifty times as fast.
const PATIENCE_MS = 20_000;
const POD = { apiVersion: "v1", kind: "Pod", namespace: "default", name: "one" };
const V1 = {
  kind: "APIResourceList",
  groupVersion: "v1",
  resources: [
    { name: "pods", kind: "Pod", namespaced: true },
    { name: "namespaces", kind: "Namespace", namespaced: false },
  ],
};

const broken = () => statusResponse(500, "InternalError", "etcdserver: leader changed");

/** A server that knows pods and namespaces and says as it is told; else that all is well. */
function serving(answer: Answer): Promise<TestApiServer> {
  return startApiServer(async (request, url) => {
    if (url.pathname === "/api/v1") return Response.json(V1);
    return await answer(request, url) ?? Response.json({ kind: "Status", metadata: {} });
  }, { clock: fastClock(50) });
}

/** A step that deletes something, as all of them do. */
function deleting(kube: Kube, id: string): Step {
  return {
    id,
    title: id,
    touches: [],
    deadlineMs: 600_000,
    run: async () => {
      await kube.delete(POD);
    },
  };
}

function run(ctx: Context, ...steps: Step[]): Promise<StepResult[]> {
  return runPlan(ctx, { task: "test", facts: {}, warnings: [], steps });
}

cleanTest("a single 500 is asked again, in a plan and in a step", async () => {
  let faults = 1;
  await using api = await serving(() => faults-- > 0 ? broken() : undefined);
  const { kube, ctx } = api;
  await throughFaults(ctx, PATIENCE_MS, () => kube.get(POD));
  assert.equal(api.requests.length, 2);
  faults = 1;
  const reach: Reach = { lost: undefined };
  const step = leaveOutWhenLost(deleting(kube, "a"), { kube, reach, patienceMs: PATIENCE_MS });
  const [result] = await run(ctx, step);
  assert.equal(result?.outcome, "done");
  assert.equal(reach.lost, undefined);
  assert.equal(api.requests.filter((one) => one.startsWith("DELETE")).length, 2);
});

const SILENCES: readonly (readonly [what: string, answer: Answer | "gone"])[] = [
  ["500", broken],
  ["503", () => new Response("upstream is away", { status: 503 })],
  ["no answer", "gone"],
];
for (const [what, answer] of SILENCES) {
  cleanTest(
    `${what} for good: the step is left out, the next at once, the rest goes on`,
    async () => {
      let well = true;
      const api = await serving((request, url) =>
        well || answer === "gone" ? undefined : answer(request, url)
      );
      const { ctx } = api;
      // It outlives the server.
      const kube = await connectKube(ctx, { kubeconfig: `${ctx.home}.kubeconfig` });
      await kube.get(POD);
      well = false;
      if (answer === "gone") await api[Symbol.asyncDispose]();
      const reach: Reach = { lost: undefined };
      const options = { kube, reach, patienceMs: PATIENCE_MS };
      let rest = 0;
      const results = await run(
        ctx,
        leaveOutWhenLost(deleting(kube, "first"), options),
        leaveOutWhenLost(deleting(kube, "second"), options),
        { ...deleting(kube, "rest"), run: () => Promise.resolve(void rest++) },
      );
      assert.deepEqual(results.map(({ outcome }) => outcome), ["skipped", "skipped", "done"]);
      assert.match(results[0]?.detail ?? "", /left out, as the API server does not answer/);
      assert.ok(results[0]!.ms >= PATIENCE_MS, `${results[0]!.ms}`);
      assert.ok(results[1]!.ms < PATIENCE_MS / 4, `${results[1]!.ms}`);
      assert.equal(rest, 1);
      assert.ok(reach.lost !== undefined);
      const warnings = api.talk.filter((line) => /does not answer any more/.test(line));
      assert.equal(warnings.length, 1, api.talk.join("\n"));
      kube.close();
      if (answer !== "gone") await api[Symbol.asyncDispose]();
    },
  );
}

cleanTest(
  "one kind that cannot be read is no lost cluster, a right that is missing none either",
  async () => {
    let refusal = broken;
    await using api = await serving((request) =>
      request.method === "DELETE" ? refusal() : undefined
    );
    const { kube, ctx } = api;
    const reach: Reach = { lost: undefined };
    const step = leaveOutWhenLost(deleting(kube, "a"), { kube, reach, patienceMs: PATIENCE_MS });
    await assert.rejects(run(ctx, step), { code: "KUBE_INTERNALERROR" });
    assert.ok(api.requests.filter((one) => one.startsWith("DELETE")).length > 3);
    refusal = () => statusResponse(403, "Forbidden", "pods is forbidden");
    const before = api.requests.length;
    await assert.rejects(run(ctx, step), { code: "KUBE_FORBIDDEN" });
    assert.equal(api.requests.length - before, 2, "asked once, and whether all else is well");
    assert.equal(reach.lost, undefined);
  },
);

Deno.test("what a plan may go without", () => {
  const asked = (code: string) => !cannotBeAsked(new TaskError({ code, message: code }));
  for (const code of ["CLUSTER_DOWN", "KUBE_INTERNALERROR", "KUBE_HTTP502", "KUBE_FORBIDDEN"]) {
    assert.ok(!asked(code), code);
  }
  for (const code of ["TARGET_OTHER_CLUSTER", "KUBE_INVALID", "KUBE_TLS", "KUBE_CONFLICT"]) {
    assert.ok(asked(code), code);
  }
});
