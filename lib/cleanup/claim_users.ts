/**
 * What keeps claims in use: pods, and what would make those pods again.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { Kube, KubeObject, ObjectRef } from "../kube/types.ts";
import { type Claim, refOf } from "./holdings.ts";

/**
 * Deletes the owners of the pods that mount the claims (a pod's ReplicaSet's Deployment, a
 * StatefulSet's Prometheus): a claim does not go before its last pod. Returns what was deleted,
 * as `kind namespace/name`.
 */
export async function stopUsers(
  ctx: Context,
  kube: Kube,
  claims: readonly Claim[],
): Promise<string[]> {
  const names = new Set(claims.map(({ ref }) => `${ref.namespace}/${ref.name}`));
  const { items: pods } = await kube.list({ apiVersion: "v1", kind: "Pod" });
  const users = pods.filter((pod) =>
    (pod["spec"]?.volumes ?? []).some((volume: KubeObject) =>
      names.has(`${pod.metadata.namespace}/${volume["persistentVolumeClaim"]?.claimName}`)
    )
  );
  const owners = new Map<string, ObjectRef>();
  for (const pod of users) {
    const ref = refOf(await topOwner(kube, pod));
    owners.set(`${ref.kind} ${ref.namespace}/${ref.name}`, ref);
  }
  for (const ref of owners.values()) {
    ctx.signal.throwIfAborted();
    await kube.delete(ref, { propagation: "Background" });
  }
  return [...owners.keys()];
}

/** The last in the line of controllers; the object itself when nobody controls it. */
async function topOwner(kube: Kube, object: KubeObject): Promise<KubeObject> {
  const owner = object.metadata.ownerReferences?.find((one) => one.controller === true);
  // The pods of a node's own files are made by no controller.
  if (owner === undefined || owner.kind === "Node") return object;
  const { apiVersion, kind, name, uid } = owner;
  const { namespace } = object.metadata;
  const found = await kube.get({ apiVersion, kind, name, namespace });
  return found === undefined || found.metadata.uid !== uid ? object : await topOwner(kube, found);
}
