/**
 * What benchmarks inside the cluster have left there.
 *
 * @module
 */
import type { Context } from "../../lib/cli/context.ts";
import { openGraphs } from "../../lib/deploy/session.ts";

/** `kind/name` of all that belongs to benchmarks, in all namespaces; pods that are ending left out. */
export async function benchObjects(ctx: Context): Promise<string[]> {
  await using session = await openGraphs(ctx, {});
  const kinds = [["batch/v1", "Job"], ["v1", "ConfigMap"], ["v1", "Secret"], ["v1", "Pod"]];
  const lists = await Promise.all(kinds.map(async ([apiVersion, kind]) => {
    const { items } = await session.kube.list({ apiVersion: apiVersion!, kind: kind! }, {
      labelSelector: "app.kubernetes.io/component=bench-client",
    });
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => `${kind}/${metadata.name}`);
  }));
  return lists.flat();
}
