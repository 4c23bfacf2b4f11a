import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { loadExample } from "../graph/examples.ts";
import { graphTimeout, manifestTimeout } from "./timeouts.ts";

async function minutes(example: string): Promise<number> {
  await using test = await testContext();
  return graphTimeout(await loadExample(test.ctx, example), false).seconds / 60;
}

Deno.test("the time grows with engine, model and nodes", async () => {
  const vllm = await minutes("vllm");
  assert.ok(vllm >= 20 && vllm <= 25, `vllm ${vllm} min`);
  assert.ok(await minutes("hello-world") < vllm);
  assert.ok(await minutes("trtllm") > await minutes("sglang"));
  // 70 billion parameters of two bytes are 140 GB.
  assert.ok(await minutes("vllm-70b") >= vllm + 20);
  assert.ok(await minutes("vllm-multinode") > await minutes("vllm-70b"));
});

Deno.test("the parts make up the time, and the embedded cluster takes none of them", async () => {
  await using test = await testContext();
  const graph = await loadExample(test.ctx, "vllm-70b");
  const { seconds, parts } = graphTimeout(graph, false);
  const sum = parts.reduce((total, part) => total + part.seconds, 0);
  assert.ok(seconds >= sum && seconds < sum + 60 && seconds % 60 === 0);
  assert.match(
    parts.map((part) => part.what).join(),
    /GPUs,pulling .*starting vllm,loading 14\d GB/,
  );
  assert.ok(graphTimeout(graph, true).seconds < seconds);
  assert.ok(manifestTimeout(false).seconds > manifestTimeout(true).seconds);
});
