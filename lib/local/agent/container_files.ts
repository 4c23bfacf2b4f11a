/**
 * Files by which containers' processes are known: written by the node agent (`start.json`) and
 * by the parent of each process (`process.json`, `exit.json`), below `.dynamo/local/run/pods`.
 * They outlive the agent, so the next one, or a cleanup, finds everything again.
 *
 * @module
 */
import type { Context, ProcessIdentity } from "../../cli/context.ts";
import { readIfThere, removeAll, writeFileAtomic } from "../../cli/files.ts";
import type { LocalLayout } from "../layout.ts";

/** A pod that has been taken on. */
export interface PodRecord {
  /** Namespace of the pod. */
  readonly namespace: string;
  /** Name of the pod. */
  readonly name: string;
  /** Its uid. */
  readonly uid: string;
  /** Address shown for it. */
  readonly podIP: string;
  /** Local ports by the containers' ports. */
  readonly ports: Readonly<Record<string, number>>;
}

/** A start of a container's process. */
export interface StartRecord {
  /** Restarts before it. */
  readonly restartCount: number;
  /** {@link Network.id} when it runs in the network for Dynamo, otherwise empty. */
  readonly network: string;
}

/** What a container's process and its parent are. */
export interface ProcessRecord {
  /** The parent. */
  readonly shim: ProcessIdentity;
  /** The container's process; not there until it has been started. */
  readonly process?: ProcessIdentity;
  /** When it was started, RFC 3339. */
  readonly startedAt?: string;
}

/** How a container's process ended. */
export interface ExitRecord {
  /** Exit code; 128 and the signal's number when a signal ended it. */
  readonly code: number;
  /** Number of that signal. */
  readonly signal?: number;
  /** Why it could not be started. */
  readonly error?: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** RFC 3339. */
  readonly finishedAt: string;
}

/** Folder of all pods' records. */
export function podsFolder(layout: LocalLayout): string {
  return `${layout.run}/pods`;
}

/** Folder of one pod's records. */
export function podFolder(layout: LocalLayout, uid: string): string {
  return `${podsFolder(layout)}/${uid}`;
}

/** Folder of one container's records. */
export function containerFolder(layout: LocalLayout, uid: string, container: string): string {
  return `${podFolder(layout, uid)}/${container}`;
}

/** Folder of a pod's logs. */
export function podLogFolder(
  layout: LocalLayout,
  pod: { readonly namespace: string; readonly name: string; readonly uid: string },
): string {
  return `${layout.pods}/${pod.namespace}_${pod.name}_${pod.uid}`;
}

/** Writes down a pod. */
export async function writePodRecord(
  ctx: Pick<Context, "fs" | "processes">,
  layout: LocalLayout,
  record: PodRecord,
): Promise<void> {
  const path = `${podFolder(layout, record.uid)}/pod.json`;
  await writeFileAtomic(ctx, path, JSON.stringify(record));
}

/** The record of one pod. */
export async function readPodRecord(
  ctx: Pick<Context, "fs">,
  layout: LocalLayout,
  uid: string,
): Promise<PodRecord | undefined> {
  return await readJson<PodRecord>(ctx, `${podFolder(layout, uid)}/pod.json`);
}

/** Uids of all pods with records. */
export async function recordedPods(
  ctx: Pick<Context, "fs">,
  layout: LocalLayout,
): Promise<string[]> {
  return await folderNames(ctx, podsFolder(layout));
}

/** Folders of a pod's containers. */
export async function recordedContainers(
  ctx: Pick<Context, "fs">,
  layout: LocalLayout,
  uid: string,
): Promise<string[]> {
  const folder = podFolder(layout, uid);
  return (await folderNames(ctx, folder)).map((name) => `${folder}/${name}`);
}

/** Makes a container's folder ready for a start: what the last process left is gone. */
export async function prepareStart(
  ctx: Pick<Context, "fs" | "processes">,
  folder: string,
  record: StartRecord,
): Promise<void> {
  for (const name of ["process.json", "exit.json", "scratch"]) {
    await removeAll(ctx, `${folder}/${name}`);
  }
  await ctx.fs.mkdir(`${folder}/scratch`, { recursive: true, mode: 0o700 });
  await writeFileAtomic(ctx, `${folder}/start.json`, JSON.stringify(record));
}

/** The last start. */
export async function readStart(
  ctx: Pick<Context, "fs">,
  folder: string,
): Promise<StartRecord | undefined> {
  return await readJson<StartRecord>(ctx, `${folder}/start.json`);
}

/** The process of the last start, as its parent wrote it. */
export async function readProcess(
  ctx: Pick<Context, "fs">,
  folder: string,
): Promise<ProcessRecord | undefined> {
  return await readJson<ProcessRecord>(ctx, `${folder}/process.json`);
}

/** How the process of the last start ended. */
export async function readExit(
  ctx: Pick<Context, "fs">,
  folder: string,
): Promise<ExitRecord | undefined> {
  return await readJson<ExitRecord>(ctx, `${folder}/exit.json`);
}

async function readJson<T>(ctx: Pick<Context, "fs">, path: string): Promise<T | undefined> {
  const text = await readIfThere(ctx, path);
  try {
    return text === undefined ? undefined : JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

async function folderNames(ctx: Pick<Context, "fs">, path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of ctx.fs.readDir(path)) if (entry.isDirectory) names.push(entry.name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}
