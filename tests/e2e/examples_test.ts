/**
 * The examples on the embedded cluster, for the oldest and the newest runtime: each comes up,
 * answers, does what it is there to show, and is gone before the next one. What a release or the
 * embedded cluster cannot run is refused with the reason.
 */
import assert from "node:assert/strict";
import { testContext } from "../../lib/cli/testing.ts";
import { forwardFrontend, frontendService } from "../../lib/deploy/frontend.ts";
import type { GraphState } from "../../lib/deploy/graph_state.ts";
import { pickGraph } from "../../lib/deploy/graphs.ts";
import { type GraphSession, openGraphs } from "../../lib/deploy/session.ts";
import type { Context } from "../../lib/cli/context.ts";
import { chat } from "../../lib/serving/completions.ts";
import { loadExample } from "../../lib/graph/examples.ts";
import { renderGraph } from "../../lib/graph/render.ts";
import { REQUEST_API_VERSION, REQUEST_KIND } from "../../lib/graph/render_request.ts";
import { listModels } from "../../lib/serving/probes.ts";
import { processesBelow } from "../support/processes.ts";
import { runTaskProcess, type TaskResult } from "../support/task.ts";
import { benchFromInside } from "./bench_modes.ts";

const EXAMPLES = [
  "hello-world",
  "vllm",
  "sglang",
  "trtllm",
  "multi-replica-vllm",
  "vllm-disagg",
  "sglang-disagg",
  "trtllm-disagg",
  "kv-routing",
  "vllm-router",
  "sglang-router",
  "trtllm-router",
  "vllm-disagg-router",
  "trtllm-high-performance",
  "vllm-70b",
];
const NEWER = ["mocker", "vllm-lora", "vllm-kv-offload"];
const REFUSED: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  "v0.4.1": {
    mocker: /comes with Dynamo 1\.4\.0, and this is 0\.4\.1/,
    "vllm-lora": /comes with Dynamo 1\.3\.0, and this is 0\.4\.1/,
    "vllm-kv-offload": /comes with Dynamo 1\.0\.0, and this is 0\.4\.1/,
    "vllm-multinode": /comes with Dynamo 1\.0\.0, and this is 0\.4\.1/,
    "sglang-multinode": /comes with Dynamo 1\.2\.0, and this is 0\.4\.1/,
    "sla-planner": /comes with Dynamo 1\.0\.0, and this is 0\.4\.1/,
  },
  "v1.6.1": {
    "vllm-multinode": /Grove or LeaderWorkerSet, which the embedded cluster does not have/,
    "sglang-multinode": /Grove or LeaderWorkerSet, which the embedded cluster does not have/,
  },
};
const TASK_TIMEOUT_MS = 20 * 60_000;
const REMOVED_WITHIN_MS = 60_000;

for (const version of ["v0.4.1", "v1.6.1"]) {
  Deno.test(`the examples with DYNAMO_VERSION=${version}`, async (t) => {
    await using test = await testContext();
    const { ctx } = test;
    const run = (...words: string[]) =>
      runTaskProcess(words, {
        home: ctx.home,
        env: { DYNAMO_VERSION: version },
        timeoutMs: TASK_TIMEOUT_MS,
      });
    const ok = async (...words: string[]): Promise<TaskResult> => {
      const result = await run(...words);
      assert.equal(
        result.code,
        0,
        `deno task ${words.join(" ")}\n${result.stderr}\n${result.stdout}`,
      );
      return result;
    };
    try {
      await ok("install", "--target", "local");
      for (const name of version === "v1.6.1" ? [...EXAMPLES, ...NEWER] : EXAMPLES) {
        await t.step(name, async () => {
          await ok("deploy", name);
          const { passed, checks } = JSON.parse((await ok("test", name, "-o", "json")).stdout);
          assert.equal(passed, true, JSON.stringify(checks));
          const answered = name === "hello-world" ? "greeting" : "chat";
          const check = checks.find((one: { id: string }) => one.id === answered);
          assert.equal(check?.outcome, "passed", JSON.stringify(checks));
          {
            await using session = await openGraphs(ctx, {});
            const graph = pickGraph(await session.list(), name);
            if (name.endsWith("-disagg")) await bothRolesWork(ctx, session, graph, version);
            if (name === "kv-routing" && version === "v1.6.1") {
              await prefixesAreReused(ctx, session, graph);
            }
          }
          if (name === "vllm") {
            await benchFromInside(ctx, run, { graph: name, tax: version === "v1.6.1" });
          }
          await ok("cleanup", name, "--yes");
          await nothingIsLeft(ctx, name);
        });
      }
      for (const [name, reason] of Object.entries(REFUSED[version]!)) {
        await t.step(`${name} is refused`, async () => {
          const { code, stderr } = await run("deploy", name);
          assert.equal(code, 3, stderr);
          assert.match(stderr, reason);
        });
      }
      if (version === "v1.6.1") {
        await t.step("a request goes before the graph that it would make again", async () => {
          await ok("deploy", "sla-planner");
          await requestGoesFirst(ctx, () => ok("cleanup", "--graphs", "--yes"));
        });
      }
    } finally {
      const cleaned = await run("cleanup", "--all", "--yes");
      assert.equal(cleaned.code, 0, cleaned.stderr);
    }
    assert.deepEqual(await processesBelow(ctx.home), []);
  });
}

/**
 * Prefill and decode both worked on requests, as their logs say. The mocker of 0.4.1 knows no
 * prefill role: there its pods hold the place, and say so.
 */
async function bothRolesWork(
  ctx: Context,
  session: GraphSession,
  graph: GraphState,
  version: string,
): Promise<void> {
  const workers = graph.components.filter((one) => one.type !== "frontend");
  assert.equal(workers.length, 2, JSON.stringify(workers));
  const logs = await Promise.all(workers.map((one) => logsOf(ctx, session, graph, one.name)));
  const busy = logs.filter((lines) => lines.some((line) => line.includes("request completed")));
  if (version === "v1.6.1") {
    assert.equal(busy.length, 2, logs.map((lines) => lines.slice(-5).join("\n")).join("\n--\n"));
    for (const role of ["prefill", "backend"]) {
      const pattern = new RegExp(`request completed.*component="${role}"`);
      assert.ok(
        logs.some((lines) => lines.some((line) => pattern.test(line))),
        `no ${role} worked`,
      );
    }
    return;
  }
  const idle = logs.filter((lines) => lines.some((line) => line.startsWith("Serving endpoint")));
  assert.equal(idle.length, 1, logs.map((lines) => lines.slice(0, 5).join("\n")).join("\n--\n"));
}

async function logsOf(
  ctx: Context,
  session: GraphSession,
  graph: GraphState,
  component: string,
): Promise<string[]> {
  const pods = graph.components.find((one) => one.name === component)?.pods ?? [];
  assert.ok(pods.length > 0, `${component} has no pods`);
  const lines: string[] = [];
  for (const pod of pods) {
    const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(20_000)]);
    const where = { name: pod.name, namespace: graph.namespace };
    for await (const line of session.kube.logs(where, { container: "main", signal })) {
      lines.push(line);
    }
  }
  return lines;
}

/** Three conversations with long beginnings of their own: from the second round on, tokens come from the cache. */
async function prefixesAreReused(
  ctx: Context,
  session: GraphSession,
  graph: GraphState,
): Promise<void> {
  const service = frontendService(graph);
  assert.ok(service !== undefined);
  const forwarder = await forwardFrontend(ctx, session.kube, {
    namespace: graph.namespace,
    service,
  });
  try {
    const endpoint = { url: forwarder.url };
    const model = (await listModels(ctx, endpoint))[0]!.id;
    const cached: number[] = [];
    const prompts: number[] = [];
    for (let round = 0; round < 3; round++) {
      for (const topic of ["rivers", "copper", "violins"]) {
        const answer = await chat(ctx, endpoint, {
          model,
          messages: `${`All about ${topic}, in order and in detail. `.repeat(80)} Round ${round}.`,
          maxTokens: 4,
        });
        assert.ok(answer.usage !== undefined, "the answer counts no tokens");
        cached.push(answer.usage.cachedTokens ?? 0);
        prompts.push(answer.usage.promptTokens);
        // KV events travel beside the answers; the router has to have them before the next round.
        await ctx.clock.sleep(200, ctx.signal);
      }
    }
    const seen = JSON.stringify({ cached, prompts });
    assert.ok(cached.slice(0, 3).every((count, i) => count < prompts[i]! / 2), seen);
    assert.ok(cached.slice(3).every((count, i) => count > prompts[i + 3]! / 2), seen);
  } finally {
    await forwarder.close();
  }
}

/**
 * Plays the operator: as long as the request is there, its graph is made again whenever it is
 * missing.
 */
async function requestGoesFirst(ctx: Context, cleanup: () => Promise<unknown>): Promise<void> {
  await using session = await openGraphs(ctx, {});
  const { kube, release, target: { namespace } } = session;
  const request = { apiVersion: REQUEST_API_VERSION, kind: REQUEST_KIND, name: "sla-planner" };
  const [graph] = renderGraph(await loadExample(ctx, "hello-world"), release, {
    namespace,
    name: "sla-planner-dgd",
  });
  assert.ok(graph !== undefined);
  let [made, done] = [0, false];
  const operator = (async () => {
    while (!done) {
      if (await kube.get({ ...request, namespace }) === undefined) return;
      if (await kube.get({ ...graph, namespace, name: graph.metadata.name }) === undefined) {
        await kube.apply(graph);
        made++;
      }
      await ctx.clock.sleep(20, ctx.signal);
    }
  })();
  try {
    while (made === 0) await ctx.clock.sleep(20, ctx.signal);
    await cleanup();
  } finally {
    done = true;
    await operator;
  }
  assert.equal(await kube.get({ ...request, namespace }), undefined);
  assert.deepEqual(await session.list(), []);
}

async function nothingIsLeft(ctx: Context, name: string): Promise<void> {
  await using session = await openGraphs(ctx, {});
  const end = ctx.clock.monotonic() + REMOVED_WITHIN_MS;
  for (;;) {
    const pods = await session.kube.list(
      { apiVersion: "v1", kind: "Pod" },
      { namespace: session.target.namespace },
    );
    const left = pods.items.filter((pod) => pod.metadata.name.startsWith(`${name}-`));
    const graphs = (await session.list()).filter((graph) => graph.name === name);
    if (left.length === 0 && graphs.length === 0) {
      if (name !== "vllm-lora") return;
      const adapters = { apiVersion: "nvidia.com/v1alpha1", kind: "DynamoModel" };
      assert.deepEqual((await session.kube.list(adapters)).items, []);
      return;
    }
    assert.ok(
      ctx.clock.monotonic() < end,
      `${name} left ${left.map((pod) => pod.metadata.name).join(", ")}`,
    );
    await ctx.clock.sleep(500, ctx.signal);
  }
}
