/**
 * The folder that terraform runs in: a copy of `terraform/` with the settings of one cluster.
 *
 * ```
 * .dynamo/terraform/us-west-2-dynamo-on-eks/
 *   *.tf, helm-values/ …           copied, removed when they go from terraform/
 *   blueprint.auto.tfvars          the user's file
 *   overrides.auto.tfvars.json     flags and variables, which win over the file
 *   backend.tf.json                where the state is
 *   stack.json                     account, region, name, backend
 *   terraform.tfstate, backups/    the state, unless it is in S3
 *   logs/, kubeconfig
 * ```
 *
 * @module
 */
import type { Blueprint } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import { readIfThere, removeAll, writeFileAtomic } from "../cli/files.ts";

/** Names one cluster of one account. */
export interface StackRef {
  /** AWS region. */
  readonly region: string;
  /** Name of the EKS cluster. */
  readonly name: string;
}

/** Path of the work folder. */
export function workFolder(ctx: Pick<Context, "home">, { region, name }: StackRef): string {
  return `${ctx.home}/terraform/${region}-${name}`;
}

/** Path of the cluster's kubeconfig. */
export function stackKubeconfig(ctx: Pick<Context, "home">, stack: StackRef): string {
  return `${workFolder(ctx, stack)}/kubeconfig`;
}

/** Path of the configuration that is copied. */
export function sourceFolder(ctx: Pick<Context, "root">): string {
  return `${ctx.root}/terraform`;
}

const MANIFEST = "sources.json";
// Those are terraform's and the user's; lock files are written in the work folder.
const NOT_COPIED = /^(\.terraform|.*\.tfstate.*|.*\.tfvars(\.json)?|.*\.tfplan|stages\.json)$/;

/** Makes the folder, or brings it up to date: sources, the user's file, overrides. */
export async function syncWorkFolder(
  ctx: Context,
  options: {
    /** What the user wants. */
    readonly blueprint: Blueprint;
    /** Program and arguments that print a token for the cluster. */
    readonly tokenCommand: readonly string[];
    /** Another folder than the cluster's own. */
    readonly folder: string;
  },
): Promise<void> {
  const { blueprint, folder } = options;
  await ctx.fs.mkdir(folder, { recursive: true, mode: 0o700 });
  await copySources(ctx, sourceFolder(ctx), folder);
  const settings = `${folder}/blueprint.auto.tfvars`;
  const text = blueprint.file === undefined ? undefined : await ctx.fs.readTextFile(
    blueprint.file.startsWith("/") ? blueprint.file : `${ctx.root}/${blueprint.file}`,
  );
  if (text === undefined) await removeAll(ctx, settings);
  else await writeFileAtomic(ctx, settings, text);
  // terraform reads `*.auto.tfvars*` by name, so this one is the last and wins.
  await writeFileAtomic(
    ctx,
    `${folder}/overrides.auto.tfvars.json`,
    JSON.stringify(overrides(blueprint, options.tokenCommand), null, 2) + "\n",
  );
}

/** What flags and variables said, under the first spelling; the others are unset. */
export function overrides(
  blueprint: Blueprint,
  tokenCommand: readonly string[],
): Record<string, unknown> {
  return {
    name: blueprint.name.value,
    cluster_name: null,
    region: blueprint.region.value,
    aws_region: null,
    dynamo_stack_version: blueprint.dynamoVersion.value,
    dynamo_platform_version: null,
    dynamo_stack_namespace: blueprint.namespace.value,
    dynamo_platform_namespace: null,
    dynamo_namespace: null,
    token_command: tokenCommand,
  };
}

async function copySources(ctx: Context, from: string, to: string): Promise<void> {
  const files = await listFiles(ctx, from);
  if (!files.some((file) => file.endsWith(".tf"))) {
    throw preconditionError(
      "TERRAFORM_SOURCES",
      `There is no terraform configuration in ${from}`,
      "Check out the project again.",
    );
  }
  const before = parseList(await readIfThere(ctx, `${to}/${MANIFEST}`));
  // First the list, then the files: what an interruption leaves is known to the next run.
  await writeFileAtomic(
    ctx,
    `${to}/${MANIFEST}`,
    JSON.stringify([...new Set([...before, ...files])]) + "\n",
  );
  for (const file of files) {
    const text = await ctx.fs.readFile(`${from}/${file}`);
    const there = await ctx.fs.readFile(`${to}/${file}`).catch(() => undefined);
    if (there === undefined || !sameBytes(there, text)) {
      await writeFileAtomic(ctx, `${to}/${file}`, text);
    }
  }
  for (const file of before) if (!files.includes(file)) await removeAll(ctx, `${to}/${file}`);
  await writeFileAtomic(ctx, `${to}/${MANIFEST}`, JSON.stringify(files) + "\n");
}

async function listFiles(ctx: Context, folder: string, below = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of ctx.fs.readDir(`${folder}/${below}`)) {
    if (NOT_COPIED.test(entry.name)) continue;
    const path = `${below}${entry.name}`;
    if (entry.isDirectory) files.push(...await listFiles(ctx, folder, `${path}/`));
    else if (entry.isFile) files.push(path);
  }
  return files.sort();
}

function parseList(text: string | undefined): string[] {
  try {
    const value: unknown = JSON.parse(text ?? "[]");
    const isPath = (one: unknown): one is string =>
      typeof one === "string" && !one.startsWith("/") && !one.split("/").includes("..");
    return Array.isArray(value) ? value.filter(isPath) : [];
  } catch {
    return [];
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
