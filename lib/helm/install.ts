/**
 * Installing, upgrading and removing a release with helm, so that an interrupted run can be
 * picked up by the next one.
 *
 * @module
 */
import type { Context, ProcessIdentity } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import { readIfThere, removeAll, writeFileAtomic } from "../cli/files.ts";
import type { Kube } from "../kube/types.ts";
import { type HelmProgram, type HelmTarget, runHelm } from "./program.ts";
import {
  ADOPTED_LABEL,
  type HelmRelease,
  helmReleases,
  isPending,
  OUR_RELEASE,
} from "./releases.ts";

/** Names a release of a cluster. */
export interface ReleaseRef {
  /** Client of the cluster. */
  readonly kube: Kube;
  /** The same cluster, for helm. */
  readonly target: HelmTarget;
  /** Name of the release. */
  readonly name: string;
  /** Namespace of the release; it has to be there. */
  readonly namespace: string;
}

/** Options of {@link installRelease}. */
export interface InstallReleaseOptions extends ReleaseRef {
  /** Path of the chart: a folder, a `.tgz`, or what helm takes in their place. */
  readonly chart: string;
  /** Values; the chart's own are under them. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Milliseconds that helm may wait for one hook. */
  readonly timeoutMs: number;
  /** Mark the release as one that was taken over. */
  readonly adopted?: boolean;
  /** Take over objects that are there and not helm's, for definitions that somebody applied. */
  readonly takeOwnership?: boolean;
  /** Told what helm says. */
  readonly onLine?: (line: string) => void;
}

/** A running helm of somebody else is left alone for so long (longest wait of helm's default, doubled). */
export const FOREIGN_HELM_MS = 600_000;

/**
 * Installs or upgrades a release. A revision that an earlier run left pending is forgotten
 * first: its objects carry the release's name, so helm takes them up again. It does not wait
 * for pods; that is for the caller, who can say why they are not ready.
 *
 * @throws {TaskError} HELM_BUSY (exit code 3) while somebody else's helm may be at work,
 * HELM_FAILED.
 */
export async function installRelease(
  ctx: Context,
  helm: HelmProgram,
  options: InstallReleaseOptions,
): Promise<void> {
  await settleRelease(ctx, helm, options);
  const folder = await ctx.fs.makeTempDir({ prefix: "dynamo-eks-helm-" });
  try {
    const values = `${folder}/values.json`;
    await ctx.fs.writeTextFile(values, JSON.stringify(options.values), { mode: 0o600 });
    await noted(ctx, options, () =>
      runHelm(ctx, helm, [
        "upgrade",
        options.name,
        options.chart,
        "--install",
        "--values",
        values,
        "--reset-values",
        "--labels",
        `${OUR_RELEASE.name}=${OUR_RELEASE.value}` +
        (options.adopted === true ? `,${ADOPTED_LABEL}=true` : ""),
        "--timeout",
        `${Math.ceil(options.timeoutMs / 1000)}s`,
        ...(options.takeOwnership === true ? ownershipFlags(helm) : []),
      ], options));
  } finally {
    await removeAll(ctx, folder);
  }
}

// --take-ownership came with 3.17; helm 4 applies on the server, where fields have owners.
function ownershipFlags({ version }: HelmProgram): string[] {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 3 || (major === 3 && minor < 17)) return [];
  return ["--take-ownership", ...(major >= 4 ? ["--force-conflicts"] : [])];
}

/** Uninstalls a release and waits until its objects are gone; false when there was none. */
export async function uninstallRelease(
  ctx: Context,
  helm: HelmProgram,
  options: ReleaseRef & { readonly timeoutMs: number },
): Promise<boolean> {
  const found = await findRelease(options);
  if (found === undefined) return false;
  // Helm uninstalls a pending revision like any other.
  await requireIdle(ctx, options, found);
  await noted(ctx, options, () =>
    runHelm(ctx, helm, [
      "uninstall",
      options.name,
      "--ignore-not-found",
      "--wait",
      "--timeout",
      `${Math.ceil(options.timeoutMs / 1000)}s`,
    ], options));
  return true;
}

/** Makes helm forget a release without touching its objects; how many records went. */
export async function forgetRelease(kube: Kube, release: HelmRelease): Promise<number> {
  let count = 0;
  for (const record of release.records) if (await kube.delete(record)) count++;
  return count;
}

/** Brings a release that is half done into a state that helm goes on from. */
async function settleRelease(
  ctx: Context,
  helm: HelmProgram,
  ref: ReleaseRef,
): Promise<void> {
  const found = await findRelease(ref);
  if (found === undefined) return;
  await forgetPending(ctx, ref, found);
  if (found.status === "uninstalling") {
    await runHelm(ctx, helm, ["uninstall", ref.name, "--ignore-not-found", "--wait"], ref);
  }
}

async function findRelease(ref: ReleaseRef): Promise<HelmRelease | undefined> {
  const { kube, name, namespace } = ref;
  return (await helmReleases(kube, { names: [name], namespace }))[0];
}

async function forgetPending(ctx: Context, ref: ReleaseRef, found: HelmRelease): Promise<void> {
  if (!isPending(found)) return;
  await requireIdle(ctx, ref, found);
  ctx.ui.warn(
    `Release ${ref.namespace}/${ref.name} was left ${found.status} (revision ${found.revision}); ` +
      "that revision is forgotten, its objects stay",
  );
  await ref.kube.delete(found.records.at(-1)!);
}

async function requireIdle(ctx: Context, ref: ReleaseRef, found: HelmRelease): Promise<void> {
  const age = ctx.clock.now() - found.changedAt;
  if (!isPending(found) || age >= FOREIGN_HELM_MS || await isOurDeadRun(ctx, ref, found)) return;
  const free = new Date(found.changedAt + FOREIGN_HELM_MS).toISOString();
  throw preconditionError(
    "HELM_BUSY",
    `Release ${ref.namespace}/${ref.name} is ${found.status} since ` +
      `${Math.max(0, Math.round(age / 1000))} s, and not by a task of this state folder`,
    `Another helm may be at work. Wait for it; when nothing has changed until ${free} it ` +
      "counts as dead and the same command goes on.",
  );
}

/** Runs helm with a note of who runs it, so that the next task knows whether it died. */
async function noted<T>(ctx: Context, ref: ReleaseRef, body: () => Promise<T>): Promise<T> {
  const file = noteFile(ctx, ref);
  await writeFileAtomic(ctx, file, JSON.stringify({ ...ctx.processes.self, at: ctx.clock.now() }));
  const result = await body();
  // After a failure the note stays: the release may be pending, and it was this task.
  await removeAll(ctx, file);
  return result;
}

// Helm dates its record by this machine's clock, soon after it was started.
const RECORD_WITHIN_MS = 60_000;

async function isOurDeadRun(ctx: Context, ref: ReleaseRef, found: HelmRelease): Promise<boolean> {
  const text = await readIfThere(ctx, noteFile(ctx, ref));
  if (text === undefined) return false;
  const who = JSON.parse(text) as ProcessIdentity & { readonly at: number };
  // Seconds are all that helm writes.
  const after = found.changedAt + 1000 - who.at;
  if (after < 0 || after > RECORD_WITHIN_MS) return false;
  return who.pid === ctx.processes.self.pid || !ctx.processes.alive(who);
}

function noteFile(ctx: Context, { kube, namespace, name }: ReleaseRef): string {
  const cluster = new URL(kube.server).host.replace(/[^A-Za-z0-9.-]/g, "_");
  return `${ctx.home}/helm/${cluster}-${namespace}-${name}.json`;
}
