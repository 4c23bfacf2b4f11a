/**
 * The parts of Dynamo's custom resources that the controller reads and writes.
 *
 * @module
 */
import type { KubeObject, ObjectMeta } from "../../kube/types.ts";

/** Any JSON object of a core type, passed on and not looked into. */
export type Json = Record<string, unknown>;

/** Environment variable of a container. */
export interface EnvVar {
  /** Name of the variable. */
  readonly name: string;
  /** Its value. */
  readonly value?: string;
  /** Where the value is taken from instead. */
  readonly valueFrom?: Json;
}

/** Port of a container. */
export interface ContainerPort {
  /** Name that probes and Services use. */
  readonly name?: string;
  /** Number of the port. */
  readonly containerPort: number;
  /** `TCP` unless given. */
  readonly protocol?: string;
}

/** Where a volume is seen in a container. */
export interface VolumeMount {
  /** Name of the volume. */
  readonly name: string;
  /** Path in the container. */
  readonly mountPath: string;
  /** Whether it may not be written. */
  readonly readOnly?: boolean;
  /** Part of the volume that is seen. */
  readonly subPath?: string;
}

/** Requests and limits of a container. */
export interface ContainerResources {
  /** What the scheduler reserves. */
  readonly requests?: Record<string, string | number>;
  /** What the container may use at most. */
  readonly limits?: Record<string, string | number>;
  /** Claims of dynamic resource allocation. */
  readonly claims?: readonly Json[];
}

/** A container; what is not listed is passed on. */
export interface Container {
  /** Name; `main` for the one that runs the component. */
  readonly name?: string;
  /** Image reference. */
  readonly image?: string;
  /** Replaces the entry point. */
  readonly command?: readonly string[];
  /** Arguments. */
  readonly args?: readonly string[];
  /** Environment. */
  readonly env?: readonly EnvVar[];
  /** Secrets and config maps whose entries become variables. */
  readonly envFrom?: readonly Json[];
  /** Ports. */
  readonly ports?: readonly ContainerPort[];
  /** Requests and limits. */
  readonly resources?: ContainerResources;
  /** Where volumes are seen. */
  readonly volumeMounts?: readonly VolumeMount[];
  /** Decides on restarts. */
  readonly livenessProbe?: Json;
  /** Decides on traffic. */
  readonly readinessProbe?: Json;
  /** Holds the other probes back. */
  readonly startupProbe?: Json;
  /** Working directory. */
  readonly workingDir?: string;
  /** Fields that are passed on. */
  readonly [field: string]: unknown;
}

/** A pod's spec; what is not listed is passed on. */
export interface PodSpec {
  /** Containers. */
  readonly containers?: readonly Container[];
  /** Containers that run first. */
  readonly initContainers?: readonly Container[];
  /** Volumes. */
  readonly volumes?: readonly ({ readonly name: string } & Json)[];
  /** Secrets for registries. */
  readonly imagePullSecrets?: readonly { readonly name?: string }[];
  /** Account of the pod. */
  readonly serviceAccountName?: string;
  /** Security of the whole pod. */
  readonly securityContext?: Json;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly terminationGracePeriodSeconds?: number;
  /** Fields that are passed on. */
  readonly [field: string]: unknown;
}

/** Template of a pod. */
export interface PodTemplate {
  /** Labels and annotations. */
  readonly metadata?: {
    /** Labels. */
    readonly labels?: Record<string, string>;
    /** Annotations. */
    readonly annotations?: Record<string, string>;
  };
  /** The pod. */
  readonly spec?: PodSpec;
}

/** Requests or limits of v1alpha1, where everything is a string. */
export interface ResourceItem {
  /** CPUs, a quantity. */
  readonly cpu?: string;
  /** Memory, a quantity. */
  readonly memory?: string;
  /** Number of GPUs. */
  readonly gpu?: string;
  /** Resource name of the GPUs; `nvidia.com/gpu` unless given. */
  readonly gpuType?: string;
  /** Other resources by name. */
  readonly custom?: Record<string, string>;
}

/** A service of a v1alpha1 graph. */
export interface ServiceSpec {
  /** `frontend`, `worker`, `planner`, `main`. */
  readonly componentType?: string;
  /** `prefill` or `decode`. */
  readonly subComponentType?: string;
  /** Name under which processes find each other. */
  readonly dynamoNamespace?: string;
  /** Name of the service in the graph. */
  readonly serviceName?: string;
  /** Number of pods. */
  readonly replicas?: number;
  /** Switches for the operator. */
  readonly annotations?: Record<string, string>;
  /** Labels. */
  readonly labels?: Record<string, string>;
  /** Requests and limits of the main container. */
  readonly resources?: {
    /** What the scheduler reserves. */
    readonly requests?: ResourceItem;
    /** What the container may use at most. */
    readonly limits?: ResourceItem;
    /** Claims of dynamic resource allocation. */
    readonly claims?: readonly Json[];
  };
  /** Environment. */
  readonly envs?: readonly EnvVar[];
  /** Secret whose entries become variables. */
  readonly envFromSecret?: string;
  /** Replaces the default liveness probe. */
  readonly livenessProbe?: Json;
  /** Replaces the default readiness probe. */
  readonly readinessProbe?: Json;
  /** Claim of the service (before 0.6). */
  readonly pvc?: {
    /** Name. */
    readonly name?: string;
    /** Whether the operator makes it. */
    readonly create?: boolean;
    /** Path in the container. */
    readonly mountPoint?: string;
    /** Size, a quantity. */
    readonly size?: string | number;
    /** Storage class. */
    readonly storageClass?: string;
    /** Access mode. */
    readonly volumeAccessMode?: string;
  };
  /** Claims of the graph that are seen in the container. */
  readonly volumeMounts?: readonly {
    /** Name. */
    readonly name: string;
    /** Path in the container. */
    readonly mountPoint?: string;
    /** Whether it holds the engine's compiled code. */
    readonly useAsCompilationCache?: boolean;
  }[];
  /** Memory volume at /dev/shm. */
  readonly sharedMemory?: { readonly disabled?: boolean; readonly size?: string | number };
  /** Spans several nodes. */
  readonly multinode?: { readonly nodeCount?: number };
  /** Ingress settings, not acted on here. */
  readonly ingress?: Json;
  /** Labels and annotations of the pod. */
  readonly extraPodMetadata?: {
    /** Labels. */
    readonly labels?: Record<string, string>;
    /** Switches for the operator. */
    readonly annotations?: Record<string, string>;
  };
  /** Fields of the pod, and `mainContainer` with those of its container. */
  readonly extraPodSpec?: PodSpec & { readonly mainContainer?: Container };
  /** Whether the replicas are scaled through an adapter. */
  readonly scalingAdapter?: { readonly enabled?: boolean };
  /** Uses the Dynamo namespace that all graphs share. */
  readonly globalDynamoNamespace?: boolean;
  /** Dynamo version inside the image. */
  readonly runtimeVersionOverride?: string;
  /** Fields that are passed on. */
  readonly [field: string]: unknown;
}

/** Spec of a v1alpha1 DynamoComponentDeployment. */
export interface ComponentV1Alpha1Spec extends ServiceSpec {
  /** Engine. */
  readonly backendFramework?: string;
}

/** A persistent volume claim of a v1alpha1 graph. */
export interface GraphPvc {
  /** Name of the claim. */
  readonly name: string;
  /** Whether the operator makes it. */
  readonly create?: boolean;
  /** Size, a quantity. */
  readonly size?: string | number;
  /** Storage class. */
  readonly storageClass?: string;
  /** Access mode. */
  readonly volumeAccessMode?: string;
}

/** Spec of a v1alpha1 DynamoGraphDeployment. */
export interface GraphV1Alpha1Spec {
  /** Engine: sglang, vllm or trtllm. */
  readonly backendFramework?: string;
  /** Environment of all services. */
  readonly envs?: readonly EnvVar[];
  /** Services by name. */
  readonly services?: Record<string, ServiceSpec>;
  /** Claims that services can mount. */
  readonly pvcs?: readonly GraphPvc[];
  /** Labels of all pods. */
  readonly labels?: Record<string, string>;
  /** Annotations of all pods. */
  readonly annotations?: Record<string, string>;
  /** Another id restarts all pods. */
  readonly restart?: { readonly id: string };
  /** Fields that are passed on. */
  readonly [field: string]: unknown;
}

/** A component of a v1beta1 graph. */
export interface ComponentSpec {
  /** Name in the graph. */
  readonly name: string;
  /** `frontend`, `worker`, `prefill`, `decode`, `planner`, `epp`. */
  readonly type?: string;
  /** Number of pods. */
  readonly replicas?: number;
  /** Pods that have to stay. */
  readonly minAvailable?: number;
  /** The pod; its container `main` runs the component. */
  readonly podTemplate?: PodTemplate;
  /** Spans several nodes. */
  readonly multinode?: { readonly nodeCount?: number };
  /** Size of /dev/shm; "0" for none. */
  readonly sharedMemorySize?: string | number;
  /** Claim that holds the engine's compiled code. */
  readonly compilationCache?: { readonly pvcName: string; readonly mountPath?: string };
  /** Present when the replicas are scaled through an adapter. */
  readonly scalingAdapter?: Json;
  /** Uses the Dynamo namespace that all graphs share. */
  readonly globalDynamoNamespace?: boolean;
  /** Dynamo version inside the image. */
  readonly runtimeVersionOverride?: string;
  /** Fields that are passed on. */
  readonly [field: string]: unknown;
}

/** Spec of a v1beta1 DynamoComponentDeployment. */
export interface ComponentV1Beta1Spec extends ComponentSpec {
  /** Engine. */
  readonly backendFramework?: string;
}

/** Spec of a v1beta1 DynamoGraphDeployment. */
export interface GraphV1Beta1Spec {
  /** Engine: sglang, vllm or trtllm. */
  readonly backendFramework?: string;
  /** Components. */
  readonly components?: readonly ComponentSpec[];
  /** Environment of all components. */
  readonly env?: readonly EnvVar[];
  /** Labels of all pods. */
  readonly labels?: Record<string, string>;
  /** Annotations of all pods. */
  readonly annotations?: Record<string, string>;
  /** Another id restarts all pods. */
  readonly restart?: { readonly id: string };
  /** Fields that are passed on. */
  readonly [field: string]: unknown;
}

/** A condition of a status. */
export interface Condition {
  /** What it is about. */
  readonly type: string;
  /** Whether it holds. */
  readonly status: "True" | "False" | "Unknown";
  /** Why, in one word. */
  readonly reason: string;
  /** Why, for a person. */
  readonly message: string;
  /** When the status changed last. */
  readonly lastTransitionTime: string;
  /** Generation of the object that it speaks of. */
  readonly observedGeneration?: number;
}

/** Counts of one component in a status. */
export interface ComponentCounts {
  /** Kind of the workload. */
  readonly componentKind: "Deployment";
  /** Names of the workloads. */
  readonly componentNames?: readonly string[];
  /** Pods. */
  readonly replicas: number;
  /** Pods of the newest template. */
  readonly updatedReplicas: number;
  /** Pods that are ready. */
  readonly readyReplicas: number;
  /** Pods that have been ready long enough. */
  readonly availableReplicas: number;
  /** Dynamo namespace in which the processes register. */
  readonly runtimeNamespace?: string;
}

/** Progress of a worker change. */
export interface RollingUpdate {
  /** How far it is. */
  readonly phase: "Pending" | "InProgress" | "Completed";
  /** When it began. */
  readonly startTime?: string;
  /** When it ended. */
  readonly endTime?: string;
  /** Components that are done (v1beta1). */
  readonly updatedComponents?: readonly string[];
  /** Services that are done (v1alpha1). */
  readonly updatedServices?: readonly string[];
}

/** Status of a graph. */
export interface GraphStatus {
  /** `pending`, `successful` or `failed`. */
  readonly state?: string;
  /** Condition Ready. */
  readonly conditions?: readonly Condition[];
  /** Generation that the status speaks of. */
  readonly observedGeneration?: number;
  /** Counts by component (v1beta1). */
  readonly components?: Record<string, ComponentCounts>;
  /** Counts by service (v1alpha1). */
  readonly services?: Record<string, ComponentCounts & { readonly componentName: string }>;
  /** The last change of workers. */
  readonly rollingUpdate?: RollingUpdate;
  /** The last restart asked for. */
  readonly restart?: { readonly observedID?: string; readonly phase?: string };
}

/** Status of a component. */
export interface ComponentStatus {
  /** Conditions Available and DynamoComponentReady. */
  readonly conditions?: readonly Condition[];
  /** Generation that the status speaks of. */
  readonly observedGeneration?: number;
  /** Counts (v1beta1). */
  readonly component?: ComponentCounts;
  /** Counts (v1alpha1). */
  readonly service?: ComponentCounts & { readonly componentName: string };
}

/** A DynamoGraphDeployment of either version. */
export interface Graph extends KubeObject {
  /** What is asked for. */
  spec?: GraphV1Alpha1Spec & GraphV1Beta1Spec;
  /** What is. */
  status?: GraphStatus;
}

/** A DynamoComponentDeployment of either version. */
export interface Component extends KubeObject {
  /** What is asked for. */
  spec: Partial<ComponentV1Alpha1Spec & ComponentV1Beta1Spec>;
  /** What is. */
  status?: ComponentStatus;
}

/** A Deployment, the parts that are read. */
export interface Deployment extends KubeObject {
  /** What is asked for. */
  spec: { replicas?: number; selector: Json; template: PodTemplate; strategy?: Json };
  /** What is. */
  status?: {
    /** Generation that the status speaks of. */
    observedGeneration?: number;
    /** Pods. */
    replicas?: number;
    /** Pods of the newest template. */
    updatedReplicas?: number;
    /** Pods that are ready. */
    readyReplicas?: number;
    /** Pods that have been ready long enough. */
    availableReplicas?: number;
    /** Conditions. */
    conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Namespace of a namespaced object. */
export function namespaceOf(object: { metadata: ObjectMeta }): string {
  return object.metadata.namespace ?? "default";
}
