/**
 * `deno task prefetch`: download a model into the shared cache of the cluster.
 *
 * @module
 */
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { EXIT, messageOf, TaskError, usageError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions, type OptionValues } from "../lib/cli/options.ts";
import { type Plan, printPlan, runPlan } from "../lib/cli/plan.ts";
import { formatBytes } from "../lib/cli/text.ts";
import { deployRelease, deployTarget } from "../lib/deploy/choose.ts";
import { removePrefetchJobs } from "../lib/deploy/prefetch/job.ts";
import { cacheRows } from "../lib/deploy/prefetch/list.ts";
import { checkNames, DEFAULT_CLAIM, DEFAULT_REVISION } from "../lib/deploy/prefetch/names.ts";
import {
  planPrefetch,
  type PrefetchOptions,
  type PrefetchOutcome,
} from "../lib/deploy/prefetch/prefetch.ts";
import { listCaches, type ModelCache } from "../lib/deploy/prefetch/records.ts";
import { type SharedConnection, sharedConnection } from "../lib/deploy/session.ts";
import { parseQuantity } from "../lib/graph/quantity.ts";
import type { Target } from "../lib/target/target.ts";

const options = {
  ...commonOptions,
  revision: {
    kind: "text",
    placeholder: "name",
    default: DEFAULT_REVISION,
    description: "Branch, tag or commit; deploy finds main only",
  },
  cachePvc: {
    kind: "text",
    placeholder: "claim",
    default: DEFAULT_CLAIM,
    description: "PersistentVolumeClaim for models; made unless it is there",
  },
  size: {
    kind: "text",
    placeholder: "size",
    description: "Size of a claim that is made; by the model's name unless given",
  },
  storageClass: {
    kind: "text",
    placeholder: "name",
    description: "Storage class of a claim that is made; a shared one (EFS, FSx) unless given",
  },
  concurrency: {
    kind: "integer",
    min: 1,
    max: 64,
    default: 8,
    placeholder: "n",
    description: "Files that are downloaded at the same time",
  },
  include: {
    kind: "list",
    placeholder: "pattern",
    description: "Only such files, for example '*.json'; all that engines read unless given",
  },
  exclude: {
    kind: "list",
    placeholder: "pattern",
    description: "No such files",
  },
  image: {
    kind: "text",
    placeholder: "image",
    description: "Image with python3 and huggingface_hub; the release's vllm-runtime unless given",
  },
  nodePool: {
    kind: "text",
    placeholder: "pool",
    description: "Karpenter node pool of the pod; any node without taints unless given",
  },
  memory: {
    kind: "text",
    placeholder: "size",
    description: "Memory that the pod asks for; by the model's name unless given",
  },
  timeout: {
    kind: "integer",
    min: 60,
    placeholder: "seconds",
    description: "When the download is given up; by the model's name unless given",
  },
  noWait: { kind: "flag", description: "Return as soon as the Job is made" },
  force: {
    kind: "flag",
    description: "Ask the hub again, check what is there, and get what is new or damaged",
  },
  stop: { kind: "flag", description: "End a download that is under way; what is there stays" },
} as const;

type Values = OptionValues<typeof options>;

/** The task. */
export const command = defineCommand({
  name: "prefetch",
  summary: "Download a model into the shared cache, before graphs need it",
  description:
    "Without a model: what the caches hold. The download is a Job in the cluster: it goes on when " +
    "this task is interrupted, and the same command watches it again. What broke off goes on where " +
    "it stopped. deploy mounts the cache, and needs no hub, when it holds the graph's model.",
  args: [{ name: "model", description: "Name on Hugging Face: organisation/name" }],
  options,
  examples: [
    { command: "prefetch Qwen/Qwen3-0.6B", text: "Into the claim model-cache" },
    { command: "prefetch", text: "What is in the caches" },
    { command: "prefetch meta-llama/Llama-3.3-70B-Instruct --no-wait", text: "In the background" },
    { command: "prefetch Qwen/Qwen3-4B --cache-pvc fast --storage-class fsx", text: "Elsewhere" },
    { command: "prefetch Qwen/Qwen3-4B --force", text: "What is new, and checksums" },
    { command: "prefetch Qwen/Qwen3-4B --stop", text: "End it" },
  ],
  async run(ctx, { options, args }) {
    const model = args[0];
    if (model !== undefined) checkNames(model, options.revision);
    checkValues(options);
    const target = await deployTarget(ctx, options);
    await using connection = sharedConnection(ctx, target);
    if (model === undefined) return await show(ctx, connection, target, options);
    if (options.stop) return await stop(ctx, connection, target, { model, options });
    const release = await deployRelease(ctx, target);
    const place = { target, release, connect: connection.connect };
    const outcome: PrefetchOutcome = { state: "running" };
    const plan = planPrefetch(place, prefetchOptions(model, options), outcome);
    if (options.dryRun) return printPlan(ctx, plan, options.output);
    const start = ctx.clock.monotonic();
    const seconds = () => Math.round(ctx.clock.monotonic() - start) / 1000;
    const result = { model, revision: options.revision, claim: options.cachePvc };
    try {
      await runPlan(ctx, plan);
    } catch (error) {
      if (ctx.signal.aborted) sayItGoesOn(ctx, model);
      if (options.output === "json") {
        const failed = { ...result, namespace: target.namespace, state: "failed" };
        ctx.ui.out(JSON.stringify({ ...failed, seconds: seconds(), error: errorData(error) }));
      }
      throw error;
    }
    const { commit = null, bytes = null, files = null, whole = null } = outcome.model ?? {};
    if (options.output === "json") {
      const { namespace } = target;
      const found = { ...result, namespace, state: outcome.state, commit, bytes, files, whole };
      ctx.ui.out(JSON.stringify({ ...found, seconds: seconds() }));
    }
    sayDone(ctx, model, outcome);
  },
});

function checkValues(options: Values): void {
  for (const name of ["size", "memory"] as const) {
    const value = options[name];
    if (value === undefined || (parseQuantity(value) ?? 0) >= 2 ** 20) continue;
    throw usageError("PREFETCH_SIZE", `--${name} ${value} is no size`, "It looks like 500Gi.");
  }
  for (const name of ["cachePvc", "storageClass", "nodePool"] as const) {
    const value = options[name];
    if (value === undefined || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(value)) continue;
    const flag = { cachePvc: "cache-pvc", storageClass: "storage-class", nodePool: "node-pool" };
    throw usageError("PREFETCH_NAME", `--${flag[name]} ${value} is no name of an object`);
  }
  if (options.image !== undefined && !/^[\w.:/@-]+$/.test(options.image)) {
    throw usageError("PREFETCH_IMAGE", `--image ${options.image} is no image`);
  }
}

function prefetchOptions(model: string, options: Values): PrefetchOptions {
  const { cachePvc, noWait, memory, ...others } = options;
  // The limit is twice as much, which takes one unit.
  const mebibytes = memory === undefined
    ? undefined
    : `${Math.ceil(parseQuantity(memory)! / 2 ** 20)}Mi`;
  return { ...others, model, claim: cachePvc, wait: !noWait, memory: mebibytes };
}

async function show(
  ctx: Context,
  connection: SharedConnection,
  { namespace }: Target,
  options: Values,
): Promise<void> {
  if (options.stop || options.force) {
    throw usageError("PREFETCH_MODEL", `--${options.stop ? "stop" : "force"} needs a model`);
  }
  const caches: ModelCache[] = await listCaches(await connection.connect(), namespace);
  if (options.output === "json") {
    return ctx.ui.out(JSON.stringify({ namespace, caches }, null, 2));
  }
  if (caches.length === 0) {
    return ctx.ui.info(`No claim of namespace ${namespace} is known to hold a model`);
  }
  ctx.ui.table(cacheRows(caches, ctx.clock.now()));
}

async function stop(
  ctx: Context,
  { connect }: SharedConnection,
  { namespace }: Target,
  { model, options }: { readonly model: string; readonly options: Values },
): Promise<void> {
  const { revision, cachePvc: claim, output } = options;
  const plan: Plan = {
    task: "prefetch",
    facts: { namespace, model, claim },
    warnings: [],
    steps: [{
      id: "stop",
      title: `End the download of ${model}`,
      touches: [`Jobs that download it into claim ${claim}; what is there stays`],
      deadlineMs: 60_000,
      run: async () => {
        const names = await removePrefetchJobs(await connect(), { namespace, model, claim });
        return names.length === 0 ? "there is none" : names.join(", ");
      },
    }],
  };
  if (options.dryRun) return printPlan(ctx, plan, output);
  const [done] = await runPlan(ctx, plan);
  if (output !== "json") return;
  const stopped = { model, revision, claim, namespace, state: "stopped" };
  ctx.ui.out(JSON.stringify({ ...stopped, seconds: done!.ms / 1000 }));
}

function sayItGoesOn(ctx: Context, model: string): void {
  ctx.ui.info(
    `  A download that was started goes on in the cluster: deno task prefetch ${model} watches it, ` +
      "with --stop it ends",
  );
}

function sayDone(ctx: Context, model: string, { state, model: cached }: PrefetchOutcome): void {
  if (state === "running") {
    ctx.ui.success(`${model} is being downloaded`);
    ctx.ui.info(`  Next: deno task prefetch ${model} waits for it`);
    return;
  }
  const size = cached === undefined ? "" : ` (${formatBytes(cached.bytes)})`;
  ctx.ui.success(`${model} is in the cache${size}`);
  if (cached?.whole === false) {
    ctx.ui.info("  Files are left out, so deploy takes it only with --offline on");
  } else if (cached?.revision !== DEFAULT_REVISION) {
    ctx.ui.info(`  deploy looks for ${DEFAULT_REVISION}; this revision is for your own manifests`);
  } else ctx.ui.info(`  Next: deno task deploy <example> --model ${model}`);
}

function errorData(error: unknown): Record<string, unknown> {
  const known = error instanceof TaskError ? error : undefined;
  return {
    code: known?.code ?? "UNEXPECTED",
    message: messageOf(error),
    hint: known?.hint ?? null,
    evidence: known?.evidence ?? [],
    exitCode: known?.exitCode ?? EXIT.failed,
  };
}

if (import.meta.main) await runTask(command);
