/**
 * The objects of a download: a Job, a ConfigMap with its program, and the claim. Pure.
 *
 * @module
 */
import type { KubeObject, OwnerReference } from "../../kube/types.ts";
import { jobName, PREFETCH_LABELS, type PrefetchSpec, SPEC_ANNOTATION } from "./names.ts";

/** Name of the pod's container. */
export const DOWNLOAD_CONTAINER = "download";

/** Exit code of the program when trying again cannot help. */
const FINAL_EXIT = 3;
const PROGRAM = "download_model.py";
const CODE = "/prefetch";
const CACHE = "/cache";
// Evictions and lost nodes do not count; what counts is a program that gave up its own tries.
const MOST_PODS = 4;
// The Job is the only record of a download that nobody waited for.
const KEEP_SECONDS = 30 * 24 * 3600;

/** What the Job is about. */
export interface PrefetchJobOptions {
  /** Namespace. */
  readonly namespace: string;
  /** The files, and where they go. */
  readonly spec: PrefetchSpec;
  /** Texts of the program's files by name. */
  readonly program: Readonly<Record<string, string>>;
  /** Image with Python and huggingface_hub. */
  readonly image: string;
  /** Downloads at the same time. */
  readonly concurrency: number;
  /** Whether the checksums of what is there are looked at. */
  readonly verify: boolean;
  /** Secret with `HF_TOKEN`, where it is there. */
  readonly tokenSecret: string;
  /** Another hub than Hugging Face's own. */
  readonly endpoint?: string | undefined;
  /** Memory that the pod asks for. */
  readonly memory: string;
  /** Seconds after which the Job is ended. */
  readonly deadlineSeconds: number;
  /** Karpenter node pool; any node without taints unless given. */
  readonly nodePool?: string | undefined;
}

/** The objects, in the order in which they are made. */
export interface PrefetchObjects {
  /** The Job, suspended: it owns the ConfigMap, so it comes first. */
  readonly job: KubeObject;
  /** The program. */
  readonly program: (owner: OwnerReference) => KubeObject;
}

/** Makes the Job and what it needs. */
export function prefetchObjects(options: PrefetchJobOptions): PrefetchObjects {
  const { namespace, spec } = options;
  const name = jobName(spec);
  return {
    job: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name,
        namespace,
        labels: { ...PREFETCH_LABELS },
        annotations: { [SPEC_ANNOTATION]: JSON.stringify(spec) },
      },
      spec: {
        suspend: true,
        backoffLimit: MOST_PODS,
        activeDeadlineSeconds: options.deadlineSeconds,
        ttlSecondsAfterFinished: KEEP_SECONDS,
        podFailurePolicy: {
          rules: [
            {
              action: "FailJob",
              onExitCodes: {
                containerName: DOWNLOAD_CONTAINER,
                operator: "In",
                values: [FINAL_EXIT],
              },
            },
            {
              action: "Ignore",
              onPodConditions: [{ type: "DisruptionTarget", status: "True" }],
            },
          ],
        },
        template: {
          metadata: { labels: { ...PREFETCH_LABELS } },
          spec: podSpec(options, name),
        },
      },
    },
    program: (owner) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name,
        namespace,
        labels: { ...PREFETCH_LABELS },
        ownerReferences: [owner],
      },
      data: { ...options.program },
    }),
  };
}

function podSpec(options: PrefetchJobOptions, name: string) {
  const { spec, endpoint, nodePool, memory } = options;
  return {
    // Each try in a pod of its own, whose log stays.
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 5,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { seccompProfile: { type: "RuntimeDefault" } },
    ...(nodePool === undefined ? {} : { nodeSelector: { "karpenter.sh/nodepool": nodePool } }),
    ...(nodePool === undefined
      ? {}
      : { tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }] }),
    containers: [{
      name: DOWNLOAD_CONTAINER,
      image: options.image,
      command: ["python3", `${CODE}/${PROGRAM}`],
      args: programArgs(options),
      env: [
        { name: "HF_HOME", value: CACHE },
        { name: "PYTHONUNBUFFERED", value: "1" },
        ...(endpoint === undefined ? [] : [{ name: "HF_ENDPOINT", value: endpoint }]),
        {
          name: "HF_TOKEN",
          valueFrom: {
            secretKeyRef: { name: options.tokenSecret, key: "HF_TOKEN", optional: true },
          },
        },
      ],
      terminationMessagePolicy: "FallbackToLogsOnError",
      resources: {
        requests: { cpu: "1", memory },
        limits: { memory: doubled(memory) },
      },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
      },
      volumeMounts: [
        { name: "code", mountPath: CODE, readOnly: true },
        { name: "cache", mountPath: CACHE },
      ],
    }],
    volumes: [
      { name: "code", configMap: { name } },
      { name: "cache", persistentVolumeClaim: { claimName: spec.claim } },
    ],
  };
}

function programArgs({ spec, concurrency, verify }: PrefetchJobOptions): string[] {
  return [
    `--model=${spec.model}`,
    `--revision=${spec.revision}`,
    `--concurrency=${concurrency}`,
    ...spec.include.map((pattern) => `--include=${literal(pattern)}`),
    ...spec.exclude.map((pattern) => `--exclude=${literal(pattern)}`),
    ...(verify ? ["--verify"] : []),
  ];
}

// Kubernetes reads $(NAME) in arguments as a variable.
function literal(text: string): string {
  return text.replaceAll("$", "$$$$");
}

// Pages of files count until they are written; the kernel gives them back before it kills.
function doubled(memory: string): string {
  return `${parseInt(memory) * 2}Mi`;
}

/** Which claim to make. */
export interface CacheClaimOptions {
  /** Namespace. */
  readonly namespace: string;
  /** Name. */
  readonly name: string;
  /** Size, as a quantity. */
  readonly size: string;
  /** Storage class. */
  readonly storageClass: string;
}

/** A claim for models that all nodes may mount. */
export function cacheClaim(options: CacheClaimOptions): KubeObject {
  const { namespace, name, size, storageClass } = options;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name,
      namespace,
      // By this name cleanup knows claims with models, and leaves them unless told.
      labels: { ...PREFETCH_LABELS, "app.kubernetes.io/name": name },
    },
    spec: {
      accessModes: ["ReadWriteMany"],
      storageClassName: storageClass,
      resources: { requests: { storage: size } },
    },
  };
}
