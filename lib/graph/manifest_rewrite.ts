/**
 * Moves a user's own manifest to a release: Dynamo's images, and what this project needs in the
 * metadata. Only those places of the text change; the result is read again and compared with
 * what was meant before anybody sees it. Pure.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";
import { messageOf, usageError } from "../cli/errors.ts";
import type { KubeObject } from "../kube/types.ts";
import { type ImageRewrite, rewriteImage, rewriteImages } from "./images.ts";
import {
  type PlacedDocument,
  type PlacedMapping,
  type PlacedScalar,
  readDocument,
  setAt,
  splitDocuments,
  type YamlPath,
} from "./manifest_positions.ts";

/** Options of {@link rewriteManifest}. */
export interface RewriteOptions {
  /** The manifest's name for messages. */
  readonly file: string;
  /** Release that the images are moved to. */
  readonly release: Release;
  /** Namespace of namespaced objects that name none. */
  readonly namespace: string;
  /** Leave all images as they are: they come from a mirror, or are private builds. */
  readonly keepImages?: boolean;
}

/** One object of a manifest. */
export interface ManifestObject {
  /** The object as it is applied. */
  readonly object: KubeObject;
  /** Its document, with the user's comments and formatting. */
  readonly text: string;
}

/** An image of a manifest and what became of it. */
export interface MovedImage extends Omit<ImageRewrite, "outcome"> {
  /** As it was written. */
  readonly from: string;
  /** As of {@link ImageRewrite}; `kept` where nobody looked at it. */
  readonly outcome: ImageRewrite["outcome"] | "kept";
}

/** A manifest for a release. */
export interface RewrittenManifest {
  /** The objects in the order of the file. */
  readonly objects: readonly ManifestObject[];
  /** Every image, once. */
  readonly images: readonly MovedImage[];
}

/** Label of all that this project makes; deletion looks at it. */
export const MANAGED_BY: readonly [label: string, value: string] = [
  "app.kubernetes.io/managed-by",
  "dynamo-eks",
];

const CLUSTER_WIDE =
  /^(Cluster\w+|Namespace|Node|PersistentVolume|StorageClass|PriorityClass|RuntimeClass|IngressClass|CSIDriver|CustomResourceDefinition|APIService|(Validating|Mutating)WebhookConfiguration)$/;

/**
 * Reads and rewrites a manifest of one or more documents.
 *
 * @throws {TaskError} (exit code 2) MANIFEST_SYNTAX, MANIFEST_EMPTY, MANIFEST_OBJECT for a document
 * that is no Kubernetes object, IMAGES_FOREIGN when no image is Dynamo's and they are not to be
 * kept, MANIFEST_FIXED when a place cannot be changed without changing something else.
 */
export function rewriteManifest(text: string, options: RewriteOptions): RewrittenManifest {
  const { file, release } = options;
  const parts: { text: string; placed: PlacedDocument; line: number }[] = [];
  let line = 1;
  for (const part of splitDocuments(text)) {
    const placed = readPart(part, file, line);
    if (placed.value !== undefined && placed.value !== null) {
      parts.push({ text: part, placed, line });
    }
    line += part.split("\n").length - 1;
  }
  if (parts.length === 0) throw usageError("MANIFEST_EMPTY", `${file} holds no object`);
  for (const part of parts) checkObject(part.placed.value, `${file}, line ${part.line}`);
  const found = parts.flatMap((part) => imageScalars(part.placed).map((scalar) => scalar.value));
  const from = [...new Set(found)];
  const images = options.keepImages === true
    ? from.map((image) => ({ from: image, image, outcome: "kept" as const }))
    : rewriteImages(from, release).map((image, i) => ({ from: from[i]!, ...image }));
  const objects = parts.map((part) => rewriteDocument(part, options));
  return { objects, images };
}

function readPart(text: string, file: string, line: number): PlacedDocument {
  try {
    return readDocument(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const message = messageOf(error).replace(
      /at line (\d+)/,
      (_all, inPart) => `at line ${Number(inPart) + line - 1}`,
    );
    throw usageError("MANIFEST_SYNTAX", `${file} is not YAML: ${message}`);
  }
}

function checkObject(value: unknown, where: string): asserts value is KubeObject {
  const object = value as Partial<KubeObject> | undefined;
  const texts = [object?.apiVersion, object?.kind, object?.metadata?.name];
  if (texts.every((one) => typeof one === "string" && one !== "")) return;
  if (object?.kind === "List") {
    throw usageError(
      "MANIFEST_OBJECT",
      `${where}: a List is not taken`,
      "Write its items as documents of their own, with --- between them.",
    );
  }
  throw usageError(
    "MANIFEST_OBJECT",
    `${where}: the document is no Kubernetes object: apiVersion, kind and metadata.name are texts`,
  );
}

function imageScalars(document: PlacedDocument): PlacedScalar[] {
  return document.scalars.filter((scalar) => scalar.path.at(-1) === "image" && scalar.value !== "");
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function rewriteDocument(
  part: { readonly text: string; readonly placed: PlacedDocument; readonly line: number },
  options: RewriteOptions,
): ManifestObject {
  const wanted = structuredClone(part.placed.value) as KubeObject;
  const edits = new Map<number, Edit>();
  for (const scalar of options.keepImages === true ? [] : imageScalars(part.placed)) {
    const { image, outcome } = rewriteImage(scalar.value, options.release);
    if (outcome !== "rewritten") continue;
    setAt(wanted, scalar.path, image);
    edits.set(scalar.start, replacement(part.text, scalar, image));
  }
  for (const edit of metadataEdits(part.text, part.placed, wanted, options.namespace)) {
    edits.set(edit.start, edit);
  }
  const text = applyEdits(part.text, [...edits.values()]);
  if (!sameValue(readAgain(text), wanted)) {
    throw usageError(
      "MANIFEST_FIXED",
      `${options.file}, line ${part.line}: ${wanted.kind}/${wanted.metadata.name} cannot be ` +
        `changed in place: an image or its metadata is shared through an anchor or written in ` +
        `an unusual form`,
      "Write image: and metadata: out as plain keys.",
    );
  }
  return { object: wanted, text };
}

// A block scalar's place holds its indentation too; the old image is in there once.
function replacement(text: string, scalar: PlacedScalar, image: string): Edit {
  const raw = text.slice(scalar.start, scalar.end);
  return {
    start: scalar.start,
    end: scalar.end,
    text: raw.replace(scalar.value, () => image),
  };
}

// Changes `wanted` as well.
function metadataEdits(
  text: string,
  document: PlacedDocument,
  wanted: KubeObject,
  namespace: string,
): Edit[] {
  const [label, value] = MANAGED_BY;
  const mapping = (...path: YamlPath) => document.mappings.find((one) => samePath(one.path, path));
  const scalar = (...path: YamlPath) => document.scalars.find((one) => samePath(one.path, path));
  const metadata = mapping("metadata");
  if (metadata === undefined) return [];
  const edits: Edit[] = [];
  const added: [string, string | Record<string, string>][] = [];
  if (!wanted.metadata.namespace && !CLUSTER_WIDE.test(wanted.kind)) {
    wanted.metadata.namespace = namespace;
    added.push(["namespace", namespace]);
  }
  const old = wanted.metadata.labels?.[label];
  if (old !== value) {
    wanted.metadata.labels = { ...wanted.metadata.labels, [label]: value };
    const labels = mapping("metadata", "labels");
    const place = scalar("metadata", "labels", label);
    if (labels === undefined) added.push(["labels", { [label]: value }]);
    else if (place === undefined) edits.push(insertion(text, labels, [[label, value]]));
    else edits.push(replacement(text, place, value));
  }
  return added.length === 0 ? edits : [insertion(text, metadata, added), ...edits];
}

function insertion(
  text: string,
  mapping: PlacedMapping,
  entries: readonly (readonly [string, string | Record<string, string>])[],
): Edit {
  return mapping.flow
    ? flowInsertion(text, mapping, entries)
    : blockInsertion(text, mapping, entries);
}

// JSON is YAML, and has to stay JSON.
function flowInsertion(
  text: string,
  mapping: PlacedMapping,
  entries: readonly (readonly [string, unknown])[],
): Edit {
  const start = mapping.start + 1;
  const empty = /^\s*\}/.test(text.slice(start));
  const inner = entries.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return { start, end: start, text: inner.join(", ") + (empty ? "" : ", ") };
}

function blockInsertion(
  text: string,
  mapping: PlacedMapping,
  entries: readonly (readonly [string, string | Record<string, string>])[],
): Edit {
  const column = mapping.start - (text.lastIndexOf("\n", mapping.start - 1) + 1);
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  const indent = " ".repeat(column);
  const lines = entries.flatMap(([key, value]) =>
    typeof value === "string"
      ? [`${key}: ${plainText(value)}`]
      : [`${key}:`, ...Object.entries(value).map(([k, v]) => `  ${k}: ${plainText(v)}`)]
  );
  return {
    start: mapping.start,
    end: mapping.start,
    text: lines.map((line) => `${line}${lineEnd}${indent}`).join(""),
  };
}

function plainText(value: string): string {
  const safe = /^[a-z][a-z0-9.-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|y|n)$/.test(value);
  return safe ? value : JSON.stringify(value);
}

function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = "";
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at);
}

function readAgain(text: string): unknown {
  try {
    return readDocument(text).value;
  } catch {
    return undefined;
  }
}

function samePath(a: YamlPath, b: YamlPath): boolean {
  return a.length === b.length && a.every((key, index) => key === b[index]);
}

/** Whether two values are equal as data, whatever the order of keys. */
function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && sameValue(left[key], right[key]));
}
