/**
 * Objects as YAML text.
 *
 * @module
 */
import { parseAll, stringify } from "@std/yaml";
import type { KubeObject } from "../kube/types.ts";

/** The objects as one YAML text, a document each. The same objects give the same text. */
export function manifestYaml(objects: readonly KubeObject[]): string {
  return objects
    .map((object) => stringify(object, { lineWidth: -1, useAnchors: false }))
    .join("---\n");
}

/** Reads {@link manifestYaml}'s text back; documents that are empty are left out. */
export function parseManifest(text: string): KubeObject[] {
  return parseAll(text, { schema: "core" }).filter((document) => document !== null) as KubeObject[];
}
