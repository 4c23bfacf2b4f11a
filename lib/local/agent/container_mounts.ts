/**
 * The volumes of a container that are files: ConfigMaps, Secrets, both in one, empty folders, and
 * the folders of claims.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Kube, KubeObject } from "../../kube/types.ts";
import { claimFolder } from "./claim_folders.ts";
import type { Mount } from "./local_command.ts";
import type { Container, FileSource, Pod, Volume } from "./pod_types.ts";

/** Reads them; volumes of other kinds are empty folders. */
export async function readMounts(
  kube: Pick<Kube, "get">,
  pod: Pod,
  container: Container,
): Promise<Mount[] | { readonly problem: string }> {
  const mounts: Mount[] = [];
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const volume = pod.spec.volumes?.find((one) => one.name === name);
    const files: Record<string, Uint8Array> = {};
    // A kubelet joins it to the container's root; here it must not lead out of the container's folder.
    if (leadsOut(mountPath.slice(1))) {
      return { problem: `volume ${name} cannot be at ${mountPath}` };
    }
    for (const { kind, source } of sourcesOf(volume)) {
      const object = source.name ?? source.secretName ?? "";
      const found = await kube.get({
        apiVersion: "v1",
        kind,
        name: object,
        namespace: pod.metadata.namespace,
      });
      if (found === undefined) {
        if (source.optional === true) continue;
        return { problem: `${kind.toLowerCase()} "${object}" not found` };
      }
      const data = dataOf(kind, found);
      for (const { key, path } of source.items ?? Object.keys(data).map(itself)) {
        const value = data[key];
        if (value === undefined) {
          return { problem: `couldn't find key ${key} in ${kind} ${object}` };
        }
        // As a kubelet refuses it: nothing is written outside of the volume.
        if (leadsOut(path)) {
          return { problem: `volume ${name}: the path ${path} leads out of it` };
        }
        files[path] = value;
      }
    }
    const claim = volume?.persistentVolumeClaim?.claimName;
    const folder = claim === undefined
      ? undefined
      : await claimFolder(kube, { namespace: pod.metadata.namespace, name: claim });
    const path = mountPath.replace(/\/+$/, "");
    mounts.push({ path, files, ...(folder === undefined ? {} : { folder }) });
  }
  return mounts;
}

function leadsOut(path: string): boolean {
  return path.startsWith("/") || path.split("/").includes("..");
}

interface Source {
  readonly kind: "ConfigMap" | "Secret";
  readonly source: FileSource;
}

function sourcesOf(volume: Volume | undefined): Source[] {
  if (volume === undefined) return [];
  return [volume, ...volume.projected?.sources ?? []].flatMap(({ configMap, secret }): Source[] => [
    ...(configMap === undefined ? [] : [{ kind: "ConfigMap" as const, source: configMap }]),
    ...(secret === undefined ? [] : [{ kind: "Secret" as const, source: secret }]),
  ]);
}

function dataOf(
  kind: Source["kind"],
  { data, binaryData }: KubeObject,
): Record<string, Uint8Array> {
  const text = Object.entries(data as Record<string, string> ?? {}).map((
    [key, value],
  ): [string, Uint8Array] => [
    key,
    kind === "Secret" ? Buffer.from(value, "base64") : Buffer.from(value),
  ]);
  const binary = Object.entries(binaryData as Record<string, string> ?? {}).map(
    ([key, value]): [string, Uint8Array] => [key, Buffer.from(value, "base64")],
  );
  return Object.fromEntries([...text, ...binary]);
}

function itself(key: string): { key: string; path: string } {
  return { key, path: key };
}
