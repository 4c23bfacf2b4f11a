/**
 * What a deployment would change: each object as it is against the API server's answer to a
 * dry run of applying it, as `kubectl diff` does.
 *
 * @module
 */
import { stringify } from "@std/yaml";
import { createTwoFilesPatch } from "diff";
import { EXIT, messageOf, TaskError } from "../cli/errors.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { applyObject, objectTitle, refOf } from "./apply.ts";

/** The difference of one object. */
export interface ObjectDiff {
  /** Group and version. */
  readonly apiVersion: string;
  /** Kind. */
  readonly kind: string;
  /** Absent for cluster-wide kinds. */
  readonly namespace?: string;
  /** Name. */
  readonly name: string;
  /** What a deployment would do to it. */
  readonly change: "new" | "changed" | "same";
  /** Unified diff of the YAML; empty when nothing changes. */
  readonly diff: string;
}

// Lines around a change, as in diff -u.
const CONTEXT_LINES = 3;
const ABSENT = "/dev/null";

/**
 * Compares each object with the live one; nothing is changed.
 *
 * @throws {TaskError} never with exit code 1, which means "different".
 */
export async function diffObjects(
  kube: Kube,
  objects: readonly KubeObject[],
): Promise<ObjectDiff[]> {
  const diffs: ObjectDiff[] = [];
  for (const object of objects) {
    try {
      diffs.push(await diffObject(kube, object, await kube.get(refOf(object))));
    } catch (error) {
      throw withOtherExitCode(error, object);
    }
  }
  return diffs;
}

/** Compares one object with the live one; undefined when there is none. */
export async function diffObject(
  kube: Kube,
  object: KubeObject,
  live: KubeObject | undefined,
): Promise<ObjectDiff> {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace } = metadata;
  const wanted = await dryRun(kube, object);
  const [before, after] = masked(
    live === undefined ? undefined : comparable(live),
    comparable(wanted),
  );
  const title = objectTitle(object);
  const [from, to] = [yaml(before), yaml(after)];
  const change = live === undefined ? "new" : from === to ? "same" : "changed";
  return {
    apiVersion,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    change,
    diff: change === "same" ? "" : patch(
      live === undefined ? ABSENT : `live ${title}`,
      `wanted ${title}`,
      from,
      to,
    ),
  };
}

// In a namespace that does not exist yet the server cannot try; then the object is as we sent it.
async function dryRun(kube: Kube, object: KubeObject): Promise<KubeObject> {
  try {
    return await applyObject(kube, object, { dryRun: true });
  } catch (error) {
    const { namespace } = object.metadata;
    const notFound = error instanceof TaskError && error.code === "KUBE_NOTFOUND";
    if (!notFound || namespace === undefined) throw error;
    const ref = { apiVersion: "v1", kind: "Namespace", name: namespace };
    if (await kube.get(ref) !== undefined) throw error;
    return object;
  }
}

/** The object without what the server writes. */
export function comparable(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object;
  const metadata: Record<string, unknown> = { ...object.metadata };
  for (
    const field of [
      "managedFields",
      "resourceVersion",
      "generation",
      "uid",
      "creationTimestamp",
      "selfLink",
    ]
  ) delete metadata[field];
  return { ...rest, metadata: metadata as unknown as KubeObject["metadata"] };
}

const SECRET_FIELDS = ["data", "stringData"];
// The last applied configuration of kubectl repeats a Secret's values.
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

// A changed value has to show as changed, without showing.
function masked(
  before: KubeObject | undefined,
  after: KubeObject,
): [KubeObject | undefined, KubeObject] {
  if (after.kind !== "Secret" || after.apiVersion !== "v1") return [before, after];
  const mask = (object: KubeObject, other: KubeObject | undefined, word: string): KubeObject => {
    const result: KubeObject = { ...object, metadata: { ...object.metadata } };
    for (const field of SECRET_FIELDS) {
      if (object[field] === undefined) continue;
      result[field] = Object.fromEntries(
        Object.entries(object[field]).map(([key, value]) => {
          const old = other?.[field]?.[key];
          return [key, old === undefined || old === value ? "***" : `*** (${word})`];
        }),
      );
    }
    const { [LAST_APPLIED]: last, ...annotations } = object.metadata.annotations ?? {};
    if (last !== undefined) result.metadata.annotations = { ...annotations, [LAST_APPLIED]: "***" };
    return result;
  };
  return [
    before === undefined ? undefined : mask(before, after, "before"),
    mask(after, before, "after"),
  ];
}

function yaml(object: KubeObject | undefined): string {
  if (object === undefined) return "";
  return stringify(object, { lineWidth: -1, useAnchors: false, sortKeys: true });
}

/** A unified diff, `--- from`, `+++ to` and hunks, ending with a line end. */
export function patch(from: string, to: string, before: string, after: string): string {
  const text = createTwoFilesPatch(from, to, before, after, undefined, undefined, {
    context: CONTEXT_LINES,
  });
  // The library writes a line of = in front, which is of no use for a single file.
  return text.slice(text.indexOf("---"));
}

function withOtherExitCode(error: unknown, object: KubeObject): TaskError {
  if (error instanceof TaskError && error.exitCode !== EXIT.failed) return error;
  return new TaskError({
    code: error instanceof TaskError ? error.code : "DIFF_FAILED",
    message: error instanceof TaskError
      ? error.message
      : `${objectTitle(object)} cannot be compared: ${messageOf(error)}`,
    hint: error instanceof TaskError ? error.hint : undefined,
    evidence: error instanceof TaskError ? error.evidence : [],
    exitCode: EXIT.precondition,
    cause: error,
  });
}
