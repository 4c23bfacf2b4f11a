import assert from "node:assert/strict";
import { type Check, type CheckRun, readTestSummary, runChecks } from "./checks.ts";
import { testContext } from "./testing.ts";

interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** A command that says when it ran, and `says`; it ends with `code`. */
function run(file: string, name: string, more: Partial<CheckRun> & Says = {}): CheckRun {
  const { says = "ok | 1 passed | 0 failed (1s)", code = 0, ...rest } = more;
  const script = `const from = Date.now();
await new Promise((resolve) => setTimeout(resolve, 300));
const span = { name: ${JSON.stringify(name)}, from, to: Date.now() };
Deno.writeTextFileSync(${JSON.stringify(file)}, JSON.stringify(span) + "\\n", { append: true });
console.log(${JSON.stringify(says)});
Deno.exit(${code});`;
  return { name, args: ["eval", script], seconds: 1, cores: 1, ...rest };
}

interface Says {
  readonly says?: string;
  readonly code?: number;
}

async function spansOf(file: string): Promise<Span[]> {
  const text = await Deno.readTextFile(file);
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

function overlap(a: Span, b: Span): boolean {
  return a.from < b.to && b.from < a.to;
}

Deno.test("the end of deno test is read", () => {
  assert.deepEqual(
    readTestSummary(
      "ok | 1 passed | 0 failed (1s)\n\nFAILED | 12 passed (3 steps) | 2 failed (2s)",
    ),
    { passed: 12, failed: 2 },
  );
  assert.equal(readTestSummary("error: Uncaught"), undefined);
});

Deno.test("what measures times runs alone and first, then as much as the processors bear", async () => {
  await using test = await testContext();
  const file = `${test.ctx.home}.spans`;
  const checks: Check[] = [
    {
      id: "one",
      title: "One",
      counts: true,
      runs: [
        run(file, "short"),
        run(file, "long", { seconds: 9 }),
        run(file, "clock", { cores: Infinity }),
      ],
    },
    {
      id: "two",
      title: "Two",
      counts: true,
      runs: [run(file, "clock 2", { cores: Infinity }), run(file, "middle", { seconds: 5 })],
    },
  ];
  const totals = await runChecks(test.ctx, checks, { cores: 2 });
  assert.deepEqual([totals.passed, totals.failed], [5, 0], test.heard.talk.join("\n"));
  const spans = (await spansOf(file)).sort((a, b) => a.from - b.from);
  const names = spans.map(({ name }) => name);
  assert.deepEqual(names.slice(0, 2).sort(), ["clock", "clock 2"]);
  assert.deepEqual(names.slice(2, 4).sort(), ["long", "middle"]);
  for (const clock of spans.slice(0, 2)) {
    assert.ok(spans.every((other) => other === clock || !overlap(clock, other)), `${names}`);
  }
  const [long, middle, short] = spans.slice(2);
  assert.ok(overlap(long!, middle!), "two processors, two commands");
  assert.ok(short!.from >= Math.min(long!.to, middle!.to), "the third waits for room");
  assert.deepEqual(test.heard.talk.filter((line) => /^• /.test(line)), ["• One", "• Two"]);
});

Deno.test("one at a time where that is asked for, however little they do", async () => {
  await using test = await testContext();
  const file = `${test.ctx.home}.spans`;
  const runs = ["a", "b", "c"].map((name) => run(file, name, { cores: 0 }));
  const check = { id: "x", title: "X", counts: false, runs };
  await runChecks(test.ctx, [check], { cores: 2, most: 1 });
  const spans = await spansOf(file);
  assert.ok(!spans.some((a) => spans.some((b) => a !== b && overlap(a, b))));
});

Deno.test("tests are added up; of a command that fails everything is shown, of others nothing", async () => {
  await using test = await testContext();
  const file = `${test.ctx.home}.spans`;
  const check: Check = {
    id: "unit",
    title: "Unit tests",
    counts: true,
    runs: [
      run(file, "fine", { says: "fine here\nSKIPPED: no moon\nok | 3 passed | 0 failed (1s)" }),
      run(file, "bad", { says: "bad here\nFAILED | 1 passed | 2 failed (1s)", code: 1 }),
      // A leak: the tests passed, and yet it is no success.
      run(file, "leak", { says: "leak here\nok | 4 passed | 0 failed (1s)", code: 1 }),
    ],
  };
  const totals = await runChecks(test.ctx, [check], { cores: 2 });
  assert.deepEqual(totals, { passed: 8, failed: 3, skipped: ["unit: SKIPPED: no moon"] });
  const talk = test.heard.talk.join("\n");
  assert.match(talk, /✗ unit: bad: exit code 1 after .*\nbad here\nFAILED \| 1 passed \| 2 failed/);
  assert.match(talk, /✗ unit: leak: exit code 1/);
  assert.doesNotMatch(talk, /fine here/);
  assert.match(talk, /✗ Unit tests: 8 passed, 3 failed \(/);
  assert.equal(talk.match(/^• /gm)?.length, 1);
});

Deno.test("after an interruption nothing more begins", async () => {
  const stop = new AbortController();
  await using test = await testContext({ signal: stop.signal });
  const file = `${test.ctx.home}.spans`;
  const check = { id: "x", title: "X", counts: false, runs: [run(file, "a"), run(file, "b")] };
  const running = runChecks(test.ctx, [check], { cores: 1 });
  stop.abort();
  const totals = await running;
  assert.equal(totals.passed, 0);
  await assert.rejects(Deno.stat(file), Deno.errors.NotFound);
});
