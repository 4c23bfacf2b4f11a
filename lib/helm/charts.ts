/**
 * Getting a chart of one version as a file, with its checksum checked.
 *
 * @module
 */
import { parse } from "@std/yaml";
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, TaskError } from "../cli/errors.ts";
import { exists, removeAll, writeFileAtomic } from "../cli/files.ts";
import { type ChartSource, describeSource } from "./chart_source.ts";
import { type HelmProgram, runHelm } from "./program.ts";

/** Names one chart. */
export interface ChartRef {
  /** For example `dynamo-platform`. */
  readonly name: string;
  /** Without `v`. */
  readonly version: string;
}

/** A chart on this machine. */
export interface LocalChart extends ChartRef {
  /** Path of the `.tgz` or folder. */
  readonly path: string;
  /** Where it came from, in words. */
  readonly from: string;
}

const TRIES = 3;
const TIMEOUT_MS = 60_000;
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Fetches a chart into the cache (or finds it in a folder). Nothing in the cluster is touched,
 * so this is also the check that the chart is there.
 *
 * @param findProgram Finds helm, for registries only.
 * @throws {TaskError} CHART_UNREACHABLE, CHART_MISSING or CHART_CHECKSUM (exit code 3).
 */
export async function fetchChart(
  ctx: Context,
  source: ChartSource,
  ref: ChartRef,
  findProgram: () => Promise<HelmProgram>,
): Promise<LocalChart> {
  const from = describeSource(source);
  const path = source.kind === "folder"
    ? await inFolder(ctx, source.path, ref)
    : source.kind === "oci"
    ? await fromRegistry(ctx, await findProgram(), source.url, ref)
    : await fromRepository(ctx, source, ref);
  return { ...ref, path, from };
}

async function inFolder(ctx: Context, folder: string, ref: ChartRef): Promise<string> {
  const packed = `${folder}/${ref.name}-${ref.version}.tgz`;
  if (await exists(ctx, packed)) return await ctx.fs.realPath(packed);
  const open = `${folder}/${ref.name}`;
  const text = await ctx.fs.readTextFile(`${open}/Chart.yaml`).catch(() => undefined);
  const chart = text === undefined ? undefined : parse(text) as { version?: unknown } | null;
  if (String(chart?.version).replace(/^v/, "") === ref.version) return await ctx.fs.realPath(open);
  throw missing(
    ref,
    `${folder} has no ${ref.name}-${ref.version}.tgz` +
      (chart === undefined
        ? ""
        : `, and the chart in ${open} is ${chart?.version ?? "without a version"}`),
  );
}

async function fromRegistry(
  ctx: Context,
  helm: HelmProgram,
  url: string,
  ref: ChartRef,
): Promise<string> {
  const folder = `${ctx.cache}/charts/oci-${await sha256(`${url}/${ref.name}`, 12)}`;
  const path = `${folder}/${ref.name}-${ref.version}.tgz`;
  if (await exists(ctx, path)) return path;
  await ctx.fs.mkdir(folder, { recursive: true });
  const part = await ctx.fs.makeTempDir({ dir: folder });
  try {
    // The login is what `helm registry login` has kept; it is no argument here.
    await runHelm(ctx, helm, ["pull", `${url}/${ref.name}`, "--version", ref.version, "-d", part]);
    await ctx.fs.rename(`${part}/${ref.name}-${ref.version}.tgz`, path);
    return path;
  } catch (error) {
    throw unreachable(ref, url, messageOf(error), error);
  } finally {
    await removeAll(ctx, part);
  }
}

interface IndexEntry {
  readonly version?: string;
  readonly urls?: readonly string[];
  readonly digest?: string;
}

async function fromRepository(
  ctx: Context,
  source: Extract<ChartSource, { kind: "http" }>,
  ref: ChartRef,
): Promise<string> {
  const bytes = await download(ctx, source, `${source.url}/index.yaml`, ref);
  const index = readIndex(bytes, source.url, ref);
  const entries = index[ref.name] ?? [];
  const entry = entries.find((one) => String(one.version).replace(/^v/, "") === ref.version);
  const link = entry?.urls?.[0];
  if (entry === undefined || link === undefined) {
    const known = entries.slice(0, 8).map((one) => one.version).join(", ");
    throw missing(
      ref,
      `${source.url} has no ${ref.name} ${ref.version}` +
        (known === "" ? " (and no other version of it)" : `; it has ${known}`),
    );
  }
  const url = new URL(link, `${source.url}/`).href;
  const digest = entry.digest?.replace(/^sha256:/, "");
  const name = `${ref.name}-${ref.version}-${(digest ?? await sha256(url)).slice(0, 12)}.tgz`;
  const path = `${ctx.cache}/charts/${name}`;
  // Without a checksum, nobody could say whether the one in the cache is still the right one.
  if (digest !== undefined && await exists(ctx, path)) return path;
  const chart = await download(ctx, source, url, ref);
  if (digest !== undefined && await sha256(chart) !== digest) {
    throw preconditionError(
      "CHART_CHECKSUM",
      `${url} is not the chart that the repository's index names (SHA-256 ${digest.slice(0, 12)}…)`,
      "Try again later, or ask whoever runs the repository.",
    );
  }
  await writeFileAtomic(ctx, path, chart);
  return path;
}

function readIndex(
  bytes: Uint8Array,
  url: string,
  ref: ChartRef,
): Record<string, readonly IndexEntry[]> {
  try {
    const index = parse(new TextDecoder().decode(bytes)) as { entries?: unknown } | null;
    if (typeof index?.entries === "object" && index.entries !== null) {
      return index.entries as Record<string, readonly IndexEntry[]>;
    }
  } catch (error) {
    throw unreachable(ref, url, `its index.yaml cannot be read: ${messageOf(error)}`, error);
  }
  throw unreachable(ref, url, "its index.yaml lists no charts");
}

async function download(
  ctx: Context,
  source: Extract<ChartSource, { kind: "http" }>,
  url: string,
  ref: ChartRef,
): Promise<Uint8Array> {
  // The login goes to the repository's own host and nowhere else.
  const known = new URL(url).origin === new URL(source.url).origin;
  const headers: Record<string, string> = source.login === undefined || !known
    ? {}
    : { authorization: basic(source.login) };
  for (let attempt = 1;; attempt++) {
    let problem: string;
    try {
      const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const response = await ctx.net.fetch(url, { headers, signal });
      if (response.ok) return await readLimited(response);
      await response.body?.cancel();
      problem = `${url} answers ${response.status} ${response.statusText}`.trimEnd();
      if (response.status < 500 && response.status !== 429) throw unreachable(ref, url, problem);
    } catch (error) {
      if (error instanceof TaskError) throw error;
      if (ctx.signal.aborted) throw error;
      problem = messageOf(error);
    }
    if (attempt === TRIES) throw unreachable(ref, url, problem);
    await ctx.clock.sleep(500 * 2 ** attempt, ctx.signal);
  }
}

async function readLimited(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_BYTES) throw new Error(`more than ${MAX_BYTES / 1024 / 1024} MB`);
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function basic({ username, password }: { username: string; password: string }): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

async function sha256(content: string | Uint8Array, digits = 64): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return new Uint8Array(digest).toHex().slice(0, digits);
}

function missing(ref: ChartRef, message: string): TaskError {
  return preconditionError(
    "CHART_MISSING",
    message,
    `Choose another Dynamo version, or name a mirror that has ${ref.name} with --chart-repository.`,
  );
}

function unreachable(ref: ChartRef, url: string, reason: string, cause?: unknown): TaskError {
  return preconditionError(
    "CHART_UNREACHABLE",
    `The chart ${ref.name} ${ref.version} cannot be fetched from ${url}: ${reason}`,
    "Nothing was changed. Check the network or the proxy, or name a mirror or a folder with " +
      "--chart-repository.",
    cause,
  );
}
