/**
 * Where a run was measured: content of `environment.json`, and what of it is in the summary.
 *
 * @module
 */

/** A component of the graph. */
export interface ComponentEnvironment {
  /** Name in the graph. */
  readonly name: string;
  /** frontend, worker, prefill, decode, …; null when the graph says none. */
  readonly type: string | null;
  /** Replicas asked for. */
  readonly replicas: number;
  /** Image of the main container. */
  readonly image: string | null;
  /** Its command and arguments, secrets taken out. */
  readonly args: readonly string[];
}

/** A node that pods of the graph run on. */
export interface NodeEnvironment {
  /** Name. */
  readonly name: string;
  /** EC2 instance type; null where the node does not say. */
  readonly instance_type: string | null;
  /** `spot`, `on-demand`, `reserved`; null where the node does not say. */
  readonly capacity_type: string | null;
  /** Region; null where the node does not say. */
  readonly region: string | null;
  /** GPUs of the node. */
  readonly gpus: number;
  /** GPUs that the graph's pods hold. */
  readonly gpus_used: number;
  /** GPU product, as feature discovery names it; null where the node does not say. */
  readonly gpu_product: string | null;
  /** Version of the kubelet. */
  readonly kubelet: string | null;
}

/** What was measured, of a graph in a cluster. */
export interface ClusterEnvironment {
  /** local, eks or context. */
  readonly target: string;
  /** Kubernetes version of the API server. */
  readonly kubernetes: string;
  /** Dynamo release, without `v`. */
  readonly dynamo: string;
  /** Image of Dynamo's operator; null when none is in the graph's namespace. */
  readonly operator: string | null;
  /** The graph. */
  readonly graph: {
    /** Its name. */
    readonly name: string;
    /** Its namespace. */
    readonly namespace: string;
    /** Its kind. */
    readonly kind: string;
    /** API version that it was read in. */
    readonly api_version: string;
    /** Its components. */
    readonly components: readonly ComponentEnvironment[];
  };
  /** Nodes that its pods run on. */
  readonly nodes: readonly NodeEnvironment[];
  /** Whether nodes, GPUs and engines are simulated (the embedded cluster). */
  readonly simulated: boolean;
}

/** The machine that the load came from. */
export interface ClientEnvironment {
  /** Version of this project, or null where its changelog has none. */
  readonly version: string | null;
  /** Commit of the checkout; null when it is none. */
  readonly commit: string | null;
  /** Deno. */
  readonly deno: string;
  /** Operating system and its release. */
  readonly os: string;
  /** Architecture. */
  readonly arch: string;
  /** Model of the CPU; null when the system does not say. */
  readonly cpu: string | null;
  /** Cores that the process may use. */
  readonly cpus: number;
  /** Memory in bytes. */
  readonly memory_bytes: number;
}

/** Content of `environment.json`. */
export interface BenchEnvironment {
  /** Version of this format. */
  readonly schema: "dynamo-eks/bench-environment/v1";
  /** When it was read, ISO 8601. */
  readonly date: string;
  /** Where the load came from. */
  readonly client: ClientEnvironment;
  /** Base URL that was measured; null for a graph. */
  readonly url: string | null;
  /** The cluster; null for a URL. */
  readonly cluster: ClusterEnvironment | null;
}

/** The environment in short. Part of `summary.json`. */
export interface EnvironmentSummary {
  /** Commit of the checkout. */
  readonly commit: string | null;
  /** Deno. */
  readonly deno: string;
  /** The client's machine: `linux x86_64, 2 × Intel(R) Xeon(R)`. */
  readonly client: string;
  /** local, eks or context; null for a URL. */
  readonly target: string | null;
  /** Kubernetes version. */
  readonly kubernetes: string | null;
  /** Dynamo release. */
  readonly dynamo: string | null;
  /** `namespace/name`. */
  readonly graph: string | null;
  /** `VllmDecodeWorker × 2`, … */
  readonly components: readonly string[];
  /** `1 × g5.12xlarge`, … */
  readonly nodes: readonly string[];
  /** Whether nodes, GPUs and engines are simulated. */
  readonly simulated: boolean;
}

/** The environment in short. */
export function environmentSummary(
  { client, cluster }: BenchEnvironment,
): EnvironmentSummary {
  const types = new Map<string, number>();
  for (const { instance_type: type, name } of cluster?.nodes ?? []) {
    types.set(type ?? name, (types.get(type ?? name) ?? 0) + 1);
  }
  return {
    commit: client.commit,
    deno: client.deno,
    client: `${client.os} ${client.arch}, ${
      client.cpu === null ? `${client.cpus} CPUs` : `${client.cpus} × ${client.cpu}`
    }`,
    target: cluster?.target ?? null,
    kubernetes: cluster?.kubernetes ?? null,
    dynamo: cluster?.dynamo ?? null,
    graph: cluster === null ? null : `${cluster.graph.namespace}/${cluster.graph.name}`,
    components: cluster?.graph.components.map(({ name, replicas }) => `${name} × ${replicas}`) ??
      [],
    nodes: [...types].map(([type, count]) => `${count} × ${type}`),
    simulated: cluster?.simulated ?? false,
  };
}

const SECRET_FLAG = /^--?[\w-]*(token|secret|password|passwd|api-?key|credential)[\w-]*$/i;
const SECRET_PAIR =
  /((?:token|secret|password|passwd|api[-_]?key|credential)[\w-]*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s"',;&}]+)/gi;
// Keys by their form, whatever flag they stand behind.
const SECRET_WORD =
  /\b(hf_\w{8,}|sk-[\w-]{8,}|nvapi-[\w-]{8,}|gh[pousr]_\w{8,}|AKIA[A-Z0-9]{12,})/g;

/** Arguments without the secrets that may stand in them: after flags like `--hf-token`, and keys by their form. */
export function redactArgs(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    // max-tokens and the like are numbers, and no secrets.
    if (i > 0 && SECRET_FLAG.test(args[i - 1]!) && !/^(-|\d+$)/.test(arg)) return "***";
    return arg
      .replace(
        SECRET_PAIR,
        (pair, start: string, value: string) =>
          /^["']?\d+["']?$/.test(value) ? pair : `${start}***`,
      )
      .replace(/(\/\/)[^\s/@]+@/g, "$1***@")
      .replace(SECRET_WORD, "***");
  });
}
