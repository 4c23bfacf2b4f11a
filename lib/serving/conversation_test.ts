import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { Conversation } from "./conversation.ts";
import { serveTest } from "./testing.ts";

const encoder = new TextEncoder();
const event = (content: string) =>
  encoder.encode(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
const HEADERS = { headers: { "Content-Type": "text/event-stream" } };

/** A stream that says the texts and then nothing. */
const hanging = (...texts: string[]) =>
  new Response(
    new ReadableStream({
      start: (controller) => texts.forEach((text) => controller.enqueue(event(text))),
    }),
    HEADERS,
  );
const whole = (text: string) =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(event(text));
        controller.enqueue(encoder.encode("data: [DONE]\n\n"));
        controller.close();
      },
    }),
    HEADERS,
  );
const coded = (code: string) => (error: unknown) => {
  assert.ok(error instanceof TaskError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

Deno.test("an answer that is stopped is kept as far as it came", async () => {
  await using test = await testContext();
  await using server = serveTest(() => hanging("half an", " answer"));
  const talk = new Conversation(test.ctx, { endpoint: server, model: "m", maxTokens: 8 });
  const stop = new AbortController();
  const parts: string[] = [];
  const answer = await talk.ask("x", {
    stop: stop.signal,
    onPart({ text }) {
      parts.push(text);
      if (parts.length === 2) stop.abort();
    },
  });
  assert.deepEqual(parts, ["half an", " answer"]);
  assert.deepEqual([answer.text, answer.stopped, answer.finishReason], [
    "half an answer",
    true,
    null,
  ]);
  assert.ok(answer.ttftMs !== null && answer.ttftMs <= answer.ms);
});

Deno.test("silence ends an answer, with exit code 4", async () => {
  await using test = await testContext();
  await using server = serveTest(() => hanging("a"));
  const options = { endpoint: server, model: "m", maxTokens: 8, silenceMs: 100 };
  await assert.rejects(new Conversation(test.ctx, options).ask("x"), coded("CHAT_SILENT"));
});

Deno.test("a frontend that was replaced is asked again, unless a part was shown", async () => {
  await using test = await testContext();
  await using next = serveTest(() => whole("from the next one"));
  for (const before of [[], ["a part"]]) {
    await using first = serveTest(() => hanging(...before));
    let url = first.url;
    const again: string[] = [];
    const talk = new Conversation(test.ctx, {
      endpoint: {
        get url() {
          return url;
        },
      },
      model: "m",
      maxTokens: 8,
      gone: async (signal) => {
        if (url === first.url) await test.ctx.clock.sleep(200, signal);
        else await new Promise(() => {});
      },
      replaced: () => {
        url = next.url;
        return Promise.resolve("pod a went away; asked again at b");
      },
    });
    const asked = talk.ask("x", { onAgain: (reason) => again.push(reason) });
    if (before.length > 0) {
      await assert.rejects(asked, coded("CHAT_GONE"));
      assert.equal((await talk.ask("x")).text, "from the next one");
      continue;
    }
    assert.equal((await asked).text, "from the next one");
    assert.deepEqual(again, ["pod a went away; asked again at b"]);
  }
});

Deno.test("what the server refuses is not asked again", async () => {
  await using test = await testContext();
  let requests = 0;
  await using server = serveTest(() => {
    requests++;
    return Response.json({ error: "no" }, { status: 400 });
  });
  const talk = new Conversation(test.ctx, {
    endpoint: server,
    model: "m",
    maxTokens: 8,
    replaced: () => Promise.resolve("never"),
  });
  await assert.rejects(talk.ask("x"), coded("ENDPOINT_STATUS"));
  assert.equal(requests, 1);
});
