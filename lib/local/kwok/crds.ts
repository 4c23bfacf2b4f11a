/**
 * Custom resources by which kwok is told where a pod's logs are and where its ports lead.
 * kwok checks their content itself, so the schemas here let everything through.
 *
 * @module
 */
import type { KubeObject } from "../../kube/types.ts";

const GROUP = "kwok.x-k8s.io";

const KINDS = [
  { kind: "Logs", plural: "logs", scope: "Namespaced" },
  { kind: "ClusterLogs", plural: "clusterlogs", scope: "Cluster" },
  { kind: "PortForward", plural: "portforwards", scope: "Namespaced" },
  { kind: "ClusterPortForward", plural: "clusterportforwards", scope: "Cluster" },
] as const;

/** Plural names of kwok's resources that the cluster serves. */
export const KWOK_RESOURCES: readonly string[] = KINDS.map(({ plural }) => plural);

/** Value of kwok's `--enable-crds`. */
export const KWOK_KINDS: string = KINDS.map(({ kind }) => kind).join(",");

/** The custom resource definitions, without labels. */
export function kwokCrds(): KubeObject[] {
  return KINDS.map(({ kind, plural, scope }) => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
      },
      versions: [{
        name: "v1alpha1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        },
      }],
    },
  }));
}
