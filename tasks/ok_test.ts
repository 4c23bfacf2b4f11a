import assert from "node:assert/strict";
import { testContext } from "../lib/cli/testing.ts";
import { QUIET_TESTS, SHARED_CONTROL_PLANES, TEST_COSTS } from "../tests/test_costs.ts";
import { allChecks } from "./ok.ts";

Deno.test("every test file of the project runs in exactly one command, and what is listed is there", async () => {
  await using test = await testContext();
  const { ctx } = test;
  const files: string[] = [];
  const walk = async (folder: string) => {
    for await (const { name, isDirectory } of ctx.fs.readDir(`${ctx.root}/${folder}`)) {
      if (isDirectory) await walk(`${folder}/${name}`);
      else if (/^(.*[._])?test\.(ts|tsx|js|mjs)$/.test(name)) files.push(`${folder}/${name}`);
    }
  };
  for (const folder of ["examples", "lib", "tasks", "terraform", "tests"]) await walk(folder);
  const runs = (await allChecks(ctx)).filter((check) => check.counts).flatMap(({ runs }) => runs);
  const run = runs.flatMap(({ args }) => args.filter((arg) => arg.endsWith(".ts")));
  // A task, though its name is that of a test.
  assert.deepEqual(run.toSorted(), files.filter((file) => file !== "tasks/test.ts").toSorted());
  const names = runs.map(({ name }) => name);
  assert.deepEqual(Object.keys(TEST_COSTS).filter((name) => !names.includes(name)), []);
  const listed = [...QUIET_TESTS, ...Object.values(SHARED_CONTROL_PLANES).flat()];
  assert.deepEqual(listed.filter((file) => !files.includes(file)), []);
});

Deno.test("what measures times runs alone", async () => {
  await using test = await testContext();
  const unit = (await allChecks(test.ctx)).find(({ id }) => id === "unit")!;
  const alone = unit.runs.filter(({ cores }) => cores === Infinity);
  assert.deepEqual(alone.map(({ name }) => name), ["tests/bench", "lib/bench (times)"]);
  const files = alone.flatMap(({ args }) => args);
  for (const name of ["bench_test.ts", "compare/compare_test.ts", "server/watch_test.ts"]) {
    assert.ok(files.includes(`lib/bench/${name}`), name);
  }
});
