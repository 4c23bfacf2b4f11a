/**
 * Where the CustomResourceDefinitions come from: a folder of the real ones, or our own.
 *
 * The official chart is not downloaded: no checksum of it is published that could be pinned.
 *
 * @module
 */
import { parse } from "@std/yaml";
import type { Release } from "../../../blueprint/types.ts";
import type { Context } from "../../../cli/context.ts";
import { messageOf, preconditionError } from "../../../cli/errors.ts";
import type { KubeObject } from "../../../kube/types.ts";
import { parseSemver, type Semver } from "../features.ts";
import { ownDefinitions } from "./definitions.ts";

/** Where definitions were taken from. */
export type CrdSource =
  | { readonly kind: "own" }
  | { readonly kind: "folder"; readonly path: string };

/** Definitions of a release with their source. */
export interface CrdSet {
  /** The definitions. */
  readonly objects: readonly KubeObject[];
  /** Where they come from. */
  readonly source: CrdSource;
}

/** Options of {@link crdsFor}. */
export interface CrdOptions {
  /** A real operator runs: real definitions stay as they are, with its conversion webhook. */
  readonly realOperator?: boolean;
}

/** Label on everything these tasks make. */
const LABELS = { "app.kubernetes.io/managed-by": "dynamo-eks" };

/**
 * The definitions of a release. `DYNAMO_CRDS_DIR` names a folder of real ones: YAML files, or
 * one folder an era (`0.4.1`, `1.2` …), of which the newest that is not newer is taken.
 *
 * @throws {TaskError} CRDS_DIR (exit code 3) when that folder has none that fit.
 */
export async function crdsFor(
  ctx: Pick<Context, "env" | "fs">,
  release: Pick<Release, "version" | "rules">,
  options: CrdOptions = {},
): Promise<CrdSet> {
  const folder = ctx.env.get("DYNAMO_CRDS_DIR");
  if (folder === undefined) {
    return {
      objects: ownDefinitions(release.version, release.rules),
      source: { kind: "own" },
    };
  }
  try {
    const path = await eraFolder(ctx, folder, release);
    const real = await readDefinitions(ctx, path);
    if (real.length === 0) throw new Error("no CustomResourceDefinition in it");
    const objects = options.realOperator === true ? real : real.map(forStandIn);
    return { objects: objects.map(labelled), source: { kind: "folder", path } };
  } catch (error) {
    throw preconditionError(
      "CRDS_DIR",
      `DYNAMO_CRDS_DIR ${folder} cannot be used for Dynamo ${release.version}: ${messageOf(error)}`,
      "Name a folder with Dynamo's CustomResourceDefinitions, or unset DYNAMO_CRDS_DIR.",
      error,
    );
  }
}

/** One line about the source, for summaries. */
export function describeCrdSource(source: CrdSource): string {
  return source.kind === "own"
    ? "compact CRDs of this project"
    : `the CRDs in ${source.path} (DYNAMO_CRDS_DIR)`;
}

async function eraFolder(
  ctx: Pick<Context, "fs">,
  folder: string,
  release: Pick<Release, "version" | "rules">,
): Promise<string> {
  const eras: { name: string; at: Semver }[] = [];
  for await (const entry of ctx.fs.readDir(folder)) {
    if (entry.isFile && isYaml(entry.name)) return folder;
    const at = entry.isFile ? undefined : eraOf(entry.name);
    if (at !== undefined) eras.push({ name: entry.name, at });
  }
  const wanted = parseSemver(release.version) ?? parseSemver(release.rules) ??
    { major: 999, minor: 0, patch: 0 };
  const best = eras.filter((era) => compare(era.at, wanted) <= 0)
    .sort((a, b) => compare(b.at, a.at))[0];
  if (best === undefined) throw new Error("neither YAML files nor a folder of that era are in it");
  return `${folder}/${best.name}`;
}

/** `0.6`, `0.4.1`, `1.5-dev` as numbers. */
function eraOf(name: string): Semver | undefined {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?(?:-\w+)?$/.exec(name);
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) };
}

function compare(a: Semver, b: Semver): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch;
}

function isYaml(name: string): boolean {
  return /\.ya?ml$/.test(name);
}

async function readDefinitions(ctx: Pick<Context, "fs">, folder: string): Promise<KubeObject[]> {
  const found: KubeObject[] = [];
  for await (const entry of ctx.fs.readDir(folder)) {
    if (!entry.isFile || !isYaml(entry.name)) continue;
    const object = parse(await ctx.fs.readTextFile(`${folder}/${entry.name}`)) as KubeObject;
    if (object?.kind === "CustomResourceDefinition") found.push(object);
  }
  return found.sort((a, b) => a.metadata.name < b.metadata.name ? -1 : 1);
}

function labelled(object: KubeObject): KubeObject {
  const labels = { ...object.metadata.labels, ...LABELS };
  return { ...object, metadata: { ...object.metadata, labels } };
}

/**
 * A real definition for the stand-in: stored in its newest version, without the webhook that
 * only the real operator answers (the stand-in offers the older version itself, once it
 * runs), and without descriptions, which only cost the API server memory.
 */
function forStandIn(object: KubeObject): KubeObject {
  const spec = object["spec"];
  const both = spec.versions.length > 1;
  const versions = spec.versions.map((version: Record<string, unknown>) => ({
    ...version,
    schema: withoutDescriptions(version["schema"]),
    ...(both
      ? { served: version["name"] === "v1beta1", storage: version["name"] === "v1beta1" }
      : {}),
  }));
  const { conversion: _conversion, ...rest } = spec;
  return { ...object, spec: { ...rest, versions } };
}

function withoutDescriptions(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutDescriptions);
  if (schema === null || typeof schema !== "object") return schema;
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]) =>
      // A property of that name is an object, the description of a schema a text.
      key === "description" && typeof value === "string" ? [] : [[key, withoutDescriptions(value)]]
    ),
  );
}
