import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { listExamples, loadExample } from "./examples.ts";
import { graphFrontend } from "./names.ts";
import { testRelease } from "./testing.ts";

const NINE = [
  "hello-world",
  "kv-routing",
  "multi-replica-vllm",
  "sglang",
  "sglang-disagg",
  "trtllm",
  "trtllm-disagg",
  "vllm",
  "vllm-disagg",
];

const FURTHER = [
  "mocker",
  "sglang-multinode",
  "sglang-router",
  "sla-planner",
  "trtllm-high-performance",
  "trtllm-router",
  "vllm-70b",
  "vllm-disagg-router",
  "vllm-kv-offload",
  "vllm-lora",
  "vllm-multinode",
  "vllm-router",
];

async function failure(action: Promise<unknown>): Promise<TaskError> {
  const error = await action.then(() => assert.fail("no error"), (error) => error);
  assert.ok(error instanceof TaskError);
  return error;
}

Deno.test("all examples are there, whole, cheap and stable ones first", async () => {
  await using test = await testContext();
  const examples = await listExamples(test.ctx);
  assert.deepEqual(examples.map((e) => e.name).sort(), [...NINE, ...FURTHER].sort());
  assert.deepEqual(examples.filter((e) => e.problem !== undefined), []);
  assert.equal(examples[0]?.name, "hello-world");
  const stages = examples.map((e) => e.stage);
  assert.ok(stages.lastIndexOf("stable") < stages.indexOf("beta"));
  for (const { name } of examples) {
    const readme = await Deno.readTextFile(`${test.ctx.root}/examples/${name}/README.md`);
    assert.match(readme, new RegExp(`deno task deploy ${name}\\b`), name);
  }
});

Deno.test("an unknown example is suggested and listed", async () => {
  await using test = await testContext();
  const error = await failure(loadExample(test.ctx, "vlm"));
  assert.equal(error.code, "EXAMPLE_UNKNOWN");
  assert.equal(error.exitCode, 2);
  assert.equal(error.message, 'There is no example "vlm". Did you mean "vllm"?');
  for (const name of NINE) assert.ok(error.hint?.includes(name));
  for (const name of ["../lib", "vllm/../vllm", ".", ""]) {
    assert.equal((await failure(loadExample(test.ctx, name))).code, "EXAMPLE_UNKNOWN");
  }
});

Deno.test("TRTLLM_CONFIG chooses the settings of trtllm and of nothing else", async () => {
  await using test = await testContext();
  const load = (name: string, config?: string) =>
    loadExample({ ...test.ctx, env: { ...test.ctx.env, get: () => config } }, name);
  const plain = await load("trtllm");
  assert.deepEqual(await load("trtllm", "default"), plain);
  const tuned = await load("trtllm", "high-performance");
  assert.equal(tuned.name, "trtllm");
  assert.deepEqual(tuned.components, (await load("trtllm-high-performance")).components);
  assert.notDeepEqual(tuned.components, plain.components);
  assert.deepEqual(await load("vllm", "high-performance"), await load("vllm"));
  const error = await failure(load("trtllm", "high-perf"));
  assert.equal(error.code, "TRTLLM_CONFIG_UNKNOWN");
  assert.equal(error.exitCode, 2);
  assert.match(error.message, /"high-perf", and must be default or high-performance/);
});

Deno.test("a broken example does not hide the others", async () => {
  await using test = await testContext();
  const root = test.ctx.home;
  for (
    const [name, text] of [["good", goodGraph("good")], ["other", goodGraph("elsewhere")], [
      "bad",
      "a: [",
    ]]
  ) {
    await Deno.mkdir(`${root}/examples/${name}`, { recursive: true });
    await Deno.writeTextFile(`${root}/examples/${name}/graph.yaml`, text!);
  }
  await Deno.mkdir(`${root}/examples/empty`);
  const examples = await listExamples({ ...test.ctx, root });
  assert.deepEqual(examples.map((e) => e.name), ["good", "bad", "other"]);
  assert.match(examples[1]?.problem ?? "", /^examples\/bad\/graph\.yaml is not YAML/);
  assert.match(examples[2]?.problem ?? "", /"elsewhere" is not the name of its folder, "other"/);
});

Deno.test("frontends are found where there are any", async () => {
  await using test = await testContext();
  const release = testRelease("0.4.1");
  const vllm = await loadExample(test.ctx, "vllm");
  assert.deepEqual(graphFrontend(vllm, release), { serviceName: "vllm-frontend", port: 8000 });
  assert.equal(graphFrontend(vllm, release, "chat")?.serviceName, "chat-frontend");
  assert.equal(graphFrontend(await loadExample(test.ctx, "hello-world"), release), undefined);
});

function goodGraph(name: string): string {
  return `{name: ${name}, description: x, engine: hello-world, components: [{name: W, role: worker}]}`;
}
