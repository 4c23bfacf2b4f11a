import assert from "node:assert/strict";
import { withContext } from "../cli/context.ts";
import { preconditionError, type TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { problemsOf, requireHealthy } from "./doctor.ts";
import { exitCodeOf, makeReport, reportText } from "./report.ts";
import { runChecks } from "./run.ts";
import { type Check, fail, type Line, ok, type Patient, skipped, warn } from "./types.ts";

const NEVER = new Promise<never>(() => {});

function check(id: string, run: Check["run"], more: Partial<Check> = {}): Check {
  return {
    id,
    title: `Title of ${id}`,
    targets: ["eks"],
    quick: true,
    deadlineMs: 5000,
    run,
    ...more,
  };
}

/** A patient whose AWS refuses and whose cluster is as given. */
function patientOf(parts: Partial<Patient> = {}): Patient {
  return {
    identity: () => Promise.reject(preconditionError("AWS_EXPIRED", "expired", "log in")),
    cluster: () => Promise.resolve({ missing: "nothing is installed yet" }),
    ...parts,
  } as Patient;
}

const ABOUT = { target: "eks", region: "us-west-2", release: "1.6.1" };

Deno.test("one bad check hides no other, and the order stays", async () => {
  await using made = await testContext();
  const checks = [
    check("slow", async () => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return ok("came last");
    }),
    check("throws", () => {
      throw new Error("broken\nbadly");
    }),
    check("rejects", () => Promise.reject(preconditionError("X", "cannot", "do this"))),
    check("two", () => Promise.resolve([ok("a", "First"), warn("b", "look", "Second")])),
    check("hangs", () => NEVER, { deadlineMs: 40 }),
  ];
  const done: number[] = [];
  const lines = await runChecks(made.ctx, patientOf(), checks, (n) => done.push(n));
  assert.deepEqual(lines.map(({ id, what, status, why, todo }) => [id, what, status, why, todo]), [
    ["slow", "Title of slow", "ok", "came last", ""],
    ["throws", "Title of throws", "fail", "broken\nbadly", "Run it again with --verbose."],
    ["rejects", "Title of rejects", "fail", "cannot", "do this"],
    ["two", "First", "ok", "a", ""],
    ["two", "Second", "warn", "b", "look"],
    [
      "hangs",
      "Title of hangs",
      "fail",
      "no answer within 0 s",
      "Check the network and HTTPS_PROXY, then run it again.",
    ],
  ]);
  assert.deepEqual(done, [1, 2, 3, 4, 5]);
});

Deno.test("checks run side by side", async () => {
  await using made = await testContext();
  let running = 0;
  const met = Promise.withResolvers<void>();
  const wait = async () => {
    if (++running === 3) met.resolve();
    await met.promise;
    return ok("met the others");
  };
  const lines = await runChecks(
    made.ctx,
    patientOf(),
    ["a", "b", "c"].map((id) => check(id, wait)),
  );
  assert.deepEqual(lines.map(({ status }) => status), ["ok", "ok", "ok"]);
});

Deno.test("a check without what it needs is skipped, and its signal ends with its deadline", async () => {
  await using made = await testContext();
  const aws = check("aws", () => Promise.resolve(ok("never")), { needs: "aws" });
  const cluster = check("cluster", () => Promise.resolve(ok("never")), { needs: "cluster" });
  const lines = await runChecks(made.ctx, patientOf(), [aws, cluster]);
  assert.deepEqual(lines.map(({ status, why }) => [status, why]), [
    ["skipped", "needs AWS, which does not answer these credentials"],
    ["skipped", "nothing is installed yet"],
  ]);
  let signal: AbortSignal | undefined;
  const hangs = check("hangs", (patient) => {
    signal = patient.ctx.signal;
    return NEVER;
  }, { deadlineMs: 30 });
  await runChecks(made.ctx, patientOf(), [hangs]);
  assert.ok(signal?.aborted);
});

Deno.test("Ctrl-C ends the checks", async () => {
  await using made = await testContext();
  const controller = new AbortController();
  const ctx = withContext(made.ctx, { signal: controller.signal });
  const work = runChecks(ctx, patientOf(), [check("hangs", () => NEVER)]);
  controller.abort();
  await assert.rejects(work, { code: "INTERRUPTED" });
});

function line(status: Line["status"], what: string, why: string, todo = ""): Line {
  return { id: what.toLowerCase(), what, status, why, todo, ms: 1 };
}

Deno.test("verdict and exit code follow the worst line; skipped ones do not count", () => {
  const code = (...lines: Line[]) => exitCodeOf(makeReport(ABOUT, lines));
  assert.equal(code(), 0);
  assert.equal(code(line("ok", "A", "a"), line("skipped", "B", "b")), 0);
  assert.equal(code(line("ok", "A", "a"), line("warn", "B", "b")), 1);
  assert.equal(code(line("fail", "A", "a"), line("warn", "B", "b")), 2);
});

Deno.test("the text says what, why and what to do, within the terminal's width", () => {
  const report = makeReport(ABOUT, [
    line("ok", "A", "is well"),
    line("skipped", "B", "same reason"),
    line(
      "fail",
      "C",
      "a long reason that has to be wrapped because it is long",
      "do something about it",
    ),
    line("skipped", "D", "same reason"),
  ]);
  assert.deepEqual(reportText(report, 50), [
    "ok       A: is well",
    "skipped  B, D: same reason",
    "FAIL     C: a long reason that has to be wrapped",
    "         because it is long",
    "         → do something about it",
    "",
    "1 ok, 0 to know, 1 to put right, 2 skipped",
  ]);
});

Deno.test("an install is refused by failures alone, and told all of them", () => {
  const warning = line("warn", "W", "known");
  requireHealthy(makeReport(ABOUT, [warning, line("ok", "A", "a")]));
  const bad = makeReport(ABOUT, [warning, line("fail", "A", "a", "do a"), line("fail", "B", "b")]);
  assert.throws(() => requireHealthy(bad), (error: TaskError) => {
    assert.deepEqual([error.code, error.exitCode], ["DOCTOR_FAILED", 3]);
    assert.match(error.message, /2 things[^]*A: a → do a\n {2}B: b/);
    return true;
  });
  assert.deepEqual(problemsOf(bad).map(({ what }) => what), ["A", "B", "W"]);
});

Deno.test("helpers make what they say", () => {
  assert.deepEqual(fail("w", "t", "x"), { status: "fail", why: "w", todo: "t", what: "x" });
  assert.deepEqual(skipped("w"), { status: "skipped", why: "w" });
});
