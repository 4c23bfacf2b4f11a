/**
 * How long slow resources take, as data: what estimates of the time left begin with.
 *
 * Rough figures from public logs of `terraform apply` in commercial regions; an estimate corrects
 * them by what it sees. Types that are not here take seconds.
 *
 * @module
 */
import type { PlannedChange } from "./plan_summary.ts";

/** Typical durations of a type. */
export interface TypicalDuration {
  /** Type of the resource. */
  readonly type: string;
  /** Part of the address, where one type has slow and fast ones. */
  readonly address?: RegExp;
  /** Seconds to create it. */
  readonly create: number;
  /** Seconds to change it, where that waits. */
  readonly update?: number;
  /** Seconds to delete it. */
  readonly delete: number;
  /**
   * What is of the same wave goes on at the same time, wave after wave (in the other direction
   * when things are deleted).
   */
  readonly wave: number;
}

/** Seconds for a type that is not in the table. */
export const QUICK_SECONDS = 3;

/** Operations that terraform runs at once unless told otherwise. */
export const PARALLELISM = 10;

/** The first entry that fits counts. */
export const TYPICAL_DURATIONS: readonly TypicalDuration[] = [
  { type: "aws_vpc", create: 12, delete: 2, wave: 0 },
  { type: "aws_internet_gateway", create: 2, delete: 40, wave: 1 },
  { type: "aws_subnet", create: 11, delete: 2, wave: 1 },
  { type: "aws_nat_gateway", create: 110, delete: 60, wave: 2 },
  { type: "aws_vpc_endpoint", create: 60, delete: 70, wave: 2 },
  { type: "aws_kms_key", create: 15, delete: 2, wave: 1 },
  { type: "aws_eks_cluster", create: 540, update: 600, delete: 150, wave: 3 },
  { type: "time_sleep", create: 30, delete: 1, wave: 4 },
  { type: "aws_eks_node_group", create: 130, update: 300, delete: 240, wave: 5 },
  { type: "aws_eks_addon", create: 45, update: 45, delete: 15, wave: 6 },
  { type: "aws_efs_mount_target", create: 85, delete: 20, wave: 3 },
  {
    type: "helm_release",
    address: /prometheus/,
    create: 110,
    update: 60,
    delete: 40,
    wave: 8,
  },
  { type: "helm_release", create: 45, update: 30, delete: 20, wave: 7 },
  { type: "kubectl_manifest", create: 3, delete: 10, wave: 9 },
  // Karpenter gives nodes back before their classes go.
  { type: "kubernetes_manifest", create: 3, delete: 10, wave: 9 },
];

/** Typical seconds of a change, and its wave; undefined for what is quick. */
export function typicalDuration(
  change: Pick<PlannedChange, "address" | "type" | "action">,
): { readonly seconds: number; readonly wave: number } | undefined {
  const entry = TYPICAL_DURATIONS.find(({ type, address }) =>
    type === change.type && (address === undefined || address.test(change.address))
  );
  if (entry === undefined) return undefined;
  const seconds = {
    create: entry.create,
    update: entry.update ?? QUICK_SECONDS,
    delete: entry.delete,
    replace: entry.create + entry.delete,
  }[change.action];
  return { seconds, wave: entry.wave };
}
