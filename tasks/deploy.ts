/**
 * `deno task deploy`: deploy a graph and wait until it answers.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { EXIT, type ExitCode, messageOf, TaskError, usageError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions, optionName, type OptionValues } from "../lib/cli/options.ts";
import { printPlan } from "../lib/cli/plan.ts";
import { type Deployment, graphDeployment, planDeploy, runDeploy } from "../lib/deploy/deploy.ts";
import { graphTimeout, manifestTimeout, type Timeout } from "../lib/deploy/timeouts.ts";
import {
  chooseExample,
  deployBlueprint,
  deployRelease,
  deployTarget,
} from "../lib/deploy/choose.ts";
import { fitWarnings } from "../lib/deploy/fit.ts";
import { withCachedModel } from "../lib/deploy/offline.ts";
import { sharedConnection } from "../lib/deploy/session.ts";
import { userPath } from "../lib/deploy/user_path.ts";
import { loadExample } from "../lib/graph/examples.ts";
import { overlayOptions } from "../lib/graph/overlay_options.ts";
import { applyOverlays } from "../lib/graph/overlays.ts";
import { manifestYaml } from "../lib/graph/manifest.ts";
import { readValuesFiles } from "../lib/graph/values_file.ts";
import type { Release } from "../lib/blueprint/types.ts";
import type { Graph } from "../lib/graph/types.ts";
import type { Kube } from "../lib/kube/types.ts";
import { hfToken } from "../lib/platform/secrets.ts";
import type { Target } from "../lib/target/target.ts";

const options = {
  ...commonOptions,
  output: {
    ...commonOptions.output,
    choices: ["text", "json", "yaml"],
    description: "Form of --dry-run on stdout: text or json (the plan), yaml (the manifest)",
  },
  ...overlayOptions,
  keepImages: {
    kind: "flag",
    description: "Take the images of your own manifest as they are, for example from a mirror",
  },
  diff: {
    kind: "flag",
    description: "Show what would change in the cluster, and change nothing; exit code 1 if so",
  },
  export: {
    kind: "text",
    placeholder: "folder",
    description: "Write files for GitOps with an Argo CD Application, and apply nothing",
  },
  repoUrl: { kind: "text", placeholder: "url", description: "--export: the Git repository" },
  repoPath: {
    kind: "text",
    placeholder: "path",
    description: "--export: where the folder is in the repository",
  },
  repoRevision: {
    kind: "text",
    placeholder: "revision",
    description: "--export: branch, tag or commit",
  },
  offline: {
    kind: "text",
    choices: ["auto", "on", "off"],
    default: "auto",
    placeholder: "mode",
    description:
      "Read the model from the cache only: auto (when prefetch has completed it), on or off",
  },
  timeout: {
    kind: "integer",
    min: 1,
    placeholder: "seconds",
    description:
      "How long to wait until the graph is ready; by engine, size of the model and target unless given",
  },
  noWait: { kind: "flag", description: "Return as soon as the graph is applied" },
  atomic: {
    kind: "flag",
    description:
      "When it does not come up: remove what this run made, apply again what was there before",
  },
} as const;

type DeployValues = OptionValues<typeof options>;

/** The task. */
export const command = defineCommand({
  name: "deploy",
  summary: "Deploy an example graph or your own manifest, and wait until it answers",
  description: "Without an example: a menu on a terminal, a list elsewhere.",
  args: [{
    name: "example",
    description: "Name of an example (deno task examples), or path of a manifest",
  }],
  options,
  examples: [
    { command: "deploy", text: "Choose from a menu" },
    { command: "deploy vllm", text: "vLLM behind an OpenAI-compatible endpoint" },
    { command: "deploy vllm --dry-run --output yaml", text: "Print what would be applied" },
    { command: "deploy vllm --diff", text: "Compare with the cluster" },
    { command: "deploy vllm --replicas VllmDecodeWorker=2", text: "Two workers" },
    { command: "deploy vllm --model Qwen/Qwen3-4B --atomic", text: "Another model, or as before" },
    {
      command: "deploy ./my-graph.yaml",
      text: "Your own manifest, its images moved to the release",
    },
  ],
  async run(ctx, { options, args, given }) {
    checkExport(options);
    checkWait(options);
    const word = args[0] ?? await chooseExample(ctx);
    const target = await deployTarget(ctx, {
      ...options,
      dryRun: options.dryRun || options.export !== undefined,
    });
    const release = await deployRelease(ctx, target);
    await using connection = sharedConnection(ctx, target);
    const place = { target, release, connect: connection.connect };
    const source = await deploymentOf(ctx, word, { options, given, ...place });
    const { deployment } = source;
    if (options.export !== undefined) return await exportFiles(ctx, source, options);
    if (options.diff) return await showDiff(ctx, connection.connect, deployment, options);
    const plan = {
      deployment,
      release,
      target,
      timeout: options.noWait ? undefined : chosenTimeout(options, source),
      connect: connection.connect,
    };
    if (options.dryRun) {
      if (options.output === "yaml") ctx.ui.out(source.text().trimEnd());
      else printPlan(ctx, planDeploy(plan), options.output);
      return;
    }
    const start = ctx.clock.monotonic();
    const seconds = () => Math.round(ctx.clock.monotonic() - start) / 1000;
    try {
      await runDeploy(ctx, { ...plan, atomic: options.atomic });
    } catch (error) {
      if (options.output !== "text") showFailed(ctx, deployment, error, seconds());
      throw error;
    }
    showDone(ctx, deployment, options, seconds());
  },
});

/** What is deployed, and its text. */
interface Source {
  readonly deployment: Deployment;
  /** How long it may take to come up. */
  readonly timeout: Timeout;
  /** YAML of all objects. */
  readonly text: () => string;
  /** YAML of each object. */
  readonly texts: () => string[];
}

interface SourceOptions {
  readonly options: DeployValues;
  readonly given: ReadonlySet<string>;
  readonly target: Target;
  readonly release: Release;
  readonly connect: () => Promise<Kube>;
}

async function deploymentOf(ctx: Context, word: string, from: SourceOptions): Promise<Source> {
  const { options, target, release } = from;
  if (/\/|\.ya?ml$/i.test(word)) return await ownManifest(ctx, word, from);
  if (options.keepImages) {
    throw usageError(
      "KEEP_IMAGES",
      `--keep-images is for manifests of your own, and ${word} is an example`,
      "--image sets the image of an example's components.",
    );
  }
  const values = await readValuesFiles(ctx, options.values, (file) => userPath(ctx, file));
  const base = applyOverlays(await loadExample(ctx, word), options, values);
  const { nodePools, partOf } = await deployBlueprint(ctx);
  const { namespace } = target;
  const render = (graph: Graph) => graphDeployment(graph, release, { namespace, partOf });
  // What is wrong with it shows before the cluster is asked.
  render(base);
  const dryRun = options.dryRun || options.export !== undefined;
  const fit = fitWarnings(base, {
    nodePools,
    tokenGiven: hfToken(ctx) !== undefined,
    embedded: target.kind === "local",
    dryRun: dryRun || options.diff,
  });
  const graph = await withCachedModel(ctx, base, {
    mode: options.offline,
    namespace,
    connect: dryRun ? undefined : from.connect,
  });
  const rendered = render(graph);
  const deployment = { ...rendered, warnings: [...rendered.warnings, ...fit] };
  return {
    deployment,
    timeout: graphTimeout(graph, target.kind === "local"),
    text: () => manifestYaml(deployment.objects),
    texts: () => deployment.objects.map((object) => manifestYaml([object])),
  };
}

// Loaded when asked for: examples do not need it.
async function ownManifest(ctx: Context, path: string, from: SourceOptions): Promise<Source> {
  const overlay = ["offline", ...Object.keys(overlayOptions)].find((key) => from.given.has(key));
  if (overlay !== undefined) {
    throw usageError(
      "OVERLAY_MANIFEST",
      `--${optionName(overlay)} changes examples, and ${path} is a manifest`,
      "Change the manifest itself.",
    );
  }
  const { loadOwnManifest } = await import("../lib/deploy/own_manifest.ts");
  const manifest = await loadOwnManifest(ctx, path, {
    release: from.release,
    namespace: from.target.namespace,
    namespaceGiven: from.given.has("namespace"),
    keepImages: from.options.keepImages,
  });
  for (const note of manifest.notes) ctx.ui.info(`  ${note}`);
  return {
    deployment: manifest.deployment,
    timeout: manifestTimeout(from.target.kind === "local"),
    text: () => manifest.text,
    texts: () => manifest.objects.map((object) => object.text),
  };
}

function checkWait(options: DeployValues): void {
  if (!options.noWait) return;
  const other = options.atomic ? "atomic" : options.timeout === undefined ? undefined : "timeout";
  if (other === undefined) return;
  throw usageError(
    "WAIT_FLAGS",
    `--no-wait and --${other} exclude each other: without waiting nobody sees whether it comes up`,
  );
}

function chosenTimeout({ timeout }: DeployValues, source: Source): Timeout {
  return timeout === undefined ? source.timeout : { seconds: timeout, parts: [] };
}

function checkExport(options: DeployValues): void {
  const flags = { repoUrl: options.repoUrl, repoPath: options.repoPath } as const;
  const all = Object.entries({ ...flags, repoRevision: options.repoRevision });
  if (options.export === undefined) {
    const alone = all.find(([, value]) => value !== undefined)?.[0];
    if (alone === undefined) return;
    throw usageError("EXPORT_FLAGS", `--${optionName(alone)} is for --export, which is not given`);
  }
  if (options.diff) {
    throw usageError("EXPORT_FLAGS", "--diff and --export exclude each other");
  }
  const missing = all.filter(([, value]) => value === undefined).map(([key]) =>
    `--${optionName(key)}`
  );
  if (missing.length === 0) return;
  throw usageError(
    "EXPORT_FLAGS",
    `--export needs ${missing.join(", ")}: the Argo CD Application says where the files will be`,
    `deno task deploy <example> --export ${options.export} --repo-url <url> --repo-path <path> --repo-revision <revision>`,
  );
}

async function exportFiles(ctx: Context, source: Source, options: DeployValues): Promise<void> {
  const { exportDeployment } = await import("../lib/deploy/export.ts");
  const files = await exportDeployment(ctx, {
    folder: options.export!,
    deployment: source.deployment,
    texts: source.texts(),
    repo: {
      url: options.repoUrl!,
      path: options.repoPath!,
      revision: options.repoRevision!,
    },
    overwrite: options.yes,
    dryRun: options.dryRun,
  });
  if (options.output === "json") ctx.ui.out(JSON.stringify({ files }, null, 2));
  else for (const file of files) ctx.ui.out(file);
  const { tokenSecret, namespace } = source.deployment;
  if (tokenSecret !== undefined) {
    ctx.ui.info(`  Secret ${namespace}/${tokenSecret} is not among them: it has to be there`);
  }
}

async function showDiff(
  ctx: Context,
  connect: () => Promise<Kube>,
  deployment: Deployment,
  options: DeployValues,
): Promise<ExitCode> {
  const { diffObjects } = await import("../lib/deploy/diff.ts");
  const diffs = await diffObjects(await connect(), deployment.objects);
  if (options.output === "json") ctx.ui.out(JSON.stringify(diffs, null, 2));
  else for (const { diff } of diffs) if (diff !== "") ctx.ui.out(diff.trimEnd());
  return diffs.some((one) => one.change !== "same") ? EXIT.failed : EXIT.ok;
}

function showFailed(
  ctx: Context,
  { name, namespace }: Deployment,
  error: unknown,
  seconds: number,
): void {
  const known = error instanceof TaskError ? error : undefined;
  ctx.ui.out(JSON.stringify({
    graph: name,
    namespace,
    ready: false,
    seconds,
    error: {
      code: known?.code ?? "UNEXPECTED",
      message: messageOf(error),
      hint: known?.hint ?? null,
      evidence: known?.evidence ?? [],
      exitCode: known?.exitCode ?? EXIT.failed,
    },
  }));
}

function showDone(
  ctx: Context,
  deployment: Deployment,
  options: DeployValues,
  seconds: number,
): void {
  const { name, namespace } = deployment;
  const waited = !options.noWait && deployment.graphs.length > 0;
  if (options.output !== "text") {
    ctx.ui.out(JSON.stringify({ graph: name, namespace, ready: waited, seconds }));
  }
  ctx.ui.success(`Graph ${name} is ${waited ? "ready" : "applied"}`);
  const next = (deployment.requests ?? []).length > 0
    ? "status"
    : `test ${deployment.graphs[0]?.name ?? name}`;
  ctx.ui.info(`  Next: deno task ${next}`);
}

if (import.meta.main) await runTask(command);
