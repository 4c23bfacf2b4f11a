/**
 * `deno task demo`: the whole journey on this machine.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { EXIT, type ExitCode } from "../lib/cli/errors.ts";
import { runCommand, runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { formatDuration } from "../lib/cli/text.ts";
import { command as bench } from "./bench.ts";
import { command as cleanup } from "./cleanup.ts";
import { command as deploy } from "./deploy.ts";
import { command as install } from "./install.ts";
import { command as status } from "./status.ts";
import { command as test } from "./test.ts";

/** One phase of the demo. */
interface Phase {
  readonly words: readonly string[];
  /** Set when exit code 1 is an answer to live with. */
  readonly mayFail?: string;
  run(ctx: Context): Promise<ExitCode>;
}

const phases: readonly Phase[] = [
  {
    words: ["install", "--target", "local"],
    run: (c) => runCommand(c, install, ["--target", "local"]),
  },
  { words: ["deploy", "hello-world"], run: (c) => runCommand(c, deploy, ["hello-world"]) },
  { words: ["test", "hello-world"], run: (c) => runCommand(c, test, ["hello-world"]) },
  {
    words: ["cleanup", "hello-world"],
    run: (c) => runCommand(c, cleanup, ["hello-world", "--yes"]),
  },
  { words: ["deploy", "vllm"], run: (c) => runCommand(c, deploy, ["vllm"]) },
  { words: ["test", "vllm"], run: (c) => runCommand(c, test, ["vllm"]) },
  {
    words: ["bench", "vllm"],
    mayFail: "Server and client share this machine, so its numbers need not count.",
    run: (c) => runCommand(c, bench, ["vllm"]),
  },
  { words: ["status"], run: (c) => runCommand(c, status, []) },
];

/** The task. */
export const command = defineCommand({
  name: "demo",
  summary: "See it work on this machine: install, deploy, test, bench, status",
  description: "Needs no AWS, no GPU and no container engine. The cluster stays up at the end.",
  options: {
    verbose: commonOptions.verbose,
    cleanup: { kind: "flag", description: "Take the embedded cluster away at the end" },
  },
  examples: [
    { command: "demo", text: "The whole journey" },
    { command: "demo --cleanup", text: "The same, leaving nothing running" },
  ],
  async run(ctx, { options }) {
    const start = ctx.clock.monotonic();
    const all = options.cleanup
      ? [...phases, {
        words: ["cleanup", "--all"],
        run: (c: Context) => runCommand(c, cleanup, ["--all", "--yes"]),
      }]
      : phases;
    for (const phase of all) {
      ctx.ui.heading(`deno task ${phase.words.join(" ")}`);
      const code = await phase.run(ctx);
      if (code === EXIT.failed && phase.mayFail !== undefined) ctx.ui.warn(phase.mayFail);
      else if (code !== EXIT.ok) {
        ctx.ui.info("  The demo stopped here; run it again, it goes on from what is there.");
        return code;
      }
    }
    ctx.ui.heading(`Done in ${formatDuration(ctx.clock.monotonic() - start)}`);
    if (!options.cleanup) whereNext(ctx);
    return EXIT.ok;
  },
});

function whereNext(ctx: Context): void {
  for (
    const line of [
      "Dynamo is running on this machine. GPUs and engines are simulated, all else is real. Next:",
      "  deno task deploy                      choose another example",
      "  deno task logs vllm --follow          watch it work",
      `  kubectl --kubeconfig ${ctx.home}/kubeconfig get dgd,deploy,pods,svc -n dynamo-cloud`,
      "  deno task cleanup --all               take it all away",
    ]
  ) ctx.ui.info(line);
}

if (import.meta.main) await runTask(command);
