/**
 * What benchmarks inside the cluster leave there when nobody is left to take it away.
 *
 * @module
 */
import { JOB_LABELS } from "../bench/job/objects.ts";
import { isCode } from "../kube/objects.ts";
import type { Kube } from "../kube/types.ts";

/**
 * Removes the Jobs of a graph's benchmarks; what they own goes with them. Returns how many there
 * were: none also where they may not be read, as then they were not made from here.
 *
 * @throws {TaskError} as `Kube.delete`.
 */
export async function removeBenchJobs(
  kube: Pick<Kube, "list" | "delete">,
  { namespace, graph }: { readonly namespace: string; readonly graph: string },
): Promise<number> {
  const kind = { apiVersion: "batch/v1", kind: "Job" };
  const { managedBy, component } = JOB_LABELS;
  const labelSelector = [
    managedBy.join("="),
    component.join("="),
    `${JOB_LABELS.graph}=${graph}`,
  ].join(",");
  try {
    const { items } = await kube.list(kind, { namespace, labelSelector });
    for (const { metadata: { name } } of items) {
      await kube.delete({ ...kind, namespace, name }, { propagation: "Background" });
    }
    return items.length;
  } catch (error) {
    if (isCode(error, "KUBE_FORBIDDEN")) return 0;
    throw error;
  }
}
