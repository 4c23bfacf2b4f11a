import assert from "node:assert/strict";
import { defineCommand, parseCommand } from "./command.ts";
import { EXIT, TaskError } from "./errors.ts";
import { reportError, runCommand } from "./main.ts";
import { commonOptions, optionName, optionSyntax } from "./options.ts";
import { testContext } from "./testing.ts";

const sample = defineCommand({
  name: "sample",
  summary: "Does a thing",
  args: [{ name: "thing", description: "Which thing" }],
  options: {
    ...commonOptions,
    requests: {
      kind: "integer",
      default: 64,
      min: 1,
      placeholder: "count",
      description: "How many",
    },
    replicas: { kind: "list", placeholder: "component=n", description: "Copies" },
    speed: { kind: "number", description: "How fast" },
    noWait: { kind: "flag", description: "Return at once" },
  },
  examples: [{ command: "sample x --requests 3", text: "Three times" }],
  run: (ctx, { options, args }) => {
    ctx.ui.out(JSON.stringify({ ...options, args }));
    return Promise.resolve();
  },
});

async function parse(...words: string[]) {
  const parsed = await parseCommand(sample, words);
  assert.equal(parsed.kind, "run");
  return parsed.kind === "run" ? parsed.invocation : assert.fail();
}

Deno.test("options get their types and defaults", async () => {
  const { options, args, given } = await parse(
    "x",
    "--requests",
    "3",
    "--replicas",
    "a=1",
    "--replicas=b=2",
    "-y",
  );
  assert.deepEqual(args, ["x"]);
  assert.equal(options.requests, 3);
  assert.deepEqual(options.replicas, ["a=1", "b=2"]);
  assert.equal(options.yes, true);
  assert.equal(options.dryRun, false);
  assert.equal(options.output, "text");
  assert.equal(options.target, undefined);
  assert.equal(options.noWait, false);
  assert.equal((await parse("--no-wait")).options.noWait, true);
  assert.deepEqual([...given].sort(), ["replicas", "requests", "yes"]);
});

Deno.test("wrong words are usage errors with a suggestion", async () => {
  const cases: [string[], RegExp][] = [
    [["--requets", "3"], /requets.*Did you mean.*requests/s],
    [["--requests", "many"], /requests.*many/],
    [["--requests", "0"], /at least 1/],
    [["--target", "lokal"], /lokal.*local, eks, context/],
    [["--namespace", ""], /namespace/],
    [["--requests"], /requests/],
    [["a", "b"], /b/],
  ];
  for (const [words, message] of cases) {
    await assert.rejects(parseCommand(sample, words), (error) => {
      assert.ok(error instanceof TaskError, `${words}: ${error}`);
      assert.equal(error.exitCode, EXIT.usage);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("--help shows usage, options and examples on stdout", async () => {
  await using test = await testContext();
  assert.equal(await runCommand(test.ctx, sample, ["--help"]), EXIT.ok);
  const text = test.heard.data.join("\n");
  for (
    const part of [
      "sample",
      "Does a thing",
      "--dry-run",
      "--requests",
      "deno task sample x --requests 3",
    ]
  ) {
    assert.ok(text.includes(part), `${part} is missing in\n${text}`);
  }
  assert.deepEqual(test.heard.talk, []);
});

Deno.test("errors are printed once, with hint and evidence, and give the exit code", async () => {
  await using test = await testContext();
  const code = reportError(
    test.ctx.ui,
    new TaskError({
      code: "X",
      message: "it broke",
      hint: "mend it",
      evidence: ["line 1"],
      exitCode: EXIT.timeout,
    }),
  );
  assert.equal(code, EXIT.timeout);
  assert.deepEqual(test.heard.talk, ["✗ it broke", "    line 1", "  mend it"]);
});

Deno.test("a full disk and missing rights are explained", async () => {
  await using test = await testContext();
  assert.equal(
    reportError(test.ctx.ui, new Error("write failed: No space left on device (os error 28)")),
    EXIT.precondition,
  );
  assert.equal(
    reportError(test.ctx.ui, new Deno.errors.PermissionDenied("open '/x'")),
    EXIT.precondition,
  );
  assert.match(test.heard.talk.join("\n"), /The disk is full.*Free some space.*Not permitted/s);
});

Deno.test("an unexpected error is exit code 1 and shows no stack", async () => {
  await using test = await testContext();
  const failing = defineCommand({ ...sample, run: () => Promise.reject(new RangeError("boom")) });
  assert.equal(await runCommand(test.ctx, failing, []), EXIT.failed);
  assert.match(test.heard.talk.join("\n"), /Unexpected error: boom/);
  assert.ok(!test.heard.talk.join("\n").includes("command_test.ts"));
});

Deno.test("option names and syntax", () => {
  assert.equal(optionName("maxModelLen"), "max-model-len");
  assert.equal(optionSyntax("dryRun", { kind: "flag", description: "" }), "--dry-run");
  assert.equal(
    optionSyntax("requests", {
      kind: "integer",
      short: "r",
      placeholder: "count",
      description: "",
    }),
    "-r, --requests <count:integer>",
  );
});
