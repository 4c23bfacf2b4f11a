/**
 * `deno task config`: every setting and where it came from.
 *
 * @module
 */
import { loadBlueprint } from "../lib/blueprint/blueprint.ts";
import { configRows } from "../lib/blueprint/config.ts";
import { blueprintFlags, releaseOf } from "../lib/blueprint/flags.ts";
import { defineCommand } from "../lib/cli/command.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions, dynamoVersionOption } from "../lib/cli/options.ts";

/** The task. */
export const command = defineCommand({
  name: "config",
  summary: "Print every setting and where it came from (flag, environment, file, default)",
  options: {
    namespace: commonOptions.namespace,
    dynamoVersion: dynamoVersionOption,
    output: commonOptions.output,
    verbose: commonOptions.verbose,
  },
  examples: [
    { command: "config", text: "As a table" },
    { command: "config --output json", text: "As data" },
  ],
  async run(ctx, { options }) {
    const blueprint = await loadBlueprint(ctx, { flags: blueprintFlags(options) });
    const rows = configRows(blueprint, releaseOf(blueprint));
    if (options.output === "json") ctx.ui.out(JSON.stringify(rows, null, 2));
    else {
      ctx.ui.table([
        ["SETTING", "VALUE", "SOURCE"],
        ...rows.map((row) => [row.name, String(row.value), row.source]),
      ]);
    }
  },
});

if (import.meta.main) await runTask(command);
