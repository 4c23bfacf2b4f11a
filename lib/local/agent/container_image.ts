/**
 * The image table: what a container image stands for on the embedded cluster.
 *
 * @module
 */

/** What an image is, as far as the node agent can run it. */
export type ImageKind =
  /** Dynamo's Python code: frontend, engine workers, mocker, planner. */
  | "dynamo"
  /** Dynamo's Kubernetes operator. */
  | "operator"
  | "etcd"
  | "nats"
  /** A Deno program that the pod brings along: the load generator of a benchmark. */
  | "deno"
  /** Anything else: not run. */
  | "other";

/** An image reference as the node agent understands it. */
export interface ContainerImage {
  /** What the image is. */
  readonly kind: ImageKind;
  /** Last part of the repository: `vllm-runtime`. */
  readonly name: string;
  /** Empty when there is none. */
  readonly tag: string;
  /** Dynamo's version in the tag, `1.5.0` of `v1.5.0-cuda13`; undefined for other tags and images. */
  readonly version?: string;
}

const KINDS: Readonly<Record<string, ImageKind>> = {
  "vllm-runtime": "dynamo",
  "sglang-runtime": "dynamo",
  "tensorrtllm-runtime": "dynamo",
  "trtllm-runtime": "dynamo",
  "dynamo-frontend": "dynamo",
  "dynamo-planner": "dynamo",
  "dynamo-mocker": "dynamo",
  "dynamo": "dynamo",
  "kubernetes-operator": "operator",
  "etcd": "etcd",
  "nats": "nats",
  "nats-server": "nats",
  "deno": "deno",
};

/** Looks an image reference up. Any text is accepted: what is not known is `other`. */
export function containerImage(reference: string): ContainerImage {
  const [withoutDigest = ""] = reference.split("@");
  const last = withoutDigest.slice(withoutDigest.lastIndexOf("/") + 1);
  const [name = "", tag = ""] = last.split(":");
  const kind = KINDS[name] ?? "other";
  const version = kind === "dynamo" || kind === "operator"
    ? /^v?(\d+\.\d+\.\d+)/.exec(tag)?.[1]
    : undefined;
  return { kind, name, tag, ...(version === undefined ? {} : { version }) };
}

/** Whether two releases are the same up to a post number: `0.9.0` and `0.9.0-post1` are. */
export function sameRelease(a: string, b: string): boolean {
  const core = (version: string) => /^v?(\d+\.\d+\.\d+)/.exec(version)?.[1];
  return core(a) !== undefined && core(a) === core(b);
}

/** Whether a version is at least `major.minor`; unknown forms count as old. */
export function versionAtLeast(version: string, major: number, minor: number): boolean {
  const [, a, b] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return a !== undefined && (Number(a) > major || (Number(a) === major && Number(b) >= minor));
}
