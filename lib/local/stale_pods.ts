/**
 * Pods that claim to be ready although their processes are gone: after a crash or a reboot
 * the cluster still tells what was true before. On a real cluster the node controller takes
 * readiness from the pods of a node that was away; here the node agent's start does.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { readProcess, recordedContainers } from "./agent/container_files.ts";
import type { LocalLayout } from "./layout.ts";

interface Condition {
  readonly type: string;
  readonly status: string;
}

const READINESS = ["Ready", "ContainersReady"];

/**
 * Takes readiness from pods without a living process, so that whoever waits for them waits
 * for the node agent to start them. Call it while the agent does not run. Returns how many.
 */
export async function retractReadiness(
  ctx: Pick<Context, "clock" | "fs" | "processes">,
  kube: Kube,
  layout: LocalLayout,
): Promise<number> {
  const pods = (await kube.list({ apiVersion: "v1", kind: "Pod" })).items;
  const stale: KubeObject[] = [];
  for (const pod of pods) {
    if (claimsReady(pod) && !await runs(ctx, layout, pod)) stale.push(pod);
  }
  const now = new Date(ctx.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  await Promise.all(stale.map(async (pod) => {
    const { name, namespace } = pod.metadata;
    const conditions = conditionsOf(pod).map((condition) =>
      READINESS.includes(condition.type)
        ? { ...condition, status: "False", reason: "NodeWasAway", lastTransitionTime: now }
        : condition
    );
    const ref = { apiVersion: "v1", kind: "Pod", name, namespace };
    await kube.patch(ref, "merge", { status: { conditions } }, "status");
  }));
  return stale.length;
}

function conditionsOf(pod: KubeObject): Condition[] {
  return pod.status?.conditions ?? [];
}

function claimsReady(pod: KubeObject): boolean {
  return conditionsOf(pod).some(({ type, status }) => type === "Ready" && status === "True");
}

async function runs(
  ctx: Pick<Context, "fs" | "processes">,
  layout: LocalLayout,
  pod: KubeObject,
): Promise<boolean> {
  const folders = await recordedContainers(ctx, layout, pod.metadata.uid ?? "");
  const processes = await Promise.all(folders.map((folder) => readProcess(ctx, folder)));
  return processes.length > 0 &&
    processes.every((record) =>
      record?.process !== undefined && ctx.processes.alive(record.process)
    );
}
