/**
 * Core types of Kubernetes, the parts that the controller reads and writes.
 *
 * @module
 */

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
