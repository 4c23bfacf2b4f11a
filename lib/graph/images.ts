/**
 * Container image references: reading them, choosing a component's, and moving Dynamo's own
 * to another release. Pure.
 *
 * @module
 */
import { usageError } from "../cli/errors.ts";
import { atLeast, type Release } from "../blueprint/types.ts";
import { EFA_SINCE, EFA_SUFFIX, FRONTEND_IMAGE, type Version } from "./engine_tables.ts";
import { covers, datedValue, engineTable, versionText } from "./engines.ts";
import type { Component, Graph } from "./types.ts";

/** Registry and organisation of Dynamo's images. */
export const DYNAMO_REGISTRY = "nvcr.io/nvidia/ai-dynamo";

/** An image reference in parts. */
export interface ImageReference {
  /** `nvcr.io/nvidia/ai-dynamo/vllm-runtime`. */
  readonly repository: string;
  /** `1.6.1`. */
  readonly tag?: string;
  /** `sha256:…`. */
  readonly digest?: string;
}

/** A tag in parts: `1.2.0-post1-efa` has version `1.2.0-post1` and suffix `-efa`. */
export interface DynamoTag {
  /** `v`, or empty. */
  readonly prefix: string;
  /** `1.2.0-post1`. */
  readonly version: string;
  /** `-cuda13`, `-efa`, `-efa-amd64`, `-enterprise`, or empty. */
  readonly suffix: string;
}

const IMAGES_SINCE: Readonly<Record<string, Version>> = {
  "dynamo-frontend": [0, 8],
  "dynamo-planner": [1, 1],
};

const TAG = /^(v?)(\d+\.\d+\.\d+(?:[-.]post\.?\d+)?)(-cuda13|-efa-amd64|-efa|-enterprise)?$/;

// A port can only stand in front of a slash; elsewhere a colon begins the tag.
const IMAGE =
  /^((?:[a-z0-9][\w.-]*(?::\d+)?\/)?[a-z0-9][\w.-]*(?:\/[a-z0-9][\w.-]*)*)(?::(\w[\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/i;

/** Splits an image reference; undefined when the text is none. */
export function parseImage(text: string): ImageReference | undefined {
  const [, repository, tag, digest] = IMAGE.exec(text) ?? [];
  if (repository === undefined) return undefined;
  return {
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Puts an image reference together. */
export function imageText({ repository, tag, digest }: ImageReference): string {
  return repository + (tag === undefined ? "" : `:${tag}`) +
    (digest === undefined ? "" : `@${digest}`);
}

/** Splits a tag of Dynamo's form; undefined when it has another. */
export function parseDynamoTag(tag: string): DynamoTag | undefined {
  const match = TAG.exec(tag);
  if (match === null) return undefined;
  return { prefix: match[1]!, version: match[2]!, suffix: match[3] ?? "" };
}

/**
 * Whether the operator can read a version from the image's tag; otherwise it wants
 * `runtimeVersionOverride`.
 */
export function hasVersionTag(image: string): boolean {
  return /^v?\d+\.\d+\.\d+(?:[-+.].*)?$/.test(parseImage(image)?.tag ?? "");
}

/** Image of a component: its own, or the release's for its role and engine. */
export function componentImage(graph: Graph, component: Component, release: Release): string {
  if (component.image !== undefined) return component.image;
  const frontend = component.role === "frontend" ? datedValue(FRONTEND_IMAGE, release) : undefined;
  const suffix = component.efa === 0 ? "" : datedValue(EFA_SUFFIX, release);
  return `${DYNAMO_REGISTRY}/${frontend ?? engineTable(graph).image}:${release.imageTag}${suffix}`;
}

/** What {@link rewriteImage} did. */
export interface ImageRewrite {
  /** The image to use. */
  readonly image: string;
  /** `foreign` images are not Dynamo's, or their tag has no version in it; they stay as they are. */
  readonly outcome: "rewritten" | "same" | "foreign";
  /** What a person should know about the new tag. */
  readonly note?: string;
}

/**
 * Moves one of Dynamo's own images to a release: the version changes, the suffix is
 * translated, and a digest, which would pin the old one, goes.
 */
export function rewriteImage(image: string, release: Release): ImageRewrite {
  const parts = parseImage(image);
  const tag = parts?.tag === undefined ? undefined : parseDynamoTag(parts.tag);
  if (parts === undefined || tag === undefined || !isDynamo(parts.repository)) {
    return { image, outcome: "foreign" };
  }
  const translated = translateSuffix(tag.suffix, release);
  const { suffix } = translated;
  const note = missingNote(parts.repository, release) ?? translated.note;
  const rewritten = imageText({
    repository: parts.repository,
    tag: parseDynamoTag(release.imageTag) === undefined
      ? release.imageTag
      : `${tag.prefix}${release.imageTag}${suffix}`,
  });
  return {
    image: rewritten,
    outcome: rewritten === image ? "same" : "rewritten",
    ...(note === undefined ? {} : { note }),
  };
}

/**
 * {@link rewriteImage} for all images of a manifest.
 *
 * @throws {TaskError} IMAGES_FOREIGN (exit code 2) when none of them is Dynamo's.
 */
export function rewriteImages(images: readonly string[], release: Release): ImageRewrite[] {
  const results = images.map((image) => rewriteImage(image, release));
  if (results.some((result) => result.outcome !== "foreign")) return results;
  throw usageError(
    "IMAGES_FOREIGN",
    images.length === 0
      ? `There is no image to move to Dynamo ${release.version}`
      : `None of the images can be moved to Dynamo ${release.version}: ${images.join(", ")}`,
    `Only ${DYNAMO_REGISTRY}/<name>:<X.Y.Z[-postN][-cuda13|-efa|-efa-amd64|-enterprise]> is changed. ` +
      `--keep-images takes them as they are.`,
  );
}

function isDynamo(repository: string): boolean {
  return repository.startsWith(`${DYNAMO_REGISTRY}/`);
}

function missingNote(repository: string, release: Release): string | undefined {
  const name = repository.slice(DYNAMO_REGISTRY.length + 1);
  const from = IMAGES_SINCE[name];
  if (from === undefined || covers({ from }, release)) return undefined;
  return `Dynamo ${release.version} has no image ${name}: it came with ${versionText(from)}`;
}

function translateSuffix(suffix: string, release: Release): { suffix: string; note?: string } {
  switch (suffix) {
    case "-efa-amd64":
    case "-efa":
      return {
        suffix: datedValue(EFA_SUFFIX, release) ?? suffix,
        ...(covers({ from: EFA_SINCE }, release) ? {} : {
          note: `Dynamo ${release.version} has no images for EFA: they came with ${
            versionText(EFA_SINCE)
          }`,
        }),
      };
    case "-cuda13":
      // From 1.3 on images are CUDA 13 anyway.
      if (atLeast(release, 1, 3)) return { suffix: "" };
      if (!atLeast(release, 0, 8)) {
        return {
          suffix: "",
          note: `Dynamo ${release.version} has no CUDA 13 images: -cuda13 is left out`,
        };
      }
      return release.version.startsWith("0.8.1")
        ? { suffix, note: "vllm-runtime:0.8.1-cuda13 does not start: take 0.8.1 or 0.9.0" }
        : { suffix };
    default:
      return { suffix };
  }
}
