/**
 * Objects that the control plane itself needs: kwok's resources and the clients' rights.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { connectKube } from "../kube/client.ts";
import type { KubeObject } from "../kube/types.ts";
import { accessObjects } from "./access.ts";
import { kwokCrds } from "./kwok/crds.ts";
import type { LocalLayout } from "./layout.ts";
import { MANAGED_BY } from "./node_catalogue.ts";

/** Applies them; what is there already is left as it is. */
export async function ensureClusterObjects(ctx: Context, layout: LocalLayout): Promise<void> {
  const kube = await connectKube(ctx, { kubeconfig: layout.kubeconfig });
  try {
    const objects = [...kwokCrds(), ...accessObjects()].map(labelled);
    await Promise.all(objects.map((object) => kube.apply(object)));
  } finally {
    kube.close();
  }
}

function labelled(object: KubeObject): KubeObject {
  const labels = { ...object.metadata.labels, ...MANAGED_BY };
  return { ...object, metadata: { ...object.metadata, labels } };
}
