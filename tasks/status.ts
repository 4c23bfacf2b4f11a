/**
 * `deno task status`: what is installed and how it is.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { type GraphSession, openGraphs } from "../lib/deploy/session.ts";
import { type Status, statusReader } from "../lib/deploy/status.ts";
import { statusLines } from "../lib/deploy/status_text.ts";
import { watchStatus } from "../lib/deploy/status_watch.ts";

/** The task. */
export const command = defineCommand({
  name: "status",
  summary: "Show target, release, operator, graphs, nodes and GPUs on one screen",
  options: {
    target: commonOptions.target,
    namespace: commonOptions.namespace,
    output: commonOptions.output,
    verbose: commonOptions.verbose,
    watch: { kind: "flag", short: "w", description: "Go on until interrupted, with each change" },
  },
  examples: [
    { command: "status", text: "One screen" },
    { command: "status --watch", text: "Redrawn in place; without a terminal, a block a change" },
    { command: "status --output json", text: "As data" },
  ],
  async run(ctx, { options }) {
    await using session = await openGraphs(ctx, options);
    if (options.watch) return await watch(ctx, session, options.output === "json");
    const status = await statusReader(ctx, session)();
    if (options.output === "json") ctx.ui.out(JSON.stringify(status, null, 2));
    else ctx.ui.out(linesOf(ctx, status).join("\n"));
  },
});

function linesOf(ctx: Context, status: Status): string[] {
  return statusLines(status, { now: ctx.clock.now(), width: ctx.ui.width });
}

/** With JSON a line for each change, else the screen redrawn, or a block for each change. */
async function watch(ctx: Context, session: GraphSession, json: boolean): Promise<void> {
  const board = ctx.ui.redraws && !json ? ctx.ui.board() : undefined;
  let before = "";
  let last: readonly string[] = [];
  for await (const found of watchStatus(ctx, session)) {
    if (board !== undefined) {
      if ("status" in found) last = linesOf(ctx, found.status);
      const trouble = "trouble" in found ? [`Out of date: ${found.trouble}`] : [];
      board.show([...trouble, ...last].map((live, i) => ({ key: String(i), live })));
      continue;
    }
    const key = JSON.stringify("status" in found ? found.status : found.trouble);
    if (key === before) continue;
    before = key;
    if ("trouble" in found) ctx.ui.warn(`The status cannot be read: ${found.trouble}`);
    else if (json) ctx.ui.out(JSON.stringify(found.status));
    else {
      ctx.ui.out(
        [new Date(ctx.clock.now()).toISOString(), ...linesOf(ctx, found.status), ""].join("\n"),
      );
    }
  }
  board?.end();
  if (board !== undefined && last.length > 0) ctx.ui.out(last.join("\n"));
}

if (import.meta.main) await runTask(command);
