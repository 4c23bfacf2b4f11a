/**
 * Specs of Dynamo's resources in both versions, the parts that are read and written.
 *
 * @module
 */
import type { Container, EnvVar, Json, PodSpec, PodTemplate } from "./pod_types.ts";

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
