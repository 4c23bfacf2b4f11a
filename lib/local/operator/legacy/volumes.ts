/**
 * Before 0.8: volumes of a component's pod, and the claims it has to make.
 *
 * @module
 */
import type { KubeObject } from "../../../kube/types.ts";
import { specError } from "../errors.ts";
import type { OperatorFeatures } from "../features.ts";
import { prune } from "../json.ts";
import { controllerRef } from "../owner.ts";
import {
  type Component,
  type GraphPvc,
  type Json,
  namespaceOf,
  type PodSpec,
  type VolumeMount,
} from "../types.ts";

/** Volumes with the places they are mounted at. */
export interface PodVolumes {
  /** Volumes of the pod. */
  readonly volumes: NonNullable<PodSpec["volumes"]>;
  /** Where its container sees them. */
  readonly mounts: readonly VolumeMount[];
}

const SHARED_MEMORY = "shared-memory";

/** The memory volume at /dev/shm, 8Gi unless said otherwise; none when disabled. */
export function sharedMemoryVolume(
  size: string | number | undefined,
  disabled: boolean,
): PodVolumes {
  if (disabled) return { volumes: [], mounts: [] };
  return {
    volumes: [{
      name: SHARED_MEMORY,
      emptyDir: { medium: "Memory", sizeLimit: size === undefined ? "8Gi" : String(size) },
    }],
    mounts: [{ name: SHARED_MEMORY, mountPath: "/dev/shm" }],
  };
}

/** Path of the compilation cache where a mount gives none. */
const COMPILATION_CACHE = "/root/.cache/vllm";

/**
 * Volumes that hold the component's claims.
 *
 * @throws {TaskError} when a claim has no place to be mounted at.
 */
export function claimVolumes(component: Component, features: OperatorFeatures): PodVolumes {
  const claims = features.graphPvcs
    ? (component.spec.volumeMounts ?? []).map((mount) => ({
      name: mount.name,
      path: mount.mountPoint ?? (mount.useAsCompilationCache ? COMPILATION_CACHE : undefined),
    }))
    : component.spec.pvc?.name === undefined
    ? []
    : [{ name: component.spec.pvc.name, path: component.spec.pvc.mountPoint }];
  return {
    volumes: claims.map(({ name }) => ({ name, persistentVolumeClaim: { claimName: name } })),
    mounts: claims.map(({ name, path }) => {
      if (path === undefined || path === "") {
        throw specError(`volume ${name} of ${component.metadata.name} has no mountPoint`);
      }
      return { name, mountPath: path };
    }),
  };
}

/** The claim a component of before 0.6 makes itself, when `pvc.create` says so. */
export function ownClaim(component: Component): KubeObject | undefined {
  const pvc = component.spec.pvc;
  if (pvc?.create !== true || pvc.name === undefined) return undefined;
  return claim(component, { ...pvc, name: pvc.name });
}

/** The claims a graph of 0.6 and newer makes (`spec.pvcs` with `create`). */
export function graphClaims(graph: KubeObject): KubeObject[] {
  const pvcs: readonly GraphPvc[] = graph["spec"]?.pvcs ?? [];
  return pvcs.filter((pvc) => pvc.create === true).map((pvc) => claim(graph, pvc));
}

function claim(owner: KubeObject, pvc: GraphPvc): KubeObject {
  const spec: Json = {
    accessModes: [pvc.volumeAccessMode ?? "ReadWriteOnce"],
    storageClassName: pvc.storageClass,
    resources: { requests: { storage: pvc.size === undefined ? undefined : String(pvc.size) } },
  };
  return prune<KubeObject>({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name: pvc.name,
      namespace: namespaceOf(owner),
      ownerReferences: [controllerRef(owner)],
    },
    spec,
  });
}
