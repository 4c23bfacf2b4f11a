/**
 * CustomResourceDefinitions in the cluster, the parts that are read.
 *
 * @module
 */
import type { KubeObject } from "../../../kube/types.ts";

/** The kind. */
export const CRD_KIND = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
} as const;

/** A CustomResourceDefinition. */
export interface Crd extends KubeObject {
  /** Names, versions and conversion. */
  spec: {
    readonly group: string;
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly {
      readonly name: string;
      readonly served: boolean;
      readonly storage: boolean;
    }[];
    readonly conversion?: {
      readonly strategy: string;
      readonly webhook?: {
        readonly clientConfig?: { readonly url?: string; readonly caBundle?: string };
      };
    };
  };
  /** Versions in which objects were ever stored. */
  status?: { readonly storedVersions?: readonly string[] };
}

/** The version that objects are stored in. */
export function storageVersion(crd: Pick<Crd, "spec">): string {
  return crd.spec.versions.find((one) => one.storage)?.name ?? "";
}
