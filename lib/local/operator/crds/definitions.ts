/**
 * Our own CustomResourceDefinitions: the kinds, versions, short names and columns of the
 * real ones, with compact schemas.
 *
 * @module
 */
import type { KubeObject } from "../../../kube/types.ts";
import { operatorFeatures, parseSemver } from "../features.ts";
import { GROUP } from "../names.ts";
import { kindsOf, type KindSpec, type VersionSpec } from "./kinds.ts";
import { object, string } from "./schema.ts";

/** Label of our own definitions. */
export const OWN_CRD_LABEL = "dynamo-eks.local/crds";

/** A kind as a CustomResourceDefinition. */
export function definition(kind: KindSpec, labels: Record<string, string>): KubeObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${kind.plural}.${GROUP}`, labels },
    spec: {
      group: GROUP,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames: kind.shortNames,
      },
      scope: "Namespaced",
      versions: kind.versions.map((version) => versionDefinition(kind, version)),
    },
  };
}

function versionDefinition(kind: KindSpec, version: VersionSpec): Record<string, unknown> {
  return {
    name: version.name,
    served: version.served,
    storage: version.storage,
    ...(version.deprecated === true
      ? {
        deprecated: true,
        deprecationWarning:
          `${GROUP}/${version.name} ${kind.kind} is deprecated; use ${GROUP}/v1beta1 ${kind.kind}`,
      }
      : {}),
    ...(version.columns.length === 0 ? {} : { additionalPrinterColumns: version.columns }),
    schema: {
      openAPIV3Schema: object({
        apiVersion: string(),
        kind: string(),
        metadata: { type: "object" },
        spec: version.spec,
        ...(version.status === undefined ? {} : { status: version.status }),
      }),
    },
    ...(version.status === undefined ? {} : {
      subresources: {
        status: {},
        ...(version.scale === true
          ? {
            scale: {
              specReplicasPath: ".spec.replicas",
              statusReplicasPath: ".status.replicas",
              labelSelectorPath: ".status.selector",
            },
          }
          : {}),
      },
    }),
  };
}

/** All definitions of a release. */
export function ownDefinitions(release: string, rules: string): KubeObject[] {
  const features = operatorFeatures(release, rules);
  const version = parseSemver(release) ?? parseSemver(rules) ?? { major: 999, minor: 0, patch: 0 };
  const labels = {
    "app.kubernetes.io/managed-by": "dynamo-eks",
    "app.kubernetes.io/part-of": "dynamo-platform",
    [OWN_CRD_LABEL]: "own",
  };
  return kindsOf(version, features).map((kind) => definition(kind, labels));
}
