/**
 * `deno task deploy`: deploy a graph and wait until it answers.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { usageError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions } from "../lib/cli/options.ts";
import { printPlan, runPlan } from "../lib/cli/plan.ts";
import { planDeploy } from "../lib/deploy/deploy.ts";
import { deployRelease, deployTarget } from "../lib/deploy/choose.ts";
import { sharedConnection } from "../lib/deploy/session.ts";
import { listExamples, loadExample } from "../lib/graph/examples.ts";
import { overlayOptions } from "../lib/graph/overlay_options.ts";
import { applyOverlays } from "../lib/graph/overlays.ts";
import { manifestYaml } from "../lib/graph/manifest.ts";

/** The task. */
export const command = defineCommand({
  name: "deploy",
  summary: "Deploy an example graph and wait until it answers",
  description: "Without an example: a menu on a terminal, a list elsewhere.",
  args: [{ name: "example", description: "Name of an example, see deno task deploy without one" }],
  options: {
    ...commonOptions,
    output: {
      ...commonOptions.output,
      choices: ["text", "json", "yaml"],
      description: "Form of --dry-run on stdout: text or json (the plan), yaml (the manifest)",
    },
    ...overlayOptions,
    timeout: {
      kind: "integer",
      min: 1,
      default: 600,
      placeholder: "seconds",
      description: "How long to wait until the graph is ready",
    },
    noWait: { kind: "flag", description: "Return as soon as the graph is applied" },
  },
  examples: [
    { command: "deploy", text: "Choose from a menu" },
    { command: "deploy vllm", text: "vLLM behind an OpenAI-compatible endpoint" },
    { command: "deploy vllm --dry-run --output yaml", text: "Print what would be applied" },
    { command: "deploy vllm --replicas VllmDecodeWorker=2", text: "Two workers" },
  ],
  async run(ctx, { options, args }) {
    const name = args[0] ?? await chooseExample(ctx);
    const graph = applyOverlays(await loadExample(ctx, name), options);
    const target = await deployTarget(ctx, options);
    const release = await deployRelease(ctx, target);
    await using connection = sharedConnection(ctx, target);
    const { plan, objects } = planDeploy({
      graph,
      release,
      target,
      timeoutMs: options.noWait ? 0 : options.timeout * 1000,
      connect: connection.connect,
    });
    if (options.dryRun) {
      if (options.output === "yaml") ctx.ui.out(manifestYaml(objects).trimEnd());
      else printPlan(ctx, plan, options.output);
      return;
    }
    await runPlan(ctx, plan);
    if (options.output !== "text") {
      ctx.ui.out(JSON.stringify({ graph: graph.name, namespace: target.namespace }));
    }
    ctx.ui.success(`Graph ${graph.name} is ${options.noWait ? "applied" : "ready"}`);
    ctx.ui.info(`  Next: deno task test ${graph.name}`);
  },
});

async function chooseExample(ctx: Context): Promise<string> {
  const examples = await listExamples(ctx);
  if (ctx.ui.interactive) {
    return await ctx.ui.select(
      "Which example?",
      examples.map((example) => ({
        value: example.name,
        label: example.name,
        detail: example.summary,
      })),
    );
  }
  throw usageError(
    "EXAMPLE_MISSING",
    "Which example? There is no terminal to ask on, so name one",
    `deno task deploy <example>, one of: ${examples.map((example) => example.name).join(", ")}.`,
  );
}

if (import.meta.main) await runTask(command);
