import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { type CheckResult, runEndpointChecks } from "./checks.ts";
import { fakeFrontend, serveTest } from "./testing.ts";

const outcomes = (results: readonly CheckResult[]) =>
  Object.fromEntries(results.map((result) => [result.id, result.outcome]));

for (const release of ["0.4.1", "1.6.1"] as const) {
  Deno.test(`checks of a frontend of ${release} that lies about long prompts`, async () => {
    await using test = await testContext();
    await using server = serveTest(fakeFrontend({ release, models: ["a/b"] }));
    const seen: string[] = [];
    const results = await runEndpointChecks(test.ctx, {
      url: server.url,
      expectedModels: ["a/b"],
      onCheck: (result) => seen.push(result.id),
    });
    assert.deepEqual(outcomes(results), {
      "health": "passed",
      "live": release === "0.4.1" ? "skipped" : "passed",
      "models": "passed",
      "chat": "passed",
      "chat-stream": "passed",
      "completion": "passed",
      "completion-stream": "passed",
      "wrong-model": "passed",
      "malformed-json": "passed",
      "missing-field": "passed",
      "json-output": "skipped",
      "tools": "skipped",
      "long-context": "failed",
      "shared-prefix": "skipped",
      "lora": "skipped",
      "multimodal": "passed",
      "usage": "passed",
      "metrics": "passed",
    });
    assert.deepEqual(seen, results.map((result) => result.id));
    assert.match(
      results.find((one) => one.id === "chat-stream")!.detail,
      /16 events, first after \d+ ms/,
    );
  });
}

Deno.test("without a model, what depends on it is skipped and says why", async () => {
  await using test = await testContext();
  await using server = serveTest(fakeFrontend({ release: "0.4.1", models: [] }));
  const results = await runEndpointChecks(test.ctx, { url: server.url });
  assert.deepEqual(outcomes(results), {
    "health": "failed",
    "live": "skipped",
    "models": "failed",
    "chat": "skipped",
    "chat-stream": "skipped",
    "completion": "skipped",
    "completion-stream": "skipped",
    "wrong-model": "skipped",
    "malformed-json": "skipped",
    "missing-field": "skipped",
    "json-output": "skipped",
    "tools": "skipped",
    "long-context": "skipped",
    "shared-prefix": "skipped",
    "lora": "skipped",
    "multimodal": "skipped",
    "usage": "skipped",
    "metrics": "skipped",
  });
  for (const result of results) assert.notEqual(result.detail, "");
});

Deno.test("a failed check carries the request as a curl line, without the key", async () => {
  await using test = await testContext();
  await using server = serveTest(fakeFrontend({ release: "1.6.1", models: ["a/b"] }));
  const results = await runEndpointChecks(test.ctx, {
    url: server.url,
    model: "it's",
    apiKey: "sk-very-secret",
  });
  const failed = results.find((result) => result.id === "chat-stream")!;
  assert.equal(failed.ok, false);
  assert.match(failed.detail, /answered 404: Model not found/);
  assert.match(failed.curl, /^curl -sS -N http:\/\/127\.0\.0\.1:\d+\/v1\/chat\/completions /);
  assert.match(failed.curl, /-H "Authorization: Bearer \$OPENAI_API_KEY"/);
  assert.ok(failed.curl.includes(`'{"model":"it'\\''s",`), failed.curl);
  assert.ok(!JSON.stringify(results).includes("sk-very-secret"));
});

Deno.test("an empty answer, and counts that cannot be, are failures", async () => {
  await using test = await testContext();
  const base = fakeFrontend({ release: "1.6.1", models: ["m"] });
  await using server = serveTest((request) => {
    if (!request.url.endsWith("/chat/completions")) return base(request);
    return Response.json({
      choices: [{ message: { content: "x" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 99 },
    });
  });
  const results = await runEndpointChecks(test.ctx, { url: server.url });
  const usage = results.find((result) => result.id === "usage")!;
  assert.equal(usage.outcome, "failed");
  assert.match(usage.detail, /total_tokens is 99, not 3 \+ 2/);
  await using empty = serveTest((request) =>
    request.url.endsWith("/chat/completions")
      ? Response.json({ choices: [{ message: { content: null }, finish_reason: "length" }] })
      : base(request)
  );
  const chat = (await runEndpointChecks(test.ctx, { url: empty.url })).find((one) =>
    one.id === "chat"
  )!;
  assert.match(chat.detail, /the answer is empty/);
});

Deno.test("only what is asked for runs, and side by side the order of the results stays", async () => {
  await using test = await testContext();
  await using server = serveTest(fakeFrontend({ release: "1.6.1", models: ["a/b"] }));
  const only = ["metrics", "usage", "chat"];
  const results = await runEndpointChecks(test.ctx, { url: server.url, only, parallel: 4 });
  assert.deepEqual(outcomes(results), { chat: "passed", usage: "passed", metrics: "passed" });
  assert.deepEqual(results.map((result) => result.id), ["chat", "usage", "metrics"]);
  await assert.rejects(
    runEndpointChecks(test.ctx, { url: server.url, only: ["metric"] }),
    (error) => error instanceof TaskError && /Did you mean "metrics"/.test(error.hint ?? ""),
  );
});

Deno.test("the shape of errors is judged by the release", async () => {
  await using test = await testContext();
  await using server = serveTest(fakeFrontend({ release: "0.4.1", models: ["a/b"] }));
  const only = ["wrong-model", "missing-field"];
  const judged = await runEndpointChecks(test.ctx, {
    url: server.url,
    only,
    traits: { release: "1.6.1" },
  });
  assert.deepEqual(outcomes(judged), { "wrong-model": "failed", "missing-field": "failed" });
  const old = await runEndpointChecks(test.ctx, {
    url: server.url,
    only,
    traits: { release: "0.4.1" },
  });
  assert.deepEqual(outcomes(old), { "wrong-model": "passed", "missing-field": "passed" });
});

Deno.test("what a disturbance broke is tried once more, and says so; other failures count", async () => {
  await using test = await testContext();
  let alive = false;
  const frontend = fakeFrontend({ release: "1.6.1", models: ["a/b"] });
  await using server = serveTest((request) =>
    alive ? frontend(request) : new Response("gone", { status: 502 })
  );
  const results = await runEndpointChecks(test.ctx, {
    url: server.url,
    model: "a/b",
    only: ["chat", "wrong-model"],
    disturbed: () => {
      const words = alive ? undefined : "the frontend was replaced";
      alive = true;
      return Promise.resolve(words);
    },
  });
  assert.deepEqual(outcomes(results), { chat: "passed", "wrong-model": "passed" });
  assert.match(results[0]!.detail, /finish reason length; the frontend was replaced$/);
  alive = false;
  const broken = await runEndpointChecks(test.ctx, {
    url: server.url,
    model: "a/b",
    only: ["chat"],
    shownUrl: "http://127.0.0.1:8000",
    headers: { "X-Api-Key": "very-secret" },
    disturbed: () => Promise.resolve(undefined),
  });
  assert.deepEqual(outcomes(broken), { chat: "failed" });
  assert.match(broken[0]!.curl, /http:\/\/127.0.0.1:8000\/v1.*"X-Api-Key: \$X_API_KEY"/);
  assert.doesNotMatch(JSON.stringify(broken), /very-secret/);
});

Deno.test("without a model, asking for one check of it fails and says why", async () => {
  await using test = await testContext();
  await using server = serveTest(fakeFrontend({ release: "1.6.1", models: [] }));
  const results = await runEndpointChecks(test.ctx, { url: server.url, only: ["chat"] });
  assert.deepEqual(outcomes(results), { models: "failed", chat: "skipped" });
});
