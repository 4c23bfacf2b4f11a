/**
 * `deno task test`: check that a deployed graph does what it should.
 *
 * @module
 */
import { parseHeaders } from "../lib/bench/headers.ts";
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { EXIT, usageError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions, type OptionValues } from "../lib/cli/options.ts";
import { checkGraph, type GraphCheck, showCheck } from "../lib/deploy/check.ts";
import { pickGraph } from "../lib/deploy/graphs.ts";
import { openGraphs } from "../lib/deploy/session.ts";
import { userPath } from "../lib/deploy/user_path.ts";
import { CHECK_IDS, checkIds, runEndpointChecks } from "../lib/serving/checks.ts";
import { junitXml } from "../lib/serving/junit.ts";

const options = {
  ...commonOptions,
  output: {
    ...commonOptions.output,
    choices: ["text", "json", "junit"],
    description: "Form of the results on stdout: text, json or junit",
  },
  only: {
    kind: "text",
    placeholder: "id,id",
    description: `Only these checks: components, greeting, ${CHECK_IDS.join(", ")}`,
  },
  parallel: {
    kind: "integer",
    min: 1,
    max: 64,
    default: 1,
    placeholder: "n",
    description: "Checks at the same time",
  },
  junit: { kind: "text", placeholder: "file", description: "Write the results as JUnit XML too" },
  url: {
    kind: "text",
    placeholder: "url",
    description: "Check this endpoint, without a cluster; the key is OPENAI_API_KEY",
  },
  model: { kind: "text", short: "m", placeholder: "name", description: "--url: model to ask" },
  header: {
    kind: "list",
    placeholder: "name: value",
    description: "--url: add a header; $NAME takes its value from the environment",
  },
} as const;

type TestOptions = OptionValues<typeof options>;

/** The task. */
export const command = defineCommand({
  name: "test",
  summary:
    "Check a deployed graph or an endpoint, by what it is: answers, errors, metrics, routing",
  description:
    "Opens its own port-forward on a free port, which survives the frontend's pod. What the " +
    "target cannot do is skipped, with the reason. Exit code 1 when a check failed.",
  args: [{ name: "graph", description: "Name of the graph; the only one when left out" }],
  options,
  examples: [
    { command: "test vllm", text: "All checks that fit, with the time of each" },
    { command: "test vllm --only chat,chat-stream", text: "Two of them" },
    { command: "test vllm --parallel 4 --junit test.xml", text: "For CI" },
    { command: "test --url https://example.com/v1", text: "An endpoint, without a cluster" },
  ],
  async run(ctx, { options, args }) {
    const only = options.only?.split(",").map((id) => id.trim()).filter((id) => id !== "");
    const { name, checks } = options.url === undefined
      ? await testGraph(ctx, options, only, args[0])
      : await testUrl(ctx, { ...options, url: options.url }, only, args[0]);
    if (options.dryRun) return EXIT.ok;
    const failed = checks.filter((check) => check.outcome === "failed");
    if (options.junit !== undefined) {
      await ctx.fs.writeTextFile(userPath(ctx, options.junit), junitXml(name, checks));
    }
    if (options.output === "junit") ctx.ui.out(junitXml(name, checks).trimEnd());
    else if (options.output === "json") {
      ctx.ui.out(
        JSON.stringify({ graph: name, passed: failed.length === 0, checks }, null, 2),
      );
    } else {
      const number = (outcome: string) => checks.filter((one) => one.outcome === outcome).length;
      const say = failed.length === 0 ? ctx.ui.success : ctx.ui.error;
      say(
        `${name}: ${number("passed")} passed, ${failed.length} failed, ${
          number("skipped")
        } skipped`,
      );
    }
    return failed.length === 0 ? EXIT.ok : EXIT.failed;
  },
});

interface Tested {
  /** The graph's name, or the URL. */
  readonly name: string;
  readonly checks: readonly GraphCheck[];
}

async function testGraph(
  ctx: Context,
  options: TestOptions,
  only: readonly string[] | undefined,
  name: string | undefined,
): Promise<Tested> {
  for (const key of ["header", "model"] as const) {
    if (options[key] !== undefined && options[key].length > 0) {
      throw usageError("TEST_OPTIONS", `--${key} needs --url`);
    }
  }
  await using session = await openGraphs(ctx, options);
  const graph = pickGraph(await session.list(), name);
  const { dryRun, parallel } = options;
  return {
    name: graph.name,
    checks: await checkGraph(ctx, session, graph, { dryRun, only, parallel }),
  };
}

async function testUrl(
  ctx: Context,
  options: TestOptions & { readonly url: string },
  only: readonly string[] | undefined,
  graph: string | undefined,
): Promise<Tested> {
  if (graph !== undefined) {
    throw usageError("TEST_OPTIONS", "A graph and --url are two targets: leave one out");
  }
  checkIds(only ?? [], CHECK_IDS);
  if (options.dryRun) {
    ctx.ui.out(`Would check ${(only ?? CHECK_IDS).join(", ")} of ${options.url}`);
    return { name: options.url, checks: [] };
  }
  const checks = await runEndpointChecks(ctx, {
    url: options.url,
    apiKey: ctx.env.get("OPENAI_API_KEY"),
    headers: parseHeaders(ctx.env, options.header),
    model: options.model,
    only,
    parallel: options.parallel,
    onCheck: (check) => showCheck(ctx, check),
  });
  return { name: options.url, checks };
}

if (import.meta.main) await runTask(command);
