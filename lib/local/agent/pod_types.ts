/**
 * The parts of a Kubernetes Pod that the node agent reads and writes.
 * Field meanings are those of the Kubernetes API (core/v1).
 *
 * @module
 */
import type { KindRef, KubeObject } from "../../kube/types.ts";

/** Names the kind. */
export const POD: KindRef = { apiVersion: "v1", kind: "Pod" };

/** A port that a container names. */
export interface ContainerPort {
  /** Name, unique among its kind in the pod. */
  readonly name?: string;
  /** Number of the port inside the container. */
  readonly containerPort: number;
  /** `TCP` unless given. */
  readonly protocol?: string;
}

/** Where the value of a variable comes from. */
export interface EnvVarSource {
  /** One key of a Secret. */
  readonly secretKeyRef?: { name: string; key: string; optional?: boolean };
  /** One key of a ConfigMap. */
  readonly configMapKeyRef?: { name: string; key: string; optional?: boolean };
  /** A field of the pod. */
  readonly fieldRef?: { fieldPath: string };
  /** A resource of a container. */
  readonly resourceFieldRef?: { resource: string; containerName?: string; divisor?: string };
}

/** One variable. */
export interface EnvVar {
  /** Name, unique among its kind in the pod. */
  readonly name: string;
  /** Literal value, with `$(NAME)` for earlier variables. */
  readonly value?: string;
  /** Where the value comes from instead. */
  readonly valueFrom?: EnvVarSource;
}

/** All keys of a Secret or ConfigMap as variables. */
export interface EnvFromSource {
  /** Put in front of every key. */
  readonly prefix?: string;
  /** The Secret. */
  readonly secretRef?: { name: string; optional?: boolean };
  /** The ConfigMap. */
  readonly configMapRef?: { name: string; optional?: boolean };
}

/** A probe as manifests have it. */
export interface Probe {
  /** An HTTP request; 200 to 399 is a success. */
  readonly httpGet?: {
    readonly path?: string;
    readonly port: number | string;
    readonly scheme?: string;
    readonly httpHeaders?: readonly { name: string; value: string }[];
  };
  /** A connection. */
  readonly tcpSocket?: { readonly port: number | string };
  /** A gRPC health check. */
  readonly grpc?: { readonly port: number };
  /** A command in the container. */
  readonly exec?: { readonly command?: readonly string[] };
  /** Wait before the first attempt. */
  readonly initialDelaySeconds?: number;
  /** Between two attempts; 10 unless given. */
  readonly periodSeconds?: number;
  /** For one attempt; 1 unless given. */
  readonly timeoutSeconds?: number;
  /** Failures in a row that count; 3 unless given. */
  readonly failureThreshold?: number;
  /** Successes in a row that count; 1 unless given. */
  readonly successThreshold?: number;
}

/** Keys of a ConfigMap or Secret as files. */
export interface FileSource {
  /** Name of the object. */
  readonly name?: string;
  /** The same, of Secrets that are a volume of their own. */
  readonly secretName?: string;
  /** Which keys, and where; all of them under their names when absent. */
  readonly items?: readonly { key: string; path: string }[];
  /** Whether it may be missing. */
  readonly optional?: boolean;
}

/** A volume, as far as it can be made of files. */
export interface Volume {
  /** Name, for mounts. */
  readonly name: string;
  /** Files of a ConfigMap. */
  readonly configMap?: FileSource;
  /** Files of a Secret. */
  readonly secret?: FileSource;
  /** A claim, whose volume is a folder when the embedded cluster made it. */
  readonly persistentVolumeClaim?: { readonly claimName: string };
  /** Files of several. */
  readonly projected?: {
    readonly sources?: readonly { readonly configMap?: FileSource; readonly secret?: FileSource }[];
  };
}

/** A container as manifests have it. */
export interface Container {
  /** Name, unique among its kind in the pod. */
  readonly name: string;
  /** Image reference. */
  readonly image?: string;
  /** Program and its first arguments. */
  readonly command?: readonly string[];
  /** Further arguments. */
  readonly args?: readonly string[];
  /** Folder inside the image. */
  readonly workingDir?: string;
  /** Variables. */
  readonly env?: readonly EnvVar[];
  /** Variables taken over from Secrets and ConfigMaps. */
  readonly envFrom?: readonly EnvFromSource[];
  /** Declared ports. */
  readonly ports?: readonly ContainerPort[];
  /** A container that fails it is restarted. */
  readonly livenessProbe?: Probe;
  /** A container that fails it gets no traffic. */
  readonly readinessProbe?: Probe;
  /** Until it succeeds, the others wait. */
  readonly startupProbe?: Probe;
  /** What it asks for and may use. */
  readonly resources?: {
    readonly limits?: Readonly<Record<string, string>>;
    readonly requests?: Readonly<Record<string, string>>;
  };
  /** Where volumes are. */
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  /** Only for init containers: `Always` makes it a side container. */
  readonly restartPolicy?: string;
}

/** One condition of a pod. */
export interface PodCondition {
  /** For example `Ready`. */
  readonly type: string;
  /** Whether it holds. */
  readonly status: "True" | "False" | "Unknown";
  /** A word for machines. */
  readonly reason?: string;
  /** A sentence for people. */
  readonly message?: string;
  /** When `status` changed last. */
  readonly lastTransitionTime?: string;
  /** Not used; kept as it is. */
  readonly lastProbeTime?: string | null;
  /** Generation of the pod that it speaks of. */
  readonly observedGeneration?: number;
}

/** How a container ended. */
export interface TerminatedState {
  /** Exit code; 128 and the number of the signal that ended it. */
  readonly exitCode: number;
  /** Signal that ended it. */
  readonly signal?: number;
  /** A word for machines. */
  readonly reason: string;
  /** A sentence for people. */
  readonly message?: string;
  /** Start. */
  readonly startedAt?: string;
  /** End. */
  readonly finishedAt?: string;
  /** `<runtime>://<id>`. */
  readonly containerID?: string;
}

/** Exactly one of the three. */
export interface ContainerStateStatus {
  /** Not running yet, or not again yet. */
  readonly waiting?: { readonly reason: string; readonly message?: string };
  /** Running. */
  readonly running?: { readonly startedAt: string };
  /** Ended. */
  readonly terminated?: TerminatedState;
}

/** Status of one container. */
export interface ContainerStatus {
  /** Name, unique among its kind in the pod. */
  readonly name: string;
  /** Image reference. */
  readonly image: string;
  /** Which very image. */
  readonly imageID: string;
  /** `<runtime>://<id>`. */
  readonly containerID?: string;
  /** Whether it gets traffic. */
  readonly ready: boolean;
  /** Whether its startup is over. */
  readonly started: boolean;
  /** Restarts so far. */
  readonly restartCount: number;
  /** Now. */
  readonly state: ContainerStateStatus;
  /** Before the last restart. */
  readonly lastState: ContainerStateStatus;
}

/** Status of a pod. */
export interface PodStatus {
  /** Pending, Running, Succeeded, Failed. */
  readonly phase?: string;
  /** Address of the pod. */
  readonly podIP?: string;
  /** All addresses. */
  readonly podIPs?: readonly { ip: string }[];
  /** Address of its node. */
  readonly hostIP?: string;
  /** When the node took it on. */
  readonly startTime?: string;
  /** Conditions. */
  readonly conditions?: readonly PodCondition[];
  /** Of its containers. */
  readonly containerStatuses?: readonly ContainerStatus[];
  /** Of its init containers. */
  readonly initContainerStatuses?: readonly ContainerStatus[];
}

/** A pod. */
export interface Pod extends KubeObject {
  /** What is wanted. */
  spec: {
    readonly nodeName?: string;
    readonly serviceAccountName?: string;
    readonly restartPolicy?: "Always" | "OnFailure" | "Never";
    readonly terminationGracePeriodSeconds?: number;
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly Volume[];
  };
  /** Whether it holds. */
  status?: PodStatus;
}

/** `namespace/name` of a pod, for messages. */
export function podName(pod: Pod): string {
  return `${pod.metadata.namespace ?? "default"}/${pod.metadata.name}`;
}

/** The pod's uid; the API server always sets it. */
export function podUid(pod: Pod): string {
  return pod.metadata.uid ?? "";
}
