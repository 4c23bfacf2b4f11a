import assert from "node:assert/strict";
import { runCommand } from "../lib/cli/main.ts";
import { testContext } from "../lib/cli/testing.ts";
import { allTasks, command as completions } from "./completions.ts";

Deno.test("--help of every task is plain text in 80 columns, and so are its complaints", async () => {
  const tasks = [...await allTasks(), completions];
  assert.ok(tasks.length > 14);
  for (const spec of tasks) {
    await using test = await testContext();
    assert.equal(await runCommand(test.ctx, spec, ["--help"]), 0, spec.name);
    const help = test.heard.data.join("\n");
    assert.match(help, new RegExp(`deno task ${spec.name}\\b`));
    for (const line of help.split("\n")) assert.ok([...line].length <= 80, line);
    assert.equal(await runCommand(test.ctx, spec, ["--no-such-option"]), 2, spec.name);
    const all = help + test.heard.talk.join("\n");
    // deno-lint-ignore no-control-regex -- escape sequences are what is looked for
    assert.doesNotMatch(all, /[\x00-\x08\x0b-\x1f\x7f]/, spec.name);
  }
});
