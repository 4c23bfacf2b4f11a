/**
 * The storage classes of the embedded cluster, under the names that they have on EKS.
 *
 * @module
 */
import type { KubeObject } from "../kube/types.ts";
import { MANAGED_BY } from "./node_catalogue.ts";

/** Class of storage that many nodes share: EFS on EKS. */
export const SHARED_CLASS = "efs-sc-dynamic";

/** Provisioner of that class here: the node agent, which gives each claim a folder. */
export const FOLDER_PROVISIONER = "dynamo-eks/folder";

/**
 * The default storage class, under the name that EKS clusters commonly give it. No provisioner
 * stands behind it: a claim is accepted and stays Pending.
 */
export function defaultStorageClass(): KubeObject {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: {
      name: "gp3",
      labels: { ...MANAGED_BY },
      annotations: {
        "storageclass.kubernetes.io/is-default-class": "true",
        "dynamo-eks/note": "The embedded cluster makes no disks: claims stay Pending.",
      },
    },
    provisioner: "kubernetes.io/no-provisioner",
    volumeBindingMode: "WaitForFirstConsumer",
    reclaimPolicy: "Delete",
  };
}

/** The class for shared storage, whose claims get a folder. */
export function sharedStorageClass(): KubeObject {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: {
      name: SHARED_CLASS,
      labels: { ...MANAGED_BY },
      annotations: { "dynamo-eks/note": "A folder of the embedded cluster for each claim." },
    },
    provisioner: FOLDER_PROVISIONER,
    volumeBindingMode: "Immediate",
    reclaimPolicy: "Delete",
  };
}
