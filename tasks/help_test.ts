import assert from "node:assert/strict";
import type { CommandSpec } from "../lib/cli/command.ts";
import { runCommand } from "../lib/cli/main.ts";
import { testContext } from "../lib/cli/testing.ts";
import { assertPlain } from "../tests/support/screen.ts";
import { allTasks, command as completions } from "./completions.ts";

Deno.test("--help of every task is plain text in 80 columns, and so are its complaints", async () => {
  const tasks = [...await allTasks(), completions];
  assert.ok(tasks.length > 14);
  for (const spec of tasks) {
    await using test = await testContext();
    assert.equal(await runCommand(test.ctx, spec, ["--help"]), 0, spec.name);
    const help = test.heard.data.join("\n");
    assert.match(help, new RegExp(`deno task ${spec.name}\\b`));
    assertPlain(spec.name, help);
    assert.equal(await runCommand(test.ctx, spec, ["--no-such-option"]), 2, spec.name);
    assertPlain(spec.name, test.heard.talk.join("\n"));
  }
});

Deno.test("what needs no cluster is said in 80 columns: examples, config, plans", async () => {
  const tasks = new Map((await allTasks()).map((spec) => [spec.name, spec]));
  const words = [
    ["examples"],
    ["config"],
    ["deploy", "vllm", "--dry-run"],
    ["deploy", "trtllm-disagg", "--dry-run", "--replicas", "TRTLLMPrefillWorker=2"],
    ["deploy", "hello-world", "--dry-run", "--no-wait"],
    ["install", "--target", "local", "--dry-run"],
  ];
  for (const version of ["v0.4.1", "v1.6.1"]) {
    for (const [name = "", ...rest] of words) {
      await using test = await testContext({ env: { DYNAMO_VERSION: version } });
      const spec = tasks.get(name) as CommandSpec;
      const code = await runCommand(test.ctx, spec, rest);
      const { data, talk } = test.heard;
      assert.equal(code, 0, talk.join("\n"));
      assert.ok(data.join("\n").split("\n").length > 3, name);
      assertPlain(`${name} ${rest.join(" ")}`, [...data, ...talk].join("\n"));
    }
  }
});
