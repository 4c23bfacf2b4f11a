/**
 * What `status`, `logs` and `describe` say as data fits its schema, and the support archive of a
 * graph has no secret in it.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { CommandSpec } from "../../lib/cli/command.ts";
import { runCommand } from "../../lib/cli/main.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { isCode } from "../../lib/kube/objects.ts";
import { command as describe } from "../../tasks/describe.ts";
import { command as logs } from "../../tasks/logs.ts";
import { command as status } from "../../tasks/status.ts";
import { assertFits } from "../support/schemas.ts";
import { type DrillCluster, GRAPH } from "./deploy_support.ts";

/** Plants secrets in the graph, and looks for them in all that is handed out. */
export async function describesWithoutSecrets(
  { home, kube }: DrillCluster,
  graph: string,
): Promise<void> {
  // deploy refuses such a variable, so it comes as from another tool.
  await plantVariable(kube, graph);
  const annotations = {
    "kubectl.kubernetes.io/last-applied-configuration": '{"spec":"planted-annotation"}',
    "example.com/api-key": "planted-annotation",
    "example.com/note": "it says planted-env, and hf_plantedplanted",
  };
  await kube.patch({ ...GRAPH, name: graph }, "merge", { metadata: { annotations } });
  await using test = await testContext();
  const file = `${test.ctx.home}/support.tar.gz`;
  await Deno.mkdir(test.ctx.home, { recursive: true });
  await fits("status", await json(home, status, []));
  await fits("describe", await json(home, describe, [graph, "--bundle", file]));
  await fits("logs", await json(home, logs, [graph, "--tail", "1", "--timestamps"]));
  assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
  const again = await run(home, describe, [graph, "--bundle", file]);
  assert.equal(again.code, 2, "an archive that is there is kept");

  const tar = (...words: string[]) => test.ctx.processes.run("tar", words, { cwd: test.ctx.home });
  const names = await tar("-tzf", file);
  assert.match(names.stdout, /objects\/DynamoGraphDeployment\//);
  assert.match(names.stdout, /logs\/.*\/main\.log/);
  const text = (await tar("-xzOf", file)).stdout;
  assert.match(text, /MY_TOKEN/);
  assert.doesNotMatch(text, /planted/);
}

async function plantVariable(kube: DrillCluster["kube"], graph: string): Promise<void> {
  for (let tries = 1;; tries++) {
    const object = await kube.get({ ...GRAPH, name: graph });
    const main = object!["spec"].components[0].podTemplate.spec.containers[0];
    main.env = [...main.env ?? [], { name: "MY_TOKEN", value: "planted-env" }];
    try {
      return void await kube.replace(object!);
    } catch (error) {
      // The operator has written its status meanwhile.
      if (!isCode(error, "KUBE_CONFLICT") || tries === 10) throw error;
    }
  }
}

// deno-lint-ignore no-explicit-any -- commands with options of their own
async function run(home: string, command: CommandSpec<any>, words: string[]) {
  await using test = await testContext({ home });
  const code = await runCommand(test.ctx, command, words);
  return { code, data: test.heard.data, talk: test.heard.talk.join("\n") };
}

// deno-lint-ignore no-explicit-any -- commands with options of their own
async function json(home: string, command: CommandSpec<any>, words: string[]) {
  const { code, data, talk } = await run(home, command, [...words, "--output", "json"]);
  assert.equal(code, 0, talk);
  assert.ok(data.length > 0);
  return data.map((text) => JSON.parse(text));
}

async function fits(name: string, values: readonly unknown[]): Promise<void> {
  for (const value of values) await assertFits(name, value);
}
