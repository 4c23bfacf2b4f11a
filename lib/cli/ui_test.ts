import assert from "node:assert/strict";
import type { Keyboard } from "./prompts.ts";
import { plainUi, type UiOptions } from "./ui_plain.ts";
import { ttyUi } from "./ui_tty.ts";

function options(written: string[]): UiOptions {
  let clock = 0;
  return {
    writeError: (text) => written.push(text),
    writeOut: (text) => written.push(`out:${text}`),
    now: () => clock += 100,
    verbose: false,
    color: false,
    width: 60,
  };
}

/** A keyboard that types the given keys, one read each, then is closed. */
function typing(...keys: string[]): Keyboard {
  return { raw: (body) => body(() => Promise.resolve(keys.shift() ?? "")) };
}

Deno.test("the plain terminal writes whole lines without escapes", () => {
  const written: string[] = [];
  const ui = plainUi(options(written));
  const step = ui.step("Build");
  step.progress(1, 2, "parts");
  step.done("all parts");
  ui.warn("careful");
  ui.debug("hidden without --verbose");
  assert.equal(written.join(""), "• Build\n✓ Build: all parts (200 ms)\n! careful\n");
});

Deno.test("the plain terminal repeats progress at most every ten seconds", () => {
  const written: string[] = [];
  const ui = plainUi(options(written));
  const step = ui.step("Build");
  for (let i = 0; i < 250; i++) step.progress(i, 250, "parts");
  const lines = written.filter((line) => line.includes("parts)"));
  assert.ok(lines.length >= 2 && lines.length <= 4, `${lines.length} lines`);
});

Deno.test("the plain terminal refuses to ask", async () => {
  const ui = plainUi(options([]));
  await assert.rejects(ui.confirm("Sure?", true), /without a terminal/);
});

Deno.test("secrets never reach the terminal", () => {
  const written: string[] = [];
  const ui = plainUi(options(written));
  ui.redact("hf_abcdef");
  ui.info("token hf_abcdef");
  ui.out("data hf_abcdef");
  ui.table([["hf_abcdef", "x"]]);
  ui.step("with hf_abcdef").fail("hf_abcdef");
  assert.ok(!written.join("").includes("hf_abcdef"));
});

Deno.test("the live terminal redraws running steps and keeps finished ones", () => {
  const written: string[] = [];
  const ui = ttyUi({ ...options(written), columns: () => 40 });
  const first = ui.step("First");
  const second = ui.step("Second");
  second.update("a very long detail that does not fit into forty columns at all");
  first.done("fine");
  second.done();
  ui.close();
  const screen = replay(written.join(""));
  assert.match(screen[0] ?? "", /^✓ First: fine/);
  assert.match(screen[1] ?? "", /^✓ Second/);
  assert.ok(screen.every((line) => line.length <= 40));
});

Deno.test("a board is redrawn in place below the steps, and gone at its end", () => {
  const written: string[] = [];
  const ui = ttyUi({ ...options(written), columns: () => 40, rows: () => 8 });
  const step = ui.step("Wait");
  const board = ui.board();
  board.show([{ key: "a", live: "a: 0 of 2" }, { key: "b", live: "b: 0 of 1" }]);
  board.show([{ key: "a", live: "a: 1 of 2" }, { key: "b", live: `b: ${"long ".repeat(20)}` }]);
  const during = replay(written.join(""));
  assert.equal(during.length, 3);
  assert.match(during[0]!, /Wait/);
  assert.equal(during[1], "a: 1 of 2");
  assert.ok(during.every((line) => line.length < 40));
  board.show(Array.from({ length: 20 }, (_, i) => ({ key: `${i}`, live: `line ${i}` })));
  assert.ok(replay(written.join("")).length <= 8, "no more lines than the window has");
  assert.match(replay(written.join("")).at(-1)!, /and \d+ more/);
  board.end();
  step.done();
  ui.close();
  assert.equal(replay(written.join("")).length, 1);
});

Deno.test("the plain terminal writes a board's line when its text is new", () => {
  const written: string[] = [];
  const board = plainUi(options(written)).board();
  const show = (a: string) =>
    board.show([{ key: "head", live: "x" }, { key: "a", live: "x", plain: a }]);
  for (const text of ["a: 0 of 1", "a: 0 of 1", "a: 1 of 1"]) show(text);
  assert.equal(written.join(""), "  a: 0 of 1\n  a: 1 of 1\n");
});

Deno.test("a menu takes arrows, numbers and Enter", async () => {
  const choices = ["a", "b", "c"].map((value) => ({ value, label: `Option ${value}` }));
  const ask = (...keys: string[]) =>
    ttyUi({ ...options([]), columns: () => 80, keyboard: typing(...keys) }).select(
      "Which?",
      choices,
    );
  assert.equal(await ask("\x1b[B", "\r"), "b");
  assert.equal(await ask("\x1b[A", "\r"), "c");
  assert.equal(await ask("3", "\r"), "c");
  await assert.rejects(ask("\x03"), /Interrupted/);
});

Deno.test("yes, no and the default", async () => {
  const ask = (key: string) =>
    ttyUi({ ...options([]), columns: () => 80, keyboard: typing(key) }).confirm("Sure?", false);
  assert.equal(await ask("y"), true);
  assert.equal(await ask("N"), false);
  assert.equal(await ask("\r"), false);
});

Deno.test("a secret is not echoed", async () => {
  const written: string[] = [];
  const ui = ttyUi({
    ...options(written),
    columns: () => 80,
    keyboard: typing("hf_x", "y\x7f", "z\r"),
  });
  assert.equal(await ui.secret("Token"), "hf_xz");
  assert.ok(!written.join("").includes("hf_x"));
});

Deno.test("a line of text is echoed, with corrections", async () => {
  const written: string[] = [];
  const ui = ttyUi({
    ...options(written),
    columns: () => 80,
    keyboard: typing("dynaa", "\x7fmo", "\r"),
  });
  assert.equal(await ui.text("Name"), "dynamo");
  assert.match(written.join(""), /Name: dynaa\x08 \x08mo/);
});

/** What a terminal shows after these bytes (cursor up, erase below, colours and cursor visibility). */
function replay(text: string): string[] {
  const lines: string[] = [""];
  let row = 0;
  for (const [part] of text.matchAll(/\x1b\[[?\d]*[A-Za-z]|\n|[^\x1b\n]+/g)) {
    if (part === "\n") {
      row++;
      lines[row] ??= "";
    } else if (/^\x1b\[(\d+)A$/.test(part)) row -= Number(part.slice(2, -1));
    else if (part === "\x1b[0J") {
      lines.length = row + 1;
      lines[row] = "";
    } else if (!part.startsWith("\x1b")) lines[row] += part;
  }
  return lines.filter((line) => line !== "");
}
