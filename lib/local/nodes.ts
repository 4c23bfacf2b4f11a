/**
 * Puts the simulated nodes, and what EKS would have with them, into the cluster.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { timeoutError } from "../cli/errors.ts";
import type { StepUi } from "../cli/ui.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { simulatedNodes } from "./node_catalogue.ts";
import { defaultStorageClass, sharedStorageClass } from "./storage_classes.ts";

const NODE = { apiVersion: "v1", kind: "Node" } as const;
const READY_MS = 30_000;

/**
 * Makes sure that all nodes are there with their capacity and Ready, and the storage classes.
 *
 * @throws {TaskError} NODES_NOT_READY (exit code 4) after 30 seconds.
 */
export async function ensureNodes(
  ctx: Context,
  kube: Kube,
  kubernetes: string,
  ui: StepUi,
): Promise<void> {
  const wanted = simulatedNodes(kubernetes);
  for (const one of [defaultStorageClass(), sharedStorageClass()]) await kube.apply(one);
  const present = new Map((await kube.list(NODE)).items.map((node) => [node.metadata.name, node]));
  await Promise.all(wanted.map(async ({ node, status }) => {
    await kube.apply(node);
    const capacity = present.get(node.metadata.name)?.status?.capacity ?? {};
    const target = status.capacity as Record<string, string>;
    const same = Object.entries(target).every(([name, value]) => capacity[name] === value);
    if (!same) {
      await kube.patch({ ...NODE, name: node.metadata.name }, "merge", { status }, "status");
    }
  }));
  await waitForNodes(ctx, kube, wanted.map(({ node }) => node.metadata.name), ui);
}

async function waitForNodes(
  ctx: Context,
  kube: Kube,
  names: readonly string[],
  ui: StepUi,
): Promise<void> {
  const end = ctx.clock.monotonic() + READY_MS;
  for (;;) {
    const ready = new Set(
      (await kube.list(NODE)).items.filter(isReady).map((node) => node.metadata.name),
    );
    const missing = names.filter((name) => !ready.has(name));
    ui.progress(names.length - missing.length, names.length, "nodes");
    if (missing.length === 0) return;
    if (ctx.clock.monotonic() >= end) {
      throw timeoutError(
        "NODES_NOT_READY",
        `Nodes not Ready after ${READY_MS / 1000} s: ${missing.join(", ")}`,
        { hint: "Look at .dynamo/local/logs/kwok.log, then run deno task install again." },
      );
    }
    await ctx.clock.sleep(100, ctx.signal);
  }
}

/** Whether a node is Ready and kept alive. */
export function isReady(node: KubeObject): boolean {
  const conditions: { type: string; status: string }[] = node.status?.conditions ?? [];
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}
