import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { type CheckResult, runEndpointChecks } from "./checks.ts";
import { fakeFrontend, serveTest } from "./testing.ts";

const outcomes = (results: readonly CheckResult[]) =>
  Object.fromEntries(results.map((result) => [result.id, result.outcome]));

for (const release of ["0.4.1", "1.6.1"] as const) {
  Deno.test(`all checks pass on a frontend of ${release}`, async () => {
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
  assert.match(failed.curl, /-H "Authorization: Bearer \$API_KEY"/);
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
