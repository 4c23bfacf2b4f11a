/**
 * `deno task infra`: terraform's part of an install by itself, for those who want the parts.
 *
 * @module
 */
import { loadBlueprint } from "../lib/blueprint/blueprint.ts";
import { blueprintFlags } from "../lib/blueprint/flags.ts";
import { defineCommand } from "../lib/cli/command.ts";
import { usageError } from "../lib/cli/errors.ts";
import { withLock } from "../lib/cli/lock.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions, dynamoVersionOption } from "../lib/cli/options.ts";
import { eventLines, tellingErrors } from "../lib/cli/step_events.ts";
import { applyInfrastructure, printOutputs, unlockState } from "../lib/eks/infra.ts";
import { clusterOptions } from "../lib/eks/options.ts";

const ACTIONS = ["plan", "apply", "output", "unlock"] as const;

/** The task. */
export const command = defineCommand({
  name: "infra",
  summary: "Plan, apply or read the infrastructure that install makes with terraform",
  description: "plan changes nothing. unlock takes away a lock that a lost run left in S3.",
  args: [
    { name: "action", description: ACTIONS.join(", "), required: true },
    { name: "what", description: "output: name of one output; unlock: id of the lock" },
  ],
  options: {
    ...clusterOptions,
    stage: {
      kind: "text",
      choices: ["vpc", "eks", "addons"],
      placeholder: "stage",
      description: "Only this stage and what it builds on",
    },
    dynamoVersion: dynamoVersionOption,
    output: commonOptions.output,
    yes: commonOptions.yes,
    verbose: commonOptions.verbose,
  },
  examples: [
    { command: "infra plan", text: "What would change, and what it costs an hour" },
    { command: "infra apply --yes", text: "Change it without asking" },
    { command: "infra output cluster_endpoint", text: "One output" },
    { command: "infra output --output json", text: "All of them, as data" },
  ],
  async run(ctx, { options, args: [action, what] }) {
    if (!ACTIONS.some((known) => known === action)) {
      throw usageError(
        "USAGE",
        `infra does not know "${action}"`,
        `It takes ${ACTIONS.join(", ")}.`,
      );
    }
    const emit = eventLines(ctx, options.output);
    await tellingErrors(emit, async () => {
      const blueprint = await loadBlueprint(ctx, { flags: blueprintFlags(options) });
      const request = { ...options, blueprint, emit, dryRun: action === "plan" };
      await withLock(ctx, `infra ${action}`, async () => {
        if (action === "output") await printOutputs(ctx, request, what);
        else if (action === "unlock") await unlockState(ctx, request, what);
        else await applyInfrastructure(ctx, request);
      });
    });
  },
});

if (import.meta.main) await runTask(command);
