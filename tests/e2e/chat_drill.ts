/**
 * `deno task chat` against a deployed graph: one answer as text and as data, and the conversation
 * on a real terminal, which tmux plays.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Context } from "../../lib/cli/context.ts";
import type { Answer } from "../../lib/serving/conversation.ts";
import { assertTextFits } from "../support/schemas.ts";
import { assertPlain } from "../support/screen.ts";
import { PROJECT_ROOT, type TaskResult } from "../support/task.ts";

type Run = (...words: string[]) => Promise<TaskResult>;

/** One answer, through the tasks as a user runs them. */
export async function chatAnswersOnce(run: Run, graph: string): Promise<void> {
  const words = ["chat", graph, "Say hello.", "--max-tokens", "12"];
  const [text, data] = [await run(...words), await run(...words, "--output", "json")];
  assert.equal(text.code, 0, text.stderr);
  assert.ok(text.stdout.trim().length > 0 && text.stdout.endsWith("\n"), text.stdout);
  assert.match(text.stderr, /\d+ tokens in .*, first after .*, .* tokens\/s; cut at --max-tokens/);
  assertPlain("chat", text.stderr);
  assert.equal(data.code, 0, data.stderr);
  const answer: Answer = await assertTextFits("chat", data.stdout);
  // 0.4.1 counts one less than it was asked for.
  assert.ok(answer.completionTokens !== null && answer.completionTokens >= 11, data.stdout);
  assert.ok(answer.ttftMs !== null && answer.ttftMs > 0 && answer.ttftMs < answer.ms, data.stdout);
  assert.ok(answer.tokensPerSecond !== null && answer.tokensPerSecond > 1, data.stdout);
  const unknown = await run(...words, "--model", "no/such-model");
  assert.equal(unknown.code, 2, unknown.stderr);
  assert.match(unknown.stderr, /does not serve "no\/such-model".*Served: /s);
}

/** hello-world speaks no HTTP, and that is said. */
export async function chatRefuses(run: Run, graph: string): Promise<void> {
  const refused = await run("chat", graph, "Hello");
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /no HTTP endpoint to talk to.*deno task test hello-world/s);
}

const WITHIN_MS = 30_000;

/**
 * Types into a terminal: an answer streams and Ctrl-C stops it, the conversation goes on, Ctrl-D
 * leaves; in a second one two Ctrl-C leave.
 */
export async function chatOnATerminal(ctx: Context, graph: string): Promise<void> {
  if (await ctx.processes.which("tmux") === undefined) {
    // deno-lint-ignore no-console -- a test that cannot run says so
    console.log("SKIPPED chat on a terminal: no tmux on this machine");
    return;
  }
  await using terminal = await openTerminal(ctx, graph);
  const { type, screen } = terminal;
  await screen(/^>$/m, "the prompt");
  await type("Tell me a long story", "Enter");
  await screen(/^> Tell me a long story\n[^\n]{20}/m, "the beginning of an answer");
  await type("C-c");
  const stopped = await screen(/stopped after .*\n>$/m, "the prompt after Ctrl-C");
  assert.doesNotMatch(stopped, /Interrupted|Stopping/);
  await type("/help", "Enter");
  await screen(/Ctrl-C {3}stops an answer.*\n>$/s, "help");
  await type("C-d");
  await screen(/left with 0/, "the end by Ctrl-D");
  await type("again", "Enter");
  await screen(/left with 0[^]*^>$/m, "the prompt of the second conversation");
  await type("C-c");
  await screen(/Ctrl-C again leaves.*\n>$/m, "the hint");
  await type("C-c");
  await screen(/left with 130/, "the end by two Ctrl-C");
}

interface Terminal extends AsyncDisposable {
  /** Presses keys: texts, or names as tmux has them. */
  readonly type: (...keys: string[]) => Promise<void>;
  /** What is on the screen once it matches. */
  readonly screen: (pattern: RegExp, what: string) => Promise<string>;
}

/** A terminal of 80 columns in which the task runs, and again after a line is typed. */
async function openTerminal(ctx: Context, graph: string): Promise<Terminal> {
  const socket = `${ctx.home}-tmux`;
  const tmux = async (...words: string[]) => {
    const { code, stdout, stderr } = await ctx.processes.run(
      "tmux",
      ["-u", "-S", socket, ...words],
      {
        env: { NO_COLOR: "1", CI: "", DYNAMO_HOME: ctx.home },
      },
    );
    assert.equal(code, 0, `tmux ${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  const chat = `'${ctx.processes.denoPath}' task --quiet chat ${graph} --max-tokens 2000; ` +
    'echo "left with $?"; read -r line; ';
  await tmux(
    ...["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "50", "-c", PROJECT_ROOT],
    ...["env", "-u", "CI", "sh", "-c", chat + chat],
  );
  return {
    type: async (...keys) => void await tmux("send-keys", ...keys),
    async screen(pattern, what) {
      const end = ctx.clock.monotonic() + WITHIN_MS;
      for (;;) {
        // Blanks at the end of a line are not captured.
        const shown = (await tmux("capture-pane", "-p")).trimEnd();
        if (pattern.test(shown)) return shown;
        assert.ok(ctx.clock.monotonic() < end, `no sign of ${what} (${pattern}) in:\n${shown}`);
        await ctx.clock.sleep(100);
      }
    },
    async [Symbol.asyncDispose]() {
      await ctx.processes.run("tmux", ["-S", socket, "kill-server"]);
    },
  };
}
