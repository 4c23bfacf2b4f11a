// The published schemas: there is one for each task that has data, and none lets anything pass.
import assert from "node:assert/strict";
import type { CommandSpec } from "../lib/cli/command.ts";
import { EXIT } from "../lib/cli/errors.ts";
import { runCommand } from "../lib/cli/main.ts";
import { testContext, type TestContextOptions } from "../lib/cli/testing.ts";
import { exists } from "../lib/cli/files.ts";
import { type JsonSchema, schemaProblems } from "../lib/graph/json_schema.ts";
import { assertFits, readSchema, SCHEMAS } from "../tests/support/schemas.ts";
import { command as bench } from "./bench.ts";
import { allTasks } from "./completions.ts";
import { command as config } from "./config.ts";
import { command as deploy } from "./deploy.ts";
import { command as examples } from "./examples.ts";
import { command as install } from "./install.ts";
import { command as prefetch } from "./prefetch.ts";
import { command as token } from "./token.ts";

// deno-lint-ignore no-explicit-any -- commands with options of their own
type AnyCommand = CommandSpec<any>;

async function data(command: AnyCommand, words: string[], options: TestContextOptions = {}) {
  await using test = await testContext(options);
  const code = await runCommand(test.ctx, command, words);
  assert.equal(code, EXIT.ok, test.heard.talk.join("\n"));
  assert.equal(test.heard.data.length, 1);
  return JSON.parse(test.heard.data[0]!);
}

Deno.test("each task with --output json has a schema", async () => {
  await using test = await testContext();
  for (const { name, options } of await allTasks()) {
    if (options["output"] === undefined) continue;
    const path = name === bench.name
      ? `${test.ctx.root}/lib/bench/summary.schema.json`
      : `${SCHEMAS}/${name}.schema.json`;
    assert.ok(await exists(test.ctx, path), `${name} has no ${path}`);
  }
});

Deno.test("the schemas are closed, and what they require is described", async () => {
  for await (const { name } of Deno.readDir(SCHEMAS)) {
    const schema = await readSchema(name.replace(/\.schema\.json$/, ""));
    let objects = 0;
    const visit = (one: JsonSchema, path: string): void => {
      if (one.$ref !== undefined) {
        assert.ok(schema.$defs?.[one.$ref.replace("#/$defs/", "")], `${path}: ${one.$ref}`);
      }
      if (one.properties !== undefined) {
        objects++;
        assert.equal(one.additionalProperties, false, `${path} is open`);
        assert.ok(one.required !== undefined, `${path} requires nothing`);
        for (const key of one.required) assert.ok(one.properties[key], `${path}.${key}`);
        for (const [key, inner] of Object.entries(one.properties)) visit(inner, `${path}.${key}`);
      } else if (one.type === "object") {
        assert.ok(one.additionalProperties !== undefined, `${path} does not say what it takes`);
      }
      if (typeof one.additionalProperties === "object") visit(one.additionalProperties, path);
      if (one.items !== undefined) visit(one.items, `${path}[]`);
      one.anyOf?.forEach((inner, i) => visit(inner, `${path}|${i}`));
      for (const [key, inner] of Object.entries(one.$defs ?? {})) visit(inner, `${path}#${key}`);
    };
    visit(schema, name);
    assert.ok(objects > 0, name);
  }
});

for (const version of ["v0.4.1", "v1.6.1"]) {
  Deno.test(`what needs no cluster keeps to its schema, with ${version}`, async () => {
    const env = { DYNAMO_VERSION: version };
    const json = ["--output", "json"];
    await assertFits("config", await data(config, json, { env }));
    await assertFits("examples", await data(examples, json, { env }));
    for (const words of [["vllm"], ["hello-world", "--no-wait"]]) {
      const plan = await data(deploy, [...words, "--dry-run", ...json], { env });
      await assertFits("plan", plan);
    }
    await assertFits("plan", await data(prefetch, ["a/b-7B", "--dry-run", ...json], { env }));
    const local = ["--target", "local", "--dry-run", ...json];
    await assertFits("plan", await data(install, local, { env }));
    const repo = ["--repo-url", "https://git.example/x", "--repo-path", "a"];
    const exported = ["vllm", "--export", "gitops", ...repo, "--repo-revision", "main"];
    await assertFits(
      "deploy-export",
      await data(deploy, [...exported, "--dry-run", ...json], { env }),
    );
  });
}

Deno.test("a token is an ExecCredential", async () => {
  const env = { AWS_ACCESS_KEY_ID: "AKIAOFTEST", AWS_SECRET_ACCESS_KEY: "secret-of-the-test" };
  const words = ["--name", "demo", "--region", "us-west-2"];
  await assertFits("token", await data(token, words, { env }));
});

Deno.test("a wrong field, a missing one and another kind are found", async () => {
  const schema = await readSchema("examples");
  const [entry] = await data(examples, ["--output", "json"]);
  const problems = (change: Record<string, unknown>) =>
    schemaProblems(schema, JSON.parse(JSON.stringify([{ ...entry, ...change }])), { closed: true })
      .map(({ path }) => path);
  assert.deepEqual(problems({}), []);
  assert.deepEqual(problems({ gpu: 1 }), ["[0].gpu"]);
  assert.deepEqual(problems({ releases: undefined }), ["[0].releases"]);
  assert.deepEqual(problems({ gpus: "1" }), ["[0].gpus"]);
  assert.deepEqual(problems({ cost: { ...entry.cost, asOf: "today" } }), ["[0].cost.asOf"]);
});
