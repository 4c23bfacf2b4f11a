/**
 * Owner references and who owns what.
 *
 * @module
 */
import type { KubeObject, OwnerReference } from "../../kube/types.ts";

/** Reference to the controlling owner, as the real operator sets it. */
export function controllerRef(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Name of the controlling owner when it is of that kind (any version of our group). */
export function controllerName(object: KubeObject, kind: string): string | undefined {
  return object.metadata.ownerReferences
    ?.find((owner) => owner.controller === true && owner.kind === kind)?.name;
}

/** Whether that very object controls this one. */
export function isControlledBy(object: KubeObject, owner: KubeObject): boolean {
  return object.metadata.ownerReferences
    ?.some((ref) => ref.controller === true && ref.uid === owner.metadata.uid) ?? false;
}
