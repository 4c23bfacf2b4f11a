/**
 * A container's environment as a kubelet resolves it: `env`, `envFrom`, Secrets, ConfigMaps,
 * fields of the pod. Pure: the objects are handed in.
 *
 * @module
 */
import { decodeBase64Text } from "./base64.ts";
import { expandReferences } from "./command_line.ts";
import type { Container, EnvVar, Pod } from "./pod_types.ts";
import { resourceValue } from "./resource_field.ts";

/** Data of a Secret (base64) or ConfigMap (text), by name; undefined when it is not there. */
export interface EnvObjects {
  /** Secrets by name. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
  /** ConfigMaps by name. */
  readonly configMaps: Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
}

/** An environment, or why the container cannot be made. */
export type ResolvedEnv =
  | {
    readonly env: Record<string, string>;
    /** Names of the variables whose values are secret. */
    readonly secret: ReadonlySet<string>;
  }
  | { readonly problem: string };

/** Names of the Secrets and ConfigMaps that a container's environment needs. */
export function referencedObjects(
  container: Container,
): { secrets: string[]; configMaps: string[] } {
  const secrets = new Set<string>();
  const configMaps = new Set<string>();
  for (const source of container.envFrom ?? []) {
    if (source.secretRef !== undefined) secrets.add(source.secretRef.name);
    if (source.configMapRef !== undefined) configMaps.add(source.configMapRef.name);
  }
  for (const variable of container.env ?? []) {
    const from = variable.valueFrom;
    if (from?.secretKeyRef !== undefined) secrets.add(from.secretKeyRef.name);
    if (from?.configMapKeyRef !== undefined) configMaps.add(from.configMapKeyRef.name);
  }
  return { secrets: [...secrets], configMaps: [...configMaps] };
}

/** Resolves the environment; later sources win, as in Kubernetes. */
export function resolveEnv(pod: Pod, container: Container, objects: EnvObjects): ResolvedEnv {
  const env: Record<string, string> = {};
  const secret = new Set<string>();
  for (const source of container.envFrom ?? []) {
    const isSecret = source.secretRef !== undefined;
    const reference = source.secretRef ?? source.configMapRef;
    if (reference === undefined) continue;
    const data = (isSecret ? objects.secrets : objects.configMaps)[reference.name];
    if (data === undefined) {
      if (reference.optional === true) continue;
      return { problem: `${isSecret ? "secret" : "configmap"} "${reference.name}" not found` };
    }
    for (const [key, value] of Object.entries(data)) {
      const name = (source.prefix ?? "") + key;
      env[name] = isSecret ? decodeBase64Text(value) : value;
      if (isSecret) secret.add(name);
      else secret.delete(name);
    }
  }
  for (const variable of container.env ?? []) {
    const result = variableValue(pod, container, variable, objects, env);
    if ("problem" in result) return result;
    if (result.value === undefined) continue;
    env[variable.name] = result.value;
    // A value that quotes a secret variable is as secret as that.
    const quotes = [...secret].some((name) => variable.value?.includes(`$(${name})`));
    if (variable.valueFrom?.secretKeyRef !== undefined || quotes) secret.add(variable.name);
    else secret.delete(variable.name);
  }
  return { env, secret };
}

function variableValue(
  pod: Pod,
  container: Container,
  variable: EnvVar,
  objects: EnvObjects,
  env: Readonly<Record<string, string>>,
): { readonly value: string | undefined } | { readonly problem: string } {
  const from = variable.valueFrom;
  if (from === undefined) return { value: expandReferences(variable.value ?? "", env) };
  if (from.secretKeyRef !== undefined) {
    const found = keyOf("secret", objects.secrets, from.secretKeyRef, pod);
    return "problem" in found || found.value === undefined
      ? found
      : { value: decodeBase64Text(found.value) };
  }
  if (from.configMapKeyRef !== undefined) {
    return keyOf("configmap", objects.configMaps, from.configMapKeyRef, pod);
  }
  if (from.fieldRef !== undefined) return fieldValue(pod, from.fieldRef.fieldPath);
  if (from.resourceFieldRef !== undefined) {
    return { value: resourceValue(pod, container, from.resourceFieldRef) };
  }
  return { value: undefined };
}

function keyOf(
  kind: "secret" | "configmap",
  all: EnvObjects["secrets"],
  reference: { name: string; key: string; optional?: boolean },
  pod: Pod,
): { readonly value: string | undefined } | { readonly problem: string } {
  const data = all[reference.name];
  const value = data?.[reference.key];
  if (value !== undefined || reference.optional === true) return { value };
  if (data === undefined) return { problem: `${kind} "${reference.name}" not found` };
  const name = kind === "secret" ? "Secret" : "ConfigMap";
  const where = `${pod.metadata.namespace ?? "default"}/${reference.name}`;
  return { problem: `couldn't find key ${reference.key} in ${name} ${where}` };
}

/**
 * A field of the pod. Addresses become 127.0.0.1: the addresses that the cluster shows for
 * simulated nodes and pods exist on no interface, so a process could not bind or reach them.
 */
function fieldValue(
  pod: Pod,
  path: string,
): { readonly value: string } | { readonly problem: string } {
  const entry = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (entry !== null) {
    return { value: pod.metadata[entry[1] as "labels" | "annotations"]?.[entry[2]!] ?? "" };
  }
  switch (path) {
    case "metadata.name":
      return { value: pod.metadata.name };
    case "metadata.namespace":
      return { value: pod.metadata.namespace ?? "" };
    case "metadata.uid":
      return { value: pod.metadata.uid ?? "" };
    case "spec.nodeName":
      return { value: pod.spec.nodeName ?? "" };
    case "spec.serviceAccountName":
      return { value: pod.spec.serviceAccountName ?? "" };
    case "status.podIP":
    case "status.podIPs":
    case "status.hostIP":
    case "status.hostIPs":
      return { value: "127.0.0.1" };
    default:
      return { problem: `unsupported fieldPath: ${path}` };
  }
}
