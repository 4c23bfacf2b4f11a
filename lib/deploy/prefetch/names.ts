/**
 * What a download of a model is called in the cluster, and by what it is found there. Pure.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { usageError } from "../../cli/errors.ts";

/** Name of the claim unless another is given. */
export const DEFAULT_CLAIM = "model-cache";

/** Revision unless another is given; the only one that engines look for by themselves. */
export const DEFAULT_REVISION = "main";

/** Labels of all that is made for a download. */
export const PREFETCH_LABELS: Readonly<Record<string, string>> = {
  "app.kubernetes.io/managed-by": "dynamo-eks",
  "app.kubernetes.io/component": "prefetch",
};

/** Annotation of a Job with what it downloads, as {@link PrefetchSpec} in JSON. */
export const SPEC_ANNOTATION = "dynamo-eks/prefetch";

/** Which files of which model go into which claim. */
export interface PrefetchSpec {
  /** `organisation/name`. */
  readonly model: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Name of the claim. */
  readonly claim: string;
  /** Uid of the claim: another one of the same name is empty. */
  readonly claimUid: string;
  /** Patterns of the files wanted; all that engines read when there are none. */
  readonly include: readonly string[];
  /** Patterns of files that are not wanted. */
  readonly exclude: readonly string[];
}

/** Whether two are about the same files of the same model in the same claim. */
export function sameSpec(a: PrefetchSpec, b: PrefetchSpec): boolean {
  return specKey(a) === specKey(b);
}

/** Name of the Job: the same for the same files, so that no two write them at once. */
export function jobName(spec: PrefetchSpec): string {
  const word = spec.model.split("/").at(-1)!.toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "").slice(0, 36);
  return `prefetch-${word}-${digest(specKey(spec)).slice(0, 8)}`.replaceAll(/-+/g, "-");
}

function specKey(spec: PrefetchSpec): string {
  const { model, revision, claim, claimUid, include, exclude } = spec;
  return JSON.stringify([
    model,
    revision,
    claim,
    claimUid,
    [...include].sort(),
    [...exclude].sort(),
  ]);
}

/** Hexadecimal SHA-256 of a text. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

// As huggingface_hub checks names of repositories.
const MODEL = /^[A-Za-z0-9_][\w.-]{0,95}(\/[A-Za-z0-9_][\w.-]{0,95})?$/;
const REVISION = /^[A-Za-z0-9_][\w.+/-]{0,199}$/;

/**
 * Checks what the user named.
 *
 * @throws {TaskError} PREFETCH_MODEL or PREFETCH_REVISION (exit code 2).
 */
export function checkNames(model: string, revision: string): void {
  if (!MODEL.test(model) || /--|\.\.|\.git$|[.-](\/|$)/.test(model)) {
    throw usageError(
      "PREFETCH_MODEL",
      `${model} is not the name of a model on Hugging Face`,
      "It looks like Qwen/Qwen3-0.6B: organisation/name.",
    );
  }
  if (!REVISION.test(revision) || /\.\.|\/\/|\/$/.test(revision)) {
    throw usageError(
      "PREFETCH_REVISION",
      `--revision ${revision} is no branch, tag or commit`,
      "It looks like main, v1.0 or 40 hexadecimal digits.",
    );
  }
}
