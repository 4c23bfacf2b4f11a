import assert from "node:assert/strict";
import { withContext } from "../lib/cli/context.ts";
import { EXIT } from "../lib/cli/errors.ts";
import type { LineEditor, Typed } from "../lib/cli/line_editor.ts";
import { runCommand } from "../lib/cli/main.ts";
import { testContext } from "../lib/cli/testing.ts";
import type { Answer } from "../lib/serving/conversation.ts";
import { fakeFrontend, serveTest } from "../lib/serving/testing.ts";
import { assertFits } from "../tests/support/schemas.ts";
import { command } from "./chat.ts";

const line = (text: string): Typed => ({ kind: "line", text });
const CTRL_C: Typed = { kind: "interrupt" };

/** Types these; a Ctrl-C that is due during an answer stops it. */
function typing(...all: readonly (Typed | "stop")[]): LineEditor {
  const left = [...all];
  return {
    next: () => Promise.resolve(left.shift() as Typed ?? { kind: "end" }),
    during(work) {
      if (left[0] !== "stop") return work(new AbortController().signal);
      left.shift();
      return work(AbortSignal.timeout(150));
    },
    [Symbol.dispose]: () => {},
  };
}

const events = (...chunks: string[]) =>
  new Response(chunks.map((chunk) => `data: ${chunk}\n\n`).join(""), {
    headers: { "Content-Type": "text/event-stream" },
  });
const said = (content: string) => JSON.stringify({ choices: [{ delta: { content } }] });

for (const release of ["0.4.1", "1.6.1"] as const) {
  Deno.test(`one answer of a frontend of ${release}, as text and as data`, async () => {
    await using test = await testContext();
    await using server = serveTest(fakeFrontend({ release, models: ["a/b"] }));
    const ask = (...words: string[]) =>
      runCommand(test.ctx, command, ["--url", server.url, ...words]);
    assert.equal(await ask("Say", "hello", "--max-tokens", "4"), EXIT.ok);
    assert.equal(test.heard.data.splice(0).join(""), " x x x x");
    const tokens = release === "0.4.1" ? 3 : 4;
    assert.match(
      test.heard.talk.splice(0).join("\n"),
      new RegExp(`^  ${tokens} tokens in \\d.*, first after .*; cut at --max-tokens 4$`),
    );
    assert.equal(await ask("Hello", "--max-tokens", "4", "--output", "json"), EXIT.ok);
    assert.equal(test.heard.data.length, 1);
    const answer: Answer = JSON.parse(test.heard.data[0]!);
    await assertFits("chat", answer);
    assert.deepEqual(
      [answer.model, answer.prompt, answer.text, answer.finishReason, answer.completionTokens],
      ["a/b", "Hello", " x x x x", "length", tokens],
    );
  });
}

Deno.test("what is piped is asked, before the prompt", async () => {
  const asked: unknown[] = [];
  await using server = serveTest(async (request) => {
    if (request.method === "GET") return Response.json({ data: [{ id: "m" }] });
    const body = await request.json();
    asked.push([body.messages, body.temperature, body.max_tokens]);
    return events(said("ok\x1b[2J\r\n"), "[DONE]");
  });
  await using test = await testContext({ input: "a text\n" });
  const words = ["--url", server.url, "Summarise:", "--system", "Be brief", "--temperature", "0"];
  assert.equal(await runCommand(test.ctx, command, words), EXIT.ok);
  assert.deepEqual(asked, [[
    [
      { role: "system", content: "Be brief" },
      { role: "user", content: "a text\n\nSummarise:" },
    ],
    0,
    512,
  ]]);
  assert.equal(test.heard.data.join(""), "ok[2J", "control characters are left out");
});

Deno.test("what is wrong is refused in words: nothing to ask, model, header, the server's no", async () => {
  const cases: [words: string[], says: RegExp, code: number, input?: string][] = [
    [[], /nothing to ask: no prompt, nothing on standard input, no terminal/, EXIT.usage, ""],
    [["Hello", "--model", "a/c"], /does not serve "a\/c"\. Did you mean "a\/b"/, EXIT.usage],
    [["Hello"], /several models: choose one with --model[^]*Served: a\/b, lora/, EXIT.usage],
    [["Hello", "--temperature", "3"], /at most 2/, EXIT.usage],
    [["Hello", "-m", "a/b", "--max-tokens", "99"], /answered 400: too many tokens/, EXIT.failed],
  ];
  const frontend = fakeFrontend({ release: "1.6.1", models: ["a/b", "lora"] });
  await using server = serveTest(async (request) => {
    const body = request.method === "POST" ? await request.clone().json() : {};
    return body.max_tokens === 99
      ? Response.json({ message: "too many tokens", code: 400 }, { status: 400 })
      : await frontend(request);
  });
  for (const [words, says, code, input] of cases) {
    await using test = await testContext(input === undefined ? {} : { input });
    const ended = await runCommand(test.ctx, command, ["--url", server.url, ...words]);
    assert.equal(ended, code, words.join(" "));
    assert.match(test.heard.talk.join("\n"), says);
    assert.deepEqual(test.heard.data, []);
  }
  await using test = await testContext();
  assert.equal(await runCommand(test.ctx, command, ["x", "--header", "A: b"]), EXIT.usage);
  assert.match(test.heard.talk.join("\n"), /--header needs --url/);
});

Deno.test("a conversation: remembers, forgets, goes on after errors, stops and leaves", async () => {
  const asked: string[][] = [];
  await using server = serveTest(async (request) => {
    if (request.method === "GET") return Response.json({ data: [{ id: "m" }] });
    const { messages } = await request.json();
    const contents = messages.map(({ content }: { content: string }) => content);
    asked.push(contents);
    const question = contents.at(-1);
    if (question === "fail") return Response.json({ error: "no room" }, { status: 400 });
    if (question !== "endless") return events(said(`to ${question}`), "[DONE]");
    return new Response(
      new ReadableStream({
        start: (controller) =>
          controller.enqueue(new TextEncoder().encode(`data: ${said("for ever")}\n\n`)),
      }),
      { headers: { "Content-Type": "text/event-stream" } },
    );
  });
  await using test = await testContext();
  const talk = async (...typed: (Typed | "stop")[]) => {
    const editor = typing(...typed);
    const ui = {
      ...test.ctx.ui,
      interactive: true,
      lineEditor: () => Promise.resolve(editor),
    };
    const code = await runCommand(withContext(test.ctx, { ui }), command, ["--url", server.url]);
    return { code, talk: test.heard.talk.splice(0).join("\n") };
  };
  const first = await talk(
    line("one"),
    line("fail"),
    line("two"),
    line("  "),
    line("/clear"),
    line('"""three'),
    line('and four"""'),
    line("/help"),
    line("/bye"),
  );
  assert.equal(first.code, EXIT.ok, first.talk);
  assert.match(first.talk, /answered 400: no room/);
  assert.match(first.talk, /\/clear +forgets/);
  assert.deepEqual(asked.splice(0), [
    ["one"],
    ["one", "to one", "fail"],
    ["one", "to one", "two"],
    ["three\nand four"],
  ]);
  const stopped = await talk(line("endless"), "stop", line("next"), CTRL_C, CTRL_C);
  assert.equal(stopped.code, EXIT.interrupted);
  assert.match(stopped.talk, /stopped after/);
  assert.match(stopped.talk, /Ctrl-C again leaves/);
  assert.deepEqual(asked.splice(0), [["endless"], ["endless", "for ever", "next"]]);
  const left = await talk(line("endless"), "stop", CTRL_C);
  assert.equal(left.code, EXIT.interrupted);
  assert.doesNotMatch(left.talk, /again leaves/);
});
