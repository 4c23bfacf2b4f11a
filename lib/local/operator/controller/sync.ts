/**
 * Brings one object to what was generated for it, by the real operator's rule: an object is
 * written when the wish has changed since the last time, told by a hash in an annotation.
 *
 * @module
 */
import type { Kube, KubeObject } from "../../../kube/types.ts";
import { specError } from "../errors.ts";
import { hashOf, sameJson } from "../json.ts";
import { ANNOTATION } from "../names.ts";
import { namespaceOf } from "../types.ts";

/** Options of {@link syncObject}. */
export interface SyncOptions {
  /** The object as it is, when it is there. */
  readonly existing: KubeObject | undefined;
  /** Also undo changes by others, told by the generation (the current behaviour). */
  readonly revert: boolean;
}

/** What was done. */
export interface SyncResult<T extends KubeObject> {
  /** The object as it is now. */
  readonly object: T;
  /** What was done to it. */
  readonly change: "created" | "updated" | "unchanged";
}

/**
 * Creates or updates.
 *
 * @throws {TaskError} OPERATOR_SPEC when an object of that name belongs to somebody else;
 * KUBE_CONFLICT or KUBE_ALREADYEXISTS when the view of it was too old.
 */
export async function syncObject<T extends KubeObject>(
  kube: Kube,
  desired: T,
  options: SyncOptions,
): Promise<SyncResult<T>> {
  const { existing, revert } = options;
  const hash = hashOf(wishOf(desired));
  if (existing === undefined) {
    const annotations = {
      ...desired.metadata.annotations,
      [ANNOTATION.hash]: hash,
      ...(revert ? { [ANNOTATION.generation]: "1" } : {}),
    };
    const metadata = { ...desired.metadata, annotations };
    return { object: await kube.create<T>({ ...desired, metadata }), change: "created" };
  }
  requireSameOwner(existing, desired);
  if (isSettled(existing, hash, revert)) return { object: existing as T, change: "unchanged" };
  return { object: await update<T>(kube, desired, existing, hash, revert), change: "updated" };
}

/** What the hash is made of: all but metadata and status. */
function wishOf(object: KubeObject): Record<string, unknown> {
  const { apiVersion: _version, kind: _kind, metadata: _metadata, status: _status, ...wish } =
    object as KubeObject & { status?: unknown };
  return wish;
}

function isSettled(existing: KubeObject, hash: string, revert: boolean): boolean {
  // Nothing can be done before it is gone; its end is an event.
  if (existing.metadata.deletionTimestamp !== undefined) return true;
  const annotations = existing.metadata.annotations ?? {};
  if (annotations[ANNOTATION.hash] !== hash) return false;
  const generation = existing.metadata.generation;
  // Services have no generation: changes by others are not seen, as with the real operator.
  if (!revert || generation === undefined) return true;
  return annotations[ANNOTATION.generation] === String(generation);
}

function requireSameOwner(existing: KubeObject, desired: KubeObject): void {
  const wanted = desired.metadata.ownerReferences?.find((one) => one.controller === true);
  const actual = existing.metadata.ownerReferences?.find((one) => one.controller === true);
  if (wanted?.uid === actual?.uid) return;
  const owner = actual === undefined ? "nobody's" : `owned by ${actual.kind} ${actual.name}`;
  throw specError(
    `${desired.kind} ${namespaceOf(desired)}/${desired.metadata.name} exists and is ${owner}` +
      (actual?.name === wanted?.name ? " (an earlier one of that name)" : ""),
  );
}

async function update<T extends KubeObject>(
  kube: Kube,
  desired: T,
  existing: KubeObject,
  hash: string,
  revert: boolean,
): Promise<T> {
  const expected = (existing.metadata.generation ?? 0) + 1;
  const metadata = {
    ...existing.metadata,
    labels: { ...existing.metadata.labels, ...desired.metadata.labels },
    annotations: {
      ...existing.metadata.annotations,
      ...desired.metadata.annotations,
      [ANNOTATION.hash]: hash,
      ...(revert ? { [ANNOTATION.generation]: String(expected) } : {}),
    },
  };
  const wish = wishOf(desired);
  // A Service's address is the server's to keep.
  const merged = desired.kind === "Service"
    ? { ...wish, spec: { ...existing["spec"], ...desired["spec"] } }
    : wish;
  const updated = await kube.replace<T>({ ...existing, ...merged, metadata } as KubeObject);
  const generation = updated.metadata.generation;
  if (!revert || generation === undefined || generation === expected) return updated;
  // The server saw no difference, so it kept the generation: the note has to say that.
  return await kube.patch<T>(
    {
      apiVersion: desired.apiVersion,
      kind: desired.kind,
      name: desired.metadata.name,
      namespace: namespaceOf(desired),
    },
    "merge",
    { metadata: { annotations: { [ANNOTATION.generation]: String(generation) } } },
  );
}

/** A merge patch that makes `old` into `next`; undefined when they are the same. */
export function mergePatch(
  old: Record<string, unknown> | undefined,
  next: Record<string, unknown>,
): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(next)) {
    const before = old?.[key];
    if (sameJson(before, value)) continue;
    patch[key] = isMap(before) && isMap(value) ? mergePatch(before, value) : value;
  }
  for (const key of Object.keys(old ?? {})) if (!(key in next)) patch[key] = null;
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
