import assert from "node:assert/strict";
import { EXIT, TaskError } from "./errors.ts";
import { type Plan, planToJson, planToText, runPlan, type Step } from "./plan.ts";
import { testContext } from "./testing.ts";

const step = (id: string, run: Step["run"], more: Partial<Step> = {}): Step => ({
  id,
  title: `Step ${id}`,
  touches: [`thing ${id}`],
  deadlineMs: 5_000,
  run,
  ...more,
});

const plan = (...steps: Step[]): Plan => ({
  task: "test",
  facts: { target: "local" },
  warnings: ["mind the gap"],
  steps,
});

Deno.test("runPlan runs the steps in order and shows results, skips and warnings", async () => {
  await using test = await testContext();
  const ran: string[] = [];
  await runPlan(
    test.ctx,
    plan(
      step("a", () => Promise.resolve(void ran.push("a"))),
      step("b", () => Promise.resolve(void ran.push("b")), { skip: "already there" }),
      step("c", () => Promise.resolve("made 3 things")),
    ),
  );
  assert.deepEqual(ran, ["a"]);
  const talk = test.heard.talk.join("\n");
  assert.match(talk, /! mind the gap/);
  assert.match(talk, /- Step b: already there/);
  assert.match(talk, /✓ Step c: made 3 things/);
});

Deno.test("runPlan stops at the first failure and throws it unchanged", async () => {
  await using test = await testContext();
  const error = new TaskError({ code: "X", message: "broken", exitCode: EXIT.precondition });
  let later = false;
  await assert.rejects(
    runPlan(
      test.ctx,
      plan(
        step("a", () => Promise.reject(error)),
        step("b", () => Promise.resolve(void (later = true))),
      ),
    ),
    (thrown) => thrown === error,
  );
  assert.equal(later, false);
  assert.match(test.heard.talk.join("\n"), /✗ Step a: broken/);
});

Deno.test("steps of one group run side by side; a failure waits for its neighbours, not for what follows", async () => {
  await using test = await testContext();
  const ran: string[] = [];
  const gate = Promise.withResolvers<void>();
  const results = await runPlan(
    test.ctx,
    plan(
      // In turn the first would wait for ever.
      step("a", () => gate.promise.then(() => "last"), { beside: "x" }),
      step("b", () => Promise.resolve(gate.resolve()), { beside: "x" }),
      step("c", () => Promise.resolve(), { beside: "y", skip: "none" }),
    ),
  );
  assert.deepEqual(results.map(({ id, outcome, detail }) => [id, outcome, detail]), [
    ["a", "done", "last"],
    ["b", "done", undefined],
    ["c", "skipped", "none"],
  ]);
  const error = new TaskError({ code: "X", message: "broken" });
  const slow = () =>
    new Promise<void>((resolve) => setTimeout(() => resolve(void ran.push("slow")), 20));
  await assert.rejects(
    runPlan(
      test.ctx,
      plan(
        step("bad", () => Promise.reject(error), { beside: "x" }),
        step("slow", slow, { beside: "x" }),
        step("later", () => Promise.resolve(void ran.push("later"))),
      ),
    ),
    (thrown) => thrown === error,
  );
  assert.deepEqual(ran, ["slow"]);
});

Deno.test("a step past its deadline fails with exit code 4", async () => {
  await using test = await testContext();
  await assert.rejects(
    runPlan(
      test.ctx,
      plan(step("slow", (ctx) => ctx.clock.sleep(60_000, ctx.signal), { deadlineMs: 30 })),
    ),
    (error) => error instanceof TaskError && error.exitCode === EXIT.timeout,
  );
});

Deno.test("an interrupted plan fails with exit code 130", async () => {
  const controller = new AbortController();
  await using test = await testContext({ signal: controller.signal });
  const running = runPlan(
    test.ctx,
    plan(step("long", (ctx) => ctx.clock.sleep(60_000, ctx.signal))),
  );
  controller.abort();
  await assert.rejects(
    running,
    (error) => error instanceof TaskError && error.exitCode === EXIT.interrupted,
  );
});

Deno.test("a plan prints as text and as data", () => {
  const sample = plan(
    step("a", () => Promise.resolve()),
    step("b", () => Promise.resolve(), { skip: "there" }),
  );
  assert.equal(
    planToText(sample),
    [
      "Plan: test",
      "  target: local",
      "  warning: mind the gap",
      "1. Step a",
      "     thing a",
      "2. Step b (skipped: there)",
    ].join("\n"),
  );
  assert.deepEqual(planToJson(sample).steps, [
    { id: "a", title: "Step a", touches: ["thing a"], deadlineSeconds: 5 },
    { id: "b", title: "Step b", touches: ["thing b"], deadlineSeconds: 5, skip: "there" },
  ]);
});
