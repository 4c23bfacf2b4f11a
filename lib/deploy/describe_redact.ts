/**
 * Takes secrets out of what is given to others: objects, logs, texts. Pure.
 *
 * @module
 */
import { redactArgs } from "../bench/environment.ts";
import type { KubeObject } from "../kube/types.ts";

const SECRET_NAME = /token|secret|passw|api[-_]?key|access[-_]?key|private[-_]?key|credential/i;
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
// Shorter values would blot out ordinary words.
const SHORTEST = 6;

/** Secrets that objects name: literal values, and Secrets that hold others. */
export interface NamedSecrets {
  /** Values of variables whose names look secret. */
  readonly values: readonly string[];
  /** Names of Secrets that variables come from. */
  readonly references: readonly string[];
}

/** Looks for secrets in objects. */
export function namedSecrets(objects: readonly KubeObject[]): NamedSecrets {
  const values = new Set<string>();
  const references = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (typeof value !== "object" || value === null) return;
    const map = value as Record<string, unknown>;
    const { name, value: literal } = map;
    if (typeof name === "string" && typeof literal === "string" && isSecret(name, literal)) {
      values.add(literal);
    }
    for (const key of ["secretKeyRef", "secretRef"]) {
      const found = (map[key] as { name?: unknown } | undefined)?.name;
      if (typeof found === "string") references.add(found);
    }
    if (typeof map["envFromSecret"] === "string") references.add(map["envFromSecret"]);
    Object.values(map).forEach(visit);
  };
  objects.forEach(visit);
  return { values: [...values], references: [...references].sort() };
}

function isSecret(name: string, value: string): boolean {
  return SECRET_NAME.test(name) && value.length >= SHORTEST && !/^(\d+|true|false)$/i.test(value);
}

/** What cleans values: known secrets, secrets by their form, variables that look secret. */
export interface Redactor {
  /** A text without secrets. */
  text(text: string): string;
  /** An object without secrets, managed fields and last-applied copies. */
  object<T>(value: T): T;
}

/** Makes a redactor for these known secrets. */
export function redactor(known: readonly string[]): Redactor {
  const secrets = [...new Set(known.flatMap(forms))].filter((one) => one.length >= SHORTEST)
    .sort((a, b) => b.length - a.length);
  const text = (given: string) => {
    let result = given;
    for (const secret of secrets) result = result.replaceAll(secret, "***");
    return redactArgs([result])[0]!;
  };
  const visit = (value: unknown): unknown => {
    if (typeof value === "string") return text(value);
    if (Array.isArray(value)) {
      return value.every((one) => typeof one === "string")
        ? redactArgs(value).map(text)
        : value.map(visit);
    }
    if (typeof value !== "object" || value === null) return value;
    const map = value as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(map)
        .filter(([key]) => key !== "managedFields" && key !== LAST_APPLIED)
        .map(([key, one]) => [key, isHidden(map, key, one) ? "***" : visit(one)]),
    );
  };
  return { text, object: <T>(value: T) => visit(value) as T };
}

// `{ name: HF_TOKEN, value: … }`, and `token: …` in a map; names of Secrets are none.
function isHidden(map: Record<string, unknown>, key: string, value: unknown): boolean {
  if (typeof value !== "string") return false;
  if (key === "value" && typeof map["name"] === "string") return isSecret(map["name"], value);
  return isSecret(key, value) && !/(name|ref|path|secret)$/i.test(key);
}

// As it stands in JSON and URLs, and in a Secret.
function forms(secret: string): string[] {
  return [
    secret,
    secret.trim(),
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    btoa(String.fromCharCode(...new TextEncoder().encode(secret))),
  ];
}
