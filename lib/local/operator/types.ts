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
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: Json;
}

/** Port of a container. */
export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly protocol?: string;
}

/** Where a volume is seen in a container. */
export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
  readonly subPath?: string;
}

/** Requests and limits of a container. */
export interface ContainerResources {
  readonly requests?: Record<string, string | number>;
  readonly limits?: Record<string, string | number>;
  readonly claims?: readonly Json[];
}

/** A container; what is not listed is passed on. */
export interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly Json[];
  readonly ports?: readonly ContainerPort[];
  readonly resources?: ContainerResources;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly livenessProbe?: Json;
  readonly readinessProbe?: Json;
  readonly startupProbe?: Json;
  readonly workingDir?: string;
  readonly [field: string]: unknown;
}

/** A pod's spec; what is not listed is passed on. */
export interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly ({ readonly name: string } & Json)[];
  readonly imagePullSecrets?: readonly { readonly name?: string }[];
  readonly serviceAccountName?: string;
  readonly securityContext?: Json;
  readonly terminationGracePeriodSeconds?: number;
  readonly [field: string]: unknown;
}

/** Template of a pod. */
export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly spec?: PodSpec;
}

/** Requests or limits of v1alpha1, where everything is a string. */
export interface ResourceItem {
  readonly cpu?: string;
  readonly memory?: string;
  readonly gpu?: string;
  readonly gpuType?: string;
  readonly custom?: Record<string, string>;
}

/** A service of a v1alpha1 graph. */
export interface ServiceSpec {
  readonly componentType?: string;
  readonly subComponentType?: string;
  readonly dynamoNamespace?: string;
  readonly serviceName?: string;
  readonly replicas?: number;
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly resources?: {
    readonly requests?: ResourceItem;
    readonly limits?: ResourceItem;
    readonly claims?: readonly Json[];
  };
  readonly envs?: readonly EnvVar[];
  readonly envFromSecret?: string;
  readonly livenessProbe?: Json;
  readonly readinessProbe?: Json;
  readonly pvc?: {
    readonly name?: string;
    readonly create?: boolean;
    readonly mountPoint?: string;
    readonly size?: string | number;
    readonly storageClass?: string;
    readonly volumeAccessMode?: string;
  };
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPoint?: string;
    readonly useAsCompilationCache?: boolean;
  }[];
  readonly sharedMemory?: { readonly disabled?: boolean; readonly size?: string | number };
  readonly multinode?: { readonly nodeCount?: number };
  readonly ingress?: Json;
  readonly extraPodMetadata?: {
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly extraPodSpec?: PodSpec & { readonly mainContainer?: Container };
  readonly scalingAdapter?: { readonly enabled?: boolean };
  readonly globalDynamoNamespace?: boolean;
  readonly runtimeVersionOverride?: string;
  readonly [field: string]: unknown;
}

/** Spec of a v1alpha1 DynamoComponentDeployment. */
export interface ComponentV1Alpha1Spec extends ServiceSpec {
  readonly backendFramework?: string;
}

/** A persistent volume claim of a v1alpha1 graph. */
export interface GraphPvc {
  readonly name: string;
  readonly create?: boolean;
  readonly size?: string | number;
  readonly storageClass?: string;
  readonly volumeAccessMode?: string;
}

/** Spec of a v1alpha1 DynamoGraphDeployment. */
export interface GraphV1Alpha1Spec {
  readonly backendFramework?: string;
  readonly envs?: readonly EnvVar[];
  readonly services?: Record<string, ServiceSpec>;
  readonly pvcs?: readonly GraphPvc[];
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly restart?: { readonly id: string };
  readonly [field: string]: unknown;
}

/** A component of a v1beta1 graph. */
export interface ComponentSpec {
  readonly name: string;
  readonly type?: string;
  readonly replicas?: number;
  readonly minAvailable?: number;
  readonly podTemplate?: PodTemplate;
  readonly multinode?: { readonly nodeCount?: number };
  readonly sharedMemorySize?: string | number;
  readonly compilationCache?: { readonly pvcName: string; readonly mountPath?: string };
  readonly scalingAdapter?: Json;
  readonly globalDynamoNamespace?: boolean;
  readonly runtimeVersionOverride?: string;
  readonly [field: string]: unknown;
}

/** Spec of a v1beta1 DynamoComponentDeployment. */
export interface ComponentV1Beta1Spec extends ComponentSpec {
  readonly backendFramework?: string;
}

/** Spec of a v1beta1 DynamoGraphDeployment. */
export interface GraphV1Beta1Spec {
  readonly backendFramework?: string;
  readonly components?: readonly ComponentSpec[];
  readonly env?: readonly EnvVar[];
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly restart?: { readonly id: string };
  readonly [field: string]: unknown;
}

/** A condition of a status. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

/** Counts of one component in a status. */
export interface ComponentCounts {
  readonly componentKind: "Deployment";
  readonly componentNames?: readonly string[];
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly runtimeNamespace?: string;
}

/** Progress of a worker change. */
export interface RollingUpdate {
  readonly phase: "Pending" | "InProgress" | "Completed";
  readonly startTime?: string;
  readonly endTime?: string;
  readonly updatedComponents?: readonly string[];
  readonly updatedServices?: readonly string[];
}

/** Status of a graph. */
export interface GraphStatus {
  readonly state?: string;
  readonly conditions?: readonly Condition[];
  readonly observedGeneration?: number;
  readonly components?: Record<string, ComponentCounts>;
  readonly services?: Record<string, ComponentCounts & { readonly componentName: string }>;
  readonly rollingUpdate?: RollingUpdate;
  readonly restart?: { readonly observedID?: string; readonly phase?: string };
}

/** Status of a component. */
export interface ComponentStatus {
  readonly conditions?: readonly Condition[];
  readonly observedGeneration?: number;
  readonly component?: ComponentCounts;
  readonly service?: ComponentCounts & { readonly componentName: string };
}

/** A DynamoGraphDeployment of either version. */
export interface Graph extends KubeObject {
  spec?: GraphV1Alpha1Spec & GraphV1Beta1Spec;
  status?: GraphStatus;
}

/** A DynamoComponentDeployment of either version. */
export interface Component extends KubeObject {
  spec: Partial<ComponentV1Alpha1Spec & ComponentV1Beta1Spec>;
  status?: ComponentStatus;
}

/** A Deployment, the parts that are read. */
export interface Deployment extends KubeObject {
  spec: { replicas?: number; selector: Json; template: PodTemplate; strategy?: Json };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Namespace of a namespaced object. */
export function namespaceOf(object: { metadata: ObjectMeta }): string {
  return object.metadata.namespace ?? "default";
}
