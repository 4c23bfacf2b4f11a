/**
 * How the tests are cut into commands that can run side by side: a command for each file of a
 * folder, or for each room of `lib`; what measures times is apart, since it runs alone.
 *
 * @module
 */
import type { CheckRun } from "../lib/cli/checks.ts";
import type { Context } from "../lib/cli/context.ts";
import {
  QUIET_TESTS,
  SHARED_CONTROL_PLANES,
  TEST_COSTS,
  type TestCost,
  USUAL_COST,
} from "./test_costs.ts";

// Without --quiet: it hides what passing tests print, and so why they skipped something. Types are
// a check of their own.
const TEST = ["test", "--no-prompt", "--allow-all", "--no-check"];
const USES_TIMELY = /import \{[^}]*\btimely\b/;
const ALONE: TestCost = { seconds: 60, cores: Infinity };

/** Commands for the test files of a folder; those that share a control plane have one command. */
export async function testFileRuns(ctx: Context, folder: string): Promise<CheckRun[]> {
  const files = (await filesBelow(ctx, folder)).filter(isTest);
  const runs: CheckRun[] = [];
  for (const [name, together] of Object.entries(SHARED_CONTROL_PLANES)) {
    const shared = together.filter((file) => files.includes(file));
    if (shared.length > 0) runs.push(testRun(name, shared));
  }
  const inRuns = Object.values(SHARED_CONTROL_PLANES).flat();
  const single = files.filter((file) => !inRuns.includes(file));
  return [...runs, ...single.map((file) => testRun(file, [file]))];
}

/** Commands for the unit tests: one a room of `lib`, one for `tasks`, and those that measure times. */
export async function unitTestRuns(ctx: Context): Promise<CheckRun[]> {
  const rooms = ["tasks"];
  for await (const { name, isDirectory } of ctx.fs.readDir(`${ctx.root}/lib`)) {
    if (isDirectory) rooms.push(`lib/${name}`);
  }
  const bench = (await filesBelow(ctx, "tests/bench")).filter(isTest);
  const runs: CheckRun[] = [testRun("tests/bench", bench, ALONE)];
  for (const room of rooms.sort()) {
    const files = (await filesBelow(ctx, room)).filter(isTest);
    const timed: string[] = [];
    for (const file of files) {
      const text = await ctx.fs.readTextFile(`${ctx.root}/${file}`);
      if (QUIET_TESTS.includes(file) || USES_TIMELY.test(text)) timed.push(file);
    }
    const others = files.filter((file) => !timed.includes(file));
    if (others.length > 0) runs.push(testRun(room, others));
    if (timed.length > 0) runs.push(testRun(`${room} (times)`, timed, ALONE));
  }
  return runs;
}

/** Source files of a folder that are no tests, sorted. */
export async function sourceFiles(ctx: Context, folder: string): Promise<string[]> {
  return (await filesBelow(ctx, folder)).filter((path) => !isTest(path));
}

function testRun(name: string, files: readonly string[], cost?: TestCost): CheckRun {
  return { name, args: [...TEST, ...files], ...(cost ?? TEST_COSTS[name] ?? USUAL_COST) };
}

function isTest(path: string): boolean {
  return path.endsWith("_test.ts");
}

async function filesBelow(ctx: Context, folder: string): Promise<string[]> {
  const files: string[] = [];
  const walk = async (path: string): Promise<void> => {
    for await (const { name, isDirectory } of ctx.fs.readDir(`${ctx.root}/${path}`)) {
      if (isDirectory) await walk(`${path}/${name}`);
      else if (name.endsWith(".ts")) files.push(`${path}/${name}`);
    }
  };
  await walk(folder);
  return files.sort();
}
