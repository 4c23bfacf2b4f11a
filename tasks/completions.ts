/**
 * `deno task completions`: a shell function `dynamo` that runs the tasks, with completions.
 *
 * @module
 */
import { Command } from "@cliffy/command";
import { CompletionsCommand } from "@cliffy/command/completions";
import { cliffyCommand, type CommandSpec, defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { EXIT, usageError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { didYouMean } from "../lib/cli/suggest.ts";
import { captureOutput } from "../lib/cli/capture.ts";

const SHELLS = ["bash", "zsh", "fish"];

// Loaded when asked for, so that no task pays for the others.
/** All tasks, but for the one that prints their completions. */
export async function allTasks(): Promise<CommandSpec[]> {
  const modules = await Promise.all([
    import("./doctor.ts"),
    import("./install.ts"),
    import("./infra.ts"),
    import("./deploy.ts"),
    import("./prefetch.ts"),
    import("./examples.ts"),
    import("./test.ts"),
    import("./chat.ts"),
    import("./bench.ts"),
    import("./compare.ts"),
    import("./status.ts"),
    import("./logs.ts"),
    import("./describe.ts"),
    import("./forward.ts"),
    import("./monitor.ts"),
    import("./config.ts"),
    import("./cleanup.ts"),
    import("./demo.ts"),
    import("./ok.ts"),
  ]);
  return modules.map((module) => module.command as unknown as CommandSpec);
}

/** The completion script of a shell, for a function `dynamo` that runs `deno task` in the project. */
export async function completionScript(ctx: Context, shell: string): Promise<string> {
  let root = new Command().name("dynamo").description("Tasks of dynamo-eks");
  for (const spec of await allTasks()) {
    root = root.command(spec.name, cliffyCommand(spec, () => {}));
  }
  root = root.command("completions", new CompletionsCommand());
  const script = await captureOutput(() => root.parse(["completions", shell]));
  const folder = `'${ctx.root.replaceAll("'", "'\\''")}'`;
  const run = shell === "fish"
    ? `function dynamo\n  deno task --quiet --cwd ${folder} $argv\nend`
    : `dynamo() { deno task --quiet --cwd ${folder} "$@"; }`;
  return `${run}\n\n${script}`;
}

/** The task. */
export const command = defineCommand({
  name: "completions",
  summary: "Print a shell function `dynamo` that runs the tasks, with completions",
  args: [{ name: "shell", description: "bash, zsh or fish", required: true }],
  options: {},
  examples: [
    { command: "--quiet completions bash >> ~/.bashrc", text: "then: dynamo deploy vllm" },
    {
      command: "--quiet completions fish > ~/.config/fish/conf.d/dynamo.fish",
      text: "The same for fish",
    },
  ],
  async run(ctx, { args }) {
    const shell = args[0] ?? "";
    if (!SHELLS.includes(shell)) {
      throw usageError(
        "SHELL_UNKNOWN",
        `No completions for "${shell}". ${didYouMean(shell, SHELLS)}`.trim(),
        `Shells: ${SHELLS.join(", ")}.`,
      );
    }
    ctx.ui.out(await completionScript(ctx, shell));
    return EXIT.ok;
  },
});

if (import.meta.main) await runTask(command);
