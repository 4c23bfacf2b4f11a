/**
 * Pull secrets of a namespace whose registry is the one an image comes from.
 *
 * @module
 */
import type { KubeObject } from "../../kube/types.ts";

/** A docker-registry secret: its name and the registries it has credentials for. */
export interface PullSecret {
  /** Name of the secret. */
  readonly name: string;
  /** Host names of registries. */
  readonly registries: readonly string[];
}

/** Reads the registries of `kubernetes.io/dockerconfigjson` secrets; broken ones are left out. */
export function readPullSecrets(secrets: readonly KubeObject[]): PullSecret[] {
  return secrets.flatMap((secret) => {
    try {
      const config = JSON.parse(atob(secret["data"]?.[".dockerconfigjson"] ?? ""));
      const registries = Object.keys(config.auths ?? {}).map(registryHost);
      return [{ name: secret.metadata.name, registries }];
    } catch {
      return [];
    }
  });
}

/** Names of the secrets with credentials for the image's registry, sorted. */
export function pullSecretsFor(
  image: string | undefined,
  secrets: readonly PullSecret[],
): { name: string }[] {
  if (image === undefined) return [];
  const host = imageHost(image);
  return secrets.filter((secret) => secret.registries.includes(host))
    .map((secret) => ({ name: secret.name }));
}

function imageHost(image: string): string {
  const first = image.split("/")[0] ?? "";
  const isHost = image.includes("/") && (/[.:]/.test(first) || first === "localhost");
  return isHost ? first : "docker.io";
}

function registryHost(registry: string): string {
  const host = registry.replace(/^https?:\/\//, "").split("/")[0] ?? "";
  return host === "index.docker.io" ? "docker.io" : host;
}
