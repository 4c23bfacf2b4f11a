import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { type LineEditor, openLineEditor } from "./line_editor.ts";

interface Terminal {
  readonly editor: LineEditor;
  readonly shown: () => string;
  /** Types, and lets the editor take it. */
  readonly type: (keys: string) => Promise<void>;
}

async function withTerminal(body: (terminal: Terminal) => Promise<void>): Promise<void> {
  const input = new PassThrough();
  let shown = "";
  using editor = openLineEditor({
    input,
    write: (text) => void (shown += text),
    columns: () => 80,
  });
  await body({
    editor,
    shown: () => shown,
    async type(keys) {
      input.write(keys);
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
  });
}

Deno.test("lines are edited, and come back with the arrow key", () =>
  withTerminal(async ({ editor, shown, type }) => {
    const first = editor.next("> ");
    await type("helo\x1b[Dl\r");
    assert.deepEqual(await first, { kind: "line", text: "hello" });
    assert.ok(shown().startsWith("\x1b") || shown().includes("> "), JSON.stringify(shown()));
    const second = editor.next("> ");
    await type("\x1b[A!\r");
    assert.deepEqual(await second, { kind: "line", text: "hello!" });
  }));

Deno.test("Ctrl-C gives a begun line up, Ctrl-D ends", () =>
  withTerminal(async ({ editor, type }) => {
    const given = editor.next("> ");
    await type("never mind\x03");
    assert.deepEqual(await given, { kind: "interrupt" });
    const next = editor.next("> ");
    await type("again\r");
    assert.deepEqual(await next, { kind: "line", text: "again" });
    const last = editor.next("> ");
    await type("\x04");
    assert.deepEqual(await last, { kind: "end" });
    assert.deepEqual(await editor.next("> "), { kind: "end" });
  }));

Deno.test("during work Ctrl-C stops it, nothing is echoed, and what is typed comes next", () =>
  withTerminal(async ({ editor, shown, type }) => {
    let stopped = false;
    const work = editor.during((stop) =>
      new Promise<void>((resolve) =>
        stop.addEventListener("abort", () => {
          stopped = true;
          resolve();
        })
      )
    );
    await type("next question\rand a beg");
    assert.equal(shown(), "");
    await type("\x03");
    await work;
    assert.equal(stopped, true);
    assert.deepEqual(await editor.next("> "), { kind: "line", text: "next question" });
    assert.equal(shown(), "> next question\n");
    const begun = editor.next("> ");
    await type("inning\r");
    assert.deepEqual(await begun, { kind: "line", text: "and a beginning" });
  }));
