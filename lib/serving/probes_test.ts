import assert from "node:assert/strict";
import { EXIT, TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { chat, completions } from "./completions.ts";
import { baseUrl } from "./endpoint.ts";
import { health, listModels, live, metrics } from "./probes.ts";
import { sumOf } from "./prometheus.ts";
import { fakeFrontend, serveTest } from "./testing.ts";

const failsWith = (code: string, pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof TaskError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, pattern);
  return true;
};

for (const release of ["0.4.1", "1.6.1"] as const) {
  Deno.test(`a frontend of ${release} is read`, async () => {
    await using test = await testContext();
    await using server = serveTest(fakeFrontend({ release, models: ["a/b"] }));
    const { ctx } = test, { url } = server;
    assert.deepEqual((await listModels(ctx, server)).map((model) => model.id), ["a/b"]);
    assert.equal((await health(ctx, server)).healthy, true);
    assert.equal((await live(ctx, server)).served, release === "1.6.1");
    const request = { model: "a/b", maxTokens: 8, messages: "hi" };
    const whole = await chat(ctx, { url }, request);
    assert.equal(whole.text, "hello there");
    assert.equal(whole.usage?.completionTokens, release === "0.4.1" ? 7 : 8);
    const streamed = await chat(ctx, { url }, { ...request, stream: true });
    assert.equal(streamed.text, " x".repeat(8));
    assert.equal(streamed.events, 8);
    assert.equal(streamed.finishReason, "length");
    assert.equal(streamed.usage?.promptTokens, 11);
    assert.ok(streamed.firstMs !== undefined && streamed.firstMs <= streamed.ms);
    const scrape = await metrics(ctx, { url });
    assert.equal(scrape && sumOf(scrape, "dynamo_frontend_requests_total"), 2);
    await assert.rejects(
      completions(ctx, { url }, { model: "nope", prompt: "x", maxTokens: 1 }),
      failsWith("ENDPOINT_STATUS", /POST .*\/v1\/completions answered 404: Model not found/),
    );
  });
}

Deno.test("no model: 0.4.1 answers 503, 1.6.1 answers 200, and both are unhealthy", async () => {
  await using test = await testContext();
  for (const release of ["0.4.1", "1.6.1"] as const) {
    await using server = serveTest(fakeFrontend({ release, models: [] }));
    const answer = await health(test.ctx, server);
    assert.equal(answer.healthy, false);
    assert.equal(answer.status, release === "0.4.1" ? 503 : 200);
    assert.deepEqual(await listModels(test.ctx, server), []);
  }
});

Deno.test("errors say the status and the server's words, whatever the shape", async () => {
  const bodies: [string, RegExp][] = [
    ['{"error":"plain"}', /answered 400: plain$/],
    ['{"error":{"message":"nested","code":1}}', /answered 400: nested$/],
    ['{"message":"typed","type":"Bad Request","code":400}', /answered 400: typed$/],
    ["just\ntext", /answered 400: just text$/],
    ["", /answered 400 with no body$/],
    ["x".repeat(5000), /answered 400: x{299}…$/],
  ];
  await using test = await testContext();
  for (const [body, pattern] of bodies) {
    await using server = serveTest(() => new Response(body, { status: 400 }));
    await assert.rejects(listModels(test.ctx, server), failsWith("ENDPOINT_STATUS", pattern));
  }
});

Deno.test("answers that are not the API's are refused with their start", async () => {
  await using test = await testContext();
  await using server = serveTest((request) =>
    request.method === "GET"
      ? new Response("<html>welcome</html>")
      : new Response("{}", { headers: { "Content-Type": "application/json" } })
  );
  const request = { model: "m", maxTokens: 1, messages: "x" };
  await assert.rejects(listModels(test.ctx, server), failsWith("ENDPOINT_BODY", /<html>welcome/));
  await assert.rejects(
    chat(test.ctx, server, request),
    failsWith("ENDPOINT_BODY", /without a completion/),
  );
  await assert.rejects(
    chat(test.ctx, server, { ...request, stream: true }),
    failsWith("ENDPOINT_BODY", /application\/json, not text\/event-stream/),
  );
});

Deno.test("a redirect is not followed", async () => {
  await using test = await testContext();
  await using server = serveTest(() => Response.redirect("http://127.0.0.1:1/elsewhere", 302));
  await assert.rejects(listModels(test.ctx, server), failsWith("ENDPOINT_STATUS", /answered 302/));
});

Deno.test("a stream that reports an error, or ends too early, is an error", async () => {
  await using test = await testContext();
  const streams: [string, string, RegExp][] = [
    [
      'data: {"choices":[{"delta":{"content":"a"}}]}\n\nevent: error\n: worker is gone\n\n',
      "STREAM_ERROR",
      /after 1 events: worker is gone/,
    ],
    [
      'event: error\ndata: {"message":"prompt too long","code":500}\n\n',
      "STREAM_ERROR",
      /prompt too long/,
    ],
    ['data: {"error":{"message":"kaput"}}\n\n', "STREAM_ERROR", /kaput/],
    ["data: {broken\n\n", "STREAM_ERROR", /not JSON/],
    ['data: {"choices":[{"delta":{"content":"a"}}]}\n\n', "STREAM_TRUNCATED", /after 1 events/],
  ];
  for (const [body, code, pattern] of streams) {
    await using server = serveTest(() =>
      new Response(body, { headers: { "Content-Type": "text/event-stream" } })
    );
    const asked = chat(test.ctx, server, { model: "m", maxTokens: 1, messages: "x", stream: true });
    await assert.rejects(asked, failsWith(code, pattern));
  }
});

Deno.test("a server that is silent ends at the deadline, with exit code 4", async () => {
  await using test = await testContext();
  await using server = serveTest(async (request) => {
    await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
    return new Response();
  });
  await assert.rejects(listModels(test.ctx, { url: server.url, timeoutMs: 100 }), (error) => {
    failsWith("ENDPOINT_TIMEOUT", /not answered within 0.1 s/)(error);
    return (error as TaskError).exitCode === EXIT.timeout;
  });
});

Deno.test("nobody listening, and interruption, are told apart", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
  listener.close();
  await using test = await testContext();
  await assert.rejects(
    listModels(test.ctx, { url }),
    failsWith("ENDPOINT_UNREACHABLE", /GET http.*failed: .*refused/i),
  );
  const stop = new AbortController();
  await using stopped = await testContext({ signal: stop.signal });
  stop.abort();
  await assert.rejects(listModels(stopped.ctx, { url }), failsWith("INTERRUPTED", /./));
});

Deno.test("URLs are cleaned, and secrets in them refused", () => {
  assert.equal(baseUrl("http://h:1/"), "http://h:1");
  assert.equal(baseUrl("https://h/prefix/v1/"), "https://h/prefix");
  for (const bad of ["", "h:1", "ftp://h", "localhost:8000/v1", "http://u:p@h"]) {
    assert.throws(() => baseUrl(bad), failsWith("URL_INVALID", /./));
  }
});
