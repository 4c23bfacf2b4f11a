/**
 * Before 0.8, without Grove or LeaderWorkerSet: what became of multinode components.
 *
 * @module
 */
import { detectFramework } from "../backend_framework.ts";
import type { Component } from "../types.ts";

/** Whether a component spans several nodes. */
export function isMultinode(component: Pick<Component, "spec">): boolean {
  return (component.spec.multinode?.nodeCount ?? 1) > 1;
}

/**
 * Arguments of the container. The real operator runs one ordinary pod whose arguments hold
 * unresolved variables of a LeaderWorkerSet, and reports success: a trap worth keeping.
 */
export function multinodeArgs(
  component: Component,
  args: readonly string[] | undefined,
): readonly string[] | undefined {
  const nodes = component.spec.multinode?.nodeCount ?? 1;
  const framework = component.spec.backendFramework ??
    detectFramework(component.spec.extraPodSpec?.mainContainer);
  if (nodes < 2 || framework !== "sglang" || args === undefined) return args;
  const flags = "--dist-init-addr ${LWS_LEADER_ADDRESS}:29500 " +
    `--nnodes ${nodes} --node-rank \${LWS_WORKER_INDEX}`;
  const last = args[args.length - 1];
  const isShellLine = args.length === 1 && last !== undefined && last.includes(" ");
  return isShellLine ? [`${last} ${flags}`] : [...args, ...flags.split(" ")];
}
