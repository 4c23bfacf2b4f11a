/**
 * The control plane's programs: found in the cache, downloaded, or built, in that order.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { TaskError } from "../../cli/errors.ts";
import { readIfThere, removeAll, writeFileAtomic } from "../../cli/files.ts";
import { formatDuration } from "../../cli/text.ts";
import type { StepUi } from "../../cli/ui.ts";
import { withCacheLock } from "../cache_lock.ts";
import { diskFullError, isDiskFull, requireSpace, type SpaceNeed } from "../disk_space.ts";
import { buildPrograms, BUILT_PROGRAM, sourceKey } from "./build.ts";
import { areReachable, DOWNLOAD_CODES, downloadAll } from "./download.ts";
import { requireGo } from "./go.ts";
import {
  BUILT_VERSIONS,
  DOWNLOADED_VERSIONS,
  type PinnedDownload,
  pinnedDownloads,
  PROGRAM_NAMES,
  type ProgramName,
} from "./pinned.ts";

/** Where programs came from. */
export type ProgramsOrigin = "build" | "download";

/** Versions of the programs, without `v`. */
export interface ProgramVersions {
  /** API server, controller manager and scheduler. */
  readonly kubernetes: string;
  /** etcd. */
  readonly etcd: string;
  /** kwok. */
  readonly kwok: string;
}

/** The programs, ready to run. */
export interface Programs {
  /** Whether they were built here or downloaded. */
  readonly origin: ProgramsOrigin;
  /** What they are. */
  readonly versions: ProgramVersions;
  /** Beginning of the command line that starts each. */
  readonly commands: Readonly<Record<ProgramName, readonly string[]>>;
}

// The archives and what is taken out of them, together.
const DOWNLOAD_BYTES = 1.2e9;

/** Parent of all versions in the cache. */
export function programsFolder(ctx: Pick<Context, "cache">): string {
  return `${ctx.cache}/control-plane`;
}

/** The programs if they are in the cache, complete. */
export async function findPrograms(ctx: Context): Promise<Programs | undefined> {
  for (const origin of ["build", "download"] as const) {
    const folder = await folderOf(ctx, origin);
    if (await isComplete(ctx, folder)) return programsIn(folder, origin);
  }
  return undefined;
}

/**
 * Makes the programs available: from the cache, else from their published files, else built.
 *
 * @throws {TaskError} (exit code 3) when neither way is open, with what to install.
 */
export async function preparePrograms(
  ctx: Context,
  ui: StepUi,
  published: readonly PinnedDownload[] | undefined = pinnedDownloads(ctx.platform.arch),
): Promise<Programs> {
  const cached = await findPrograms(ctx);
  if (cached !== undefined) return cached;
  const onWait = () => ui.update("another task is making them");
  return await withCacheLock(ctx, programsFolder(ctx), onWait, async () => {
    return await findPrograms(ctx) ?? await download(ctx, ui, published) ?? await build(ctx, ui);
  });
}

/**
 * Checks, without making anything, that {@link preparePrograms} has a way to go.
 *
 * @throws {TaskError} GO_MISSING or GO_OLD (exit code 3) with what to install.
 */
export async function requireProgramSource(
  ctx: Context,
  published: readonly PinnedDownload[] | undefined = pinnedDownloads(ctx.platform.arch),
): Promise<void> {
  try {
    await requireGo(ctx);
  } catch (error) {
    if (published === undefined || !await areReachable(ctx, published)) throw error;
  }
}

/** What a person wants to know of the programs, in a few words. */
export function describePrograms({ versions, origin }: Programs): string {
  const how = origin === "build" ? "built here" : "published files";
  return `Kubernetes ${versions.kubernetes}, etcd ${versions.etcd}, kwok ${versions.kwok} (${how})`;
}

async function build(ctx: Context, ui: StepUi): Promise<Programs> {
  const start = ctx.clock.monotonic();
  const folder = await folderOf(ctx, "build");
  await makeComplete(ctx, folder, (partial) => buildPrograms(ctx, ui, partial));
  ui.update(`built in ${formatDuration(ctx.clock.monotonic() - start)}`);
  return programsIn(folder, "build");
}

async function download(
  ctx: Context,
  ui: StepUi,
  pinned: readonly PinnedDownload[] | undefined,
): Promise<Programs | undefined> {
  if (pinned === undefined) return undefined;
  const folder = await folderOf(ctx, "download");
  const need: SpaceNeed = {
    path: folder,
    bytes: DOWNLOAD_BYTES,
    purpose: "Downloading the control plane",
    variable: "XDG_CACHE_HOME",
  };
  ui.update("looking for the published files");
  try {
    await requireSpace(ctx, need);
    await makeComplete(ctx, folder, async (partial) => {
      await downloadAll(ctx, pinned, partial, (done, total) => ui.progress(done, total, "bytes"));
      ui.update("unpacking");
      for (const each of pinned) await unpack(ctx, each, partial);
    });
    return programsIn(folder, "download");
  } catch (error) {
    if (ctx.signal.aborted) throw ctx.signal.reason;
    if (isDiskFull(error)) throw diskFullError(need, error);
    const codes: readonly string[] = Object.values(DOWNLOAD_CODES);
    if (!(error instanceof TaskError) || !codes.includes(error.code)) throw error;
    // Files that are not the published ones are worth a word; being offline is not.
    if (error.code === DOWNLOAD_CODES.unreachable) ctx.ui.debug(error.message);
    else ctx.ui.warn(`${error.message}; building from source instead`);
    return undefined;
  }
}

async function unpack(ctx: Context, pinned: PinnedDownload, folder: string): Promise<void> {
  if (pinned.members !== undefined) {
    const members = Object.values(pinned.members);
    const depth = (members[0] ?? "").split("/").length - 1;
    const archive = `${folder}/${pinned.file}`;
    const result = await ctx.processes.run("tar", [
      "-xzf",
      archive,
      "-C",
      folder,
      "--no-same-owner",
      `--strip-components=${depth}`,
      ...members,
    ], { signal: ctx.signal });
    if (result.code !== 0) throw new Error(`tar cannot read ${archive}: ${result.stderr.trim()}`);
    await ctx.fs.remove(archive);
  }
  const names = Object.keys(pinned.members ?? {});
  if (pinned.program !== undefined) names.push(pinned.program);
  for (const name of names) await ctx.fs.chmod(`${folder}/${name}`, 0o755);
}

async function folderOf(ctx: Context, origin: ProgramsOrigin): Promise<string> {
  const versions = origin === "build" ? BUILT_VERSIONS : DOWNLOADED_VERSIONS;
  const { kubernetes, etcd, kwok } = versions;
  const key = origin === "build" ? `build-${await sourceKey(ctx)}` : "download";
  const { os, arch } = ctx.platform;
  return `${programsFolder(ctx)}/k8s-${kubernetes}-etcd-${etcd}-kwok-${kwok}-${key}-${os}-${arch}`;
}

function programsIn(folder: string, origin: ProgramsOrigin): Programs {
  const command = (name: ProgramName) =>
    origin === "build" ? [`${folder}/${BUILT_PROGRAM}`, name] : [`${folder}/${name}`];
  return {
    origin,
    versions: origin === "build" ? BUILT_VERSIONS : DOWNLOADED_VERSIONS,
    commands: {
      "etcd": command("etcd"),
      "kube-apiserver": command("kube-apiserver"),
      "kube-controller-manager": command("kube-controller-manager"),
      "kube-scheduler": command("kube-scheduler"),
      "kwok": command("kwok"),
    },
  };
}

// Made beside its place and moved there whole. The manifest holds the sizes, because a file
// system that lost power may keep a name and lose what was written last.
async function makeComplete(
  ctx: Context,
  folder: string,
  make: (partial: string) => Promise<void>,
): Promise<void> {
  const partial = `${folder}.partial`;
  await removeAll(ctx, partial);
  await removeAll(ctx, folder);
  await ctx.fs.mkdir(partial, { recursive: true, mode: 0o700 });
  try {
    await make(partial);
  } catch (error) {
    await removeAll(ctx, partial).catch(() => {});
    throw error;
  }
  const sizes: Record<string, number> = {};
  for await (const entry of ctx.fs.readDir(partial)) {
    sizes[entry.name] = (await ctx.fs.stat(`${partial}/${entry.name}`)).size;
  }
  await writeFileAtomic(ctx, `${partial}/manifest.json`, JSON.stringify(sizes) + "\n");
  await ctx.fs.rename(partial, folder);
}

async function isComplete(ctx: Context, folder: string): Promise<boolean> {
  const text = await readIfThere(ctx, `${folder}/manifest.json`);
  if (text === undefined) return false;
  try {
    const sizes = Object.entries(JSON.parse(text));
    for (const [name, size] of sizes) {
      if ((await ctx.fs.stat(`${folder}/${name}`)).size !== size) return false;
    }
    return sizes.length === 1 || sizes.length === PROGRAM_NAMES.length;
  } catch {
    return false;
  }
}
