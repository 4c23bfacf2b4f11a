/**
 * The objects of a benchmark that runs in the cluster: a Job, the ConfigMaps with its code and
 * what it is to do, and a Secret where the endpoint wants one. Pure.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { KubeObject, OwnerReference } from "../../kube/types.ts";
import { JOB_ENV } from "./job_file.ts";
import { JOB_PROGRAM } from "./source_files.ts";

/**
 * Image of the pod: Deno and nothing else, of the version that this project is run with. Tags
 * `denoland/deno:<version>` are published with each release of Deno, for amd64 and arm64, on Docker
 * Hub and as `ghcr.io/denoland/deno` (https://github.com/denoland/deno_docker).
 */
export const CLIENT_IMAGE = "denoland/deno:2.9.6";

/** Labels by which jobs of a graph are found; all that is ours carries the first. */
export const JOB_LABELS = {
  managedBy: ["app.kubernetes.io/managed-by", "dynamo-eks"],
  component: ["app.kubernetes.io/component", "bench-client"],
  graph: "dynamo-eks/bench-of",
} as const;

/** Port on the pod's loopback where blocks are asked for. */
export const CONTROL_PORT = 9471;
/** Port on the pod's loopback of the mock without delay. */
export const MOCK_PORT = 9472;

/** What the objects are about. */
export interface JobObjectsOptions {
  /** Name of the Job and beginning of the others' names; a DNS label. */
  readonly name: string;
  /** Namespace of the graph. */
  readonly namespace: string;
  /** Name of the graph. */
  readonly graph: string;
  /** Image with `deno` on its PATH. */
  readonly image: string;
  /** URL of the endpoint inside the cluster. */
  readonly url: string;
  /** Source files by path. */
  readonly sources: ReadonlyMap<string, string>;
  /** What the pod is to do, as `encodeJob` wrote it. */
  readonly job: Uint8Array;
  /** Secret environment variables by name; none for most endpoints. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Seconds that the pod may take once it was started. */
  readonly deadlineSeconds: number;
}

/** The objects, in the order in which they are made. */
export interface JobObjects {
  /** The Job, suspended: it owns the others, so it comes first, and is started when they are there. */
  readonly job: KubeObject;
  /** What it owns. */
  readonly owned: (owner: OwnerReference) => KubeObject[];
}

// The API server takes 1 MiB of data in a ConfigMap.
const MOST_BYTES = 900_000;
const CODE = "/bench/code";
const TOLD = "/bench/job";
const CACHE = "/bench/cache";
// User `deno` of the public image; any other one that is not root would do.
const USER = 1993;
// Results stay readable for so long when nobody is there to take the Job away.
const KEEP_SECONDS = 3600;

/** Makes the objects. */
export function jobObjects(options: JobObjectsOptions): JobObjects {
  const code = pack([...options.sources].map(([path, text]) => ({ path, data: bytes(text) })));
  const told = pack(
    cut(options.job).map((data, part) => ({ path: String(part), data })),
  );
  const codeNames = code.map((_, i) => `${options.name}-code-${i}`);
  const toldNames = told.map((_, i) => `${options.name}-job-${i}`);
  const secret = `${options.name}-env`;
  const hasSecret = Object.keys(options.secrets).length > 0;
  return {
    job: {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: metadata(options, options.name),
      spec: {
        suspend: true,
        backoffLimit: 0,
        activeDeadlineSeconds: options.deadlineSeconds,
        ttlSecondsAfterFinished: KEEP_SECONDS,
        template: {
          metadata: { labels: labelsOf(options) },
          spec: podSpec(options, {
            secret: hasSecret ? secret : undefined,
            volumes: [
              { name: "code", projected: { sources: sources(codeNames, code) } },
              { name: "job", projected: { sources: sources(toldNames, told) } },
              { name: "cache", emptyDir: {} },
            ],
          }),
        },
      },
    },
    owned: (owner) => {
      const own = (name: string) => ({ ...metadata(options, name), ownerReferences: [owner] });
      return [
        ...code.map((files, i) => ({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: own(codeNames[i]!),
          data: Object.fromEntries(files.map((file) => [keyOf(file.path), text(file.data)])),
        })),
        ...told.map((files, i) => ({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: own(toldNames[i]!),
          binaryData: Object.fromEntries(
            files.map((file) => [keyOf(file.path), Buffer.from(file.data).toString("base64")]),
          ),
        })),
        ...(hasSecret
          ? [{
            apiVersion: "v1",
            kind: "Secret",
            metadata: own(secret),
            type: "Opaque",
            stringData: { ...options.secrets },
          }]
          : []),
      ];
    },
  };
}

interface PodParts {
  readonly secret: string | undefined;
  readonly volumes: readonly unknown[];
}

function podSpec(options: JobObjectsOptions, { secret, volumes }: PodParts) {
  const env = {
    [JOB_ENV.url]: options.url,
    [JOB_ENV.folder]: TOLD,
    [JOB_ENV.controlPort]: String(CONTROL_PORT),
    [JOB_ENV.mockPort]: String(MOCK_PORT),
    DENO_DIR: CACHE,
    NO_COLOR: "1",
  };
  return {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 5,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [{
      name: "client",
      image: options.image,
      command: ["deno", "run", ...DENO_FLAGS, `${CODE}/${JOB_PROGRAM}`],
      env: Object.entries(env).map(([name, value]) => ({ name, value })),
      ...(secret === undefined ? {} : { envFrom: [{ secretRef: { name: secret } }] }),
      ports: [
        { name: "control", containerPort: CONTROL_PORT },
        { name: "mock", containerPort: MOCK_PORT },
      ],
      // Whole cores of its own, or the client is what is measured.
      resources: { requests: { cpu: "2", memory: "512Mi" }, limits: { memory: "2Gi" } },
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      volumeMounts: [
        { name: "code", mountPath: CODE, readOnly: true },
        { name: "job", mountPath: TOLD, readOnly: true },
        { name: "cache", mountPath: CACHE },
      ],
    }],
    volumes,
  };
}

const DENO_FLAGS = [
  "--quiet",
  "--no-prompt",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--no-check",
  "--allow-net",
  "--allow-env",
  "--allow-sys",
  "--allow-read",
];

function labelsOf({ graph }: JobObjectsOptions): Record<string, string> {
  const { managedBy, component } = JOB_LABELS;
  return {
    [managedBy[0]]: managedBy[1],
    [component[0]]: component[1],
    [JOB_LABELS.graph]: graph,
  };
}

function metadata(options: JobObjectsOptions, name: string) {
  return { name, namespace: options.namespace, labels: labelsOf(options) };
}

interface File {
  readonly path: string;
  readonly data: Uint8Array;
}

/** Files in groups that fit into a ConfigMap each. */
function pack(files: readonly File[]): File[][] {
  const groups: File[][] = [[]];
  let size = 0;
  for (const file of files) {
    const own = file.data.length + file.path.length;
    if (size + own > MOST_BYTES && groups.at(-1)!.length > 0) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)!.push(file);
    size += own;
  }
  return groups;
}

function cut(data: Uint8Array): Uint8Array[] {
  const count = Math.max(1, Math.ceil(data.length / (MOST_BYTES - 100)));
  const size = Math.ceil(data.length / count);
  return Array.from({ length: count }, (_, i) => data.subarray(i * size, (i + 1) * size));
}

function sources(names: readonly string[], groups: readonly File[][]) {
  return groups.map((files, i) => ({
    configMap: {
      name: names[i]!,
      items: files.map(({ path }) => ({ key: keyOf(path), path })),
    },
  }));
}

// Keys hold no slashes.
function keyOf(path: string): string {
  return path.replaceAll("/", "..");
}

function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}
