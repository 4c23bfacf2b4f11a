/**
 * `deno task doctor`: look before an install, and at what is installed.
 *
 * @module
 */
import { loadBlueprint } from "../lib/blueprint/blueprint.ts";
import { blueprintFlags, releaseOf } from "../lib/blueprint/flags.ts";
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { usageError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions, dynamoVersionOption } from "../lib/cli/options.ts";
import { diagnose } from "../lib/doctor/doctor.ts";
import { exitCodeOf, printReport } from "../lib/doctor/report.ts";
import { recallTarget, type TargetKind } from "../lib/target/target.ts";

/** The task. */
export const command = defineCommand({
  name: "doctor",
  summary: "Look for what would stop an install, and whether what is installed fits",
  description:
    "Changes nothing. Exit code: 0 all is well, 1 there are warnings, 2 something fails.",
  options: {
    target: commonOptions.target,
    context: {
      kind: "text",
      placeholder: "name",
      description: "Look at this context of the kubeconfig (target context)",
    },
    name: { kind: "text", placeholder: "cluster", description: "Name of the EKS cluster" },
    region: { kind: "text", placeholder: "region", description: "AWS region" },
    profile: {
      kind: "text",
      placeholder: "name",
      description: "Profile of the AWS configuration; wins over AWS_PROFILE and keys in variables",
    },
    chartRepository: {
      kind: "text",
      placeholder: "url",
      description: "Where Dynamo's charts come from: URL, oci://… or folder; NVIDIA's unless given",
    },
    online: {
      kind: "flag",
      description: "Also ask Hugging Face whether HF_TOKEN is valid (HF_ENDPOINT says where)",
    },
    namespace: commonOptions.namespace,
    dynamoVersion: dynamoVersionOption,
    output: commonOptions.output,
    verbose: commonOptions.verbose,
  },
  examples: [
    { command: "doctor --target eks", text: "AWS account, quotas, tools, charts, cluster" },
    { command: "doctor --target local", text: "What the embedded cluster needs of this machine" },
    { command: "doctor --context production", text: "A cluster that is there already" },
    { command: "doctor --target eks --output json", text: "As data" },
  ],
  async run(ctx, { options }) {
    const kind = await chooseKind(ctx, options);
    const blueprint = await loadBlueprint(ctx, { flags: blueprintFlags(options) });
    const release = releaseOf(blueprint);
    const step = ctx.ui.step(`Looking at ${kind}`);
    const report = await diagnose(ctx, {
      kind,
      blueprint,
      release,
      namespace: options.namespace,
      context: options.context,
      profile: options.profile,
      chartRepository: options.chartRepository,
      online: options.online,
      onProgress: (done, total) => step.progress(done, total, "checks"),
    });
    step.done(`${report.checks.length} lines`);
    printReport(ctx, report, options.output);
    return exitCodeOf(report);
  },
});

async function chooseKind(
  ctx: Context,
  options: { readonly target: TargetKind | undefined; readonly context: string | undefined },
): Promise<TargetKind> {
  const { target, context } = options;
  if (context !== undefined && target !== undefined && target !== "context") {
    throw usageError(
      "USAGE",
      `doctor: --context ${context} does not go with --target ${target}`,
      "Leave one of them out.",
    );
  }
  if (context !== undefined) return "context";
  return target ?? (await recallTarget(ctx))?.kind ?? "local";
}

if (import.meta.main) await runTask(command);
