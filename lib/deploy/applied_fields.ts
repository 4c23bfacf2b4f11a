/**
 * What a field manager applied to an object, taken back out of the object: server-side apply keeps
 * in `metadata.managedFields` whose each field is. Pure.
 *
 * @module
 */
import type { KubeObject } from "../kube/types.ts";

/** Sets of fields in the form FieldsV1: `f:name`, `k:{"name":"main"}`, `v:"x"`, `.`. */
type FieldSet = { readonly [key: string]: FieldSet };

/**
 * The object with only those fields that the manager applied; undefined when it applied none.
 * Applying it again takes away what came later and gives back what was there.
 */
export function appliedFields(object: KubeObject, manager: string): KubeObject | undefined {
  const entries: KubeObject[] = (object.metadata as unknown as KubeObject)["managedFields"] ?? [];
  const entry = entries.find((one) =>
    one["manager"] === manager && one["operation"] === "Apply" && one["subresource"] === undefined
  );
  if (entry === undefined) return undefined;
  const fields = pick(object, entry["fieldsV1"] ?? {}) as Partial<KubeObject>;
  const { name, namespace } = object.metadata;
  return {
    ...fields,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...fields.metadata, name, ...(namespace === undefined ? {} : { namespace }) },
  };
}

function pick(value: unknown, fields: FieldSet): unknown {
  const keys = Object.keys(fields).filter((key) => key !== ".");
  // A leaf: the whole value is the manager's.
  if (keys.length === 0) return value;
  if (Array.isArray(value)) return pickItems(value, fields, keys);
  if (typeof value !== "object" || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const key of keys) {
    const name = key.slice(2);
    const inner = (value as Record<string, unknown>)[name];
    if (key.startsWith("f:") && inner !== undefined) result[name] = pick(inner, fields[key]!);
  }
  return result;
}

function pickItems(items: readonly unknown[], fields: FieldSet, keys: readonly string[]) {
  return items.flatMap((item) => {
    const key = keys.find((one) => isItem(item, one));
    return key === undefined ? [] : [pick(item, fields[key]!)];
  });
}

function isItem(item: unknown, key: string): boolean {
  if (key.startsWith("v:")) return JSON.stringify(item) === key.slice(2);
  if (!key.startsWith("k:") || typeof item !== "object" || item === null) return false;
  const wanted: Record<string, unknown> = JSON.parse(key.slice(2));
  return Object.entries(wanted).every(([name, value]) => {
    const present = (item as Record<string, unknown>)[name];
    // Defaults such as a port's protocol are part of the key and may not be in the item.
    return present === undefined ? name === "protocol" && value === "TCP" : present === value;
  });
}
