/**
 * The claim that a model goes into: the one that is there, or one of a storage class that many
 * nodes can mount.
 *
 * @module
 */
import { preconditionError } from "../../cli/errors.ts";
import type { Kube, KubeObject } from "../../kube/types.ts";
import { cacheClaim } from "./objects.ts";

const CLAIM = { apiVersion: "v1", kind: "PersistentVolumeClaim" } as const;
const CLASS = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass" } as const;
const DEFAULT = "storageclass.kubernetes.io/is-default-class";

// Provisioners of file systems that many nodes mount; disks can be on one node only.
const SHARED = /^(efs\.csi\.aws\.com|fsx\.csi\.aws\.com|dynamo-eks\/folder)$|nfs|cephfs|lustre/i;

/** What the user said of the claim. */
export interface ClaimWish {
  /** Namespace. */
  readonly namespace: string;
  /** Name. */
  readonly name: string;
  /** Size if it has to be made, as a quantity. */
  readonly size: string;
  /** Storage class if it has to be made; one for shared storage unless given. */
  readonly storageClass?: string | undefined;
}

/** The claim that is used. */
export interface UsedClaim {
  /** Its uid. */
  readonly uid: string;
  /** What was done, in words. */
  readonly said: string;
}

/**
 * Makes the claim unless it is there.
 *
 * @throws {TaskError} CACHE_CLAIM (exit code 3) when it is being deleted, CACHE_STORAGE_CLASS (exit
 * code 3) when there is no class for it.
 */
export async function ensureClaim(kube: Kube, wish: ClaimWish): Promise<UsedClaim> {
  const { namespace, name, size } = wish;
  const found = await kube.get({ ...CLAIM, namespace, name });
  if (found !== undefined) {
    if (found.metadata.deletionTimestamp !== undefined) {
      throw preconditionError(
        "CACHE_CLAIM",
        `Claim ${namespace}/${name} is being deleted`,
        "Wait until it is gone, or give another one with --cache-pvc.",
      );
    }
    const class_ = found["spec"]?.storageClassName ?? "no class";
    return { uid: found.metadata.uid ?? "", said: `${name} is there (${class_})` };
  }
  const { items } = await kube.list(CLASS);
  const storageClass = chooseClass(items, wish.storageClass);
  const made = await kube.create(cacheClaim({ namespace, name, size, storageClass }));
  return { uid: made.metadata.uid ?? "", said: `${name} made, ${size} of ${storageClass}` };
}

/**
 * The storage class for a claim that is made.
 *
 * @throws {TaskError} CACHE_STORAGE_CLASS (exit code 3).
 */
export function chooseClass(classes: readonly KubeObject[], wanted: string | undefined): string {
  const names = classes.map((one) => one.metadata.name).join(", ") || "none";
  if (wanted !== undefined) {
    if (classes.some((one) => one.metadata.name === wanted)) return wanted;
    throw preconditionError(
      "CACHE_STORAGE_CLASS",
      `The cluster has no storage class ${wanted} (there are: ${names})`,
      "Give one of them with --storage-class, or a claim of yours with --cache-pvc.",
    );
  }
  const shared = classes.filter((one) => SHARED.test(one["provisioner"] ?? ""))
    .sort((a, b) => Number(isDefault(b)) - Number(isDefault(a)));
  if (shared[0] !== undefined) return shared[0].metadata.name;
  throw preconditionError(
    "CACHE_STORAGE_CLASS",
    `No storage class of the cluster is known to be one that many nodes can mount (there are: ${names})`,
    "enable_aws_efs_csi_driver in terraform/blueprint.tfvars brings efs-sc-dynamic. Or name one " +
      "with --storage-class, or a claim of yours with --cache-pvc.",
  );
}

function isDefault({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[DEFAULT] === "true";
}
