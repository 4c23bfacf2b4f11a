/**
 * What tests of a cleanup on EKS need: things of the cluster inside it and around it, those of
 * others, the controllers' part, copies of terraform's work folder, and what terraform did when.
 *
 * @module
 */
import assert from "node:assert/strict";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import type { AwsSession } from "../../lib/aws/session.ts";
import { NODE_KINDS } from "../../lib/cleanup/holdings.ts";
import type { Context } from "../../lib/cli/context.ts";
import { loadExample } from "../../lib/graph/examples.ts";
import { renderGraph } from "../../lib/graph/render.ts";
import type { Kube, KubeObject } from "../../lib/kube/types.ts";
import { karpenterDefinitions, playKarpenter, TERMINATION } from "../integration/karpenter.ts";

const OURS = { "app.kubernetes.io/managed-by": "dynamo-eks" };
const SERVICE_FINALIZER = "service.k8s.aws/resources";
const GRAPH = "hello-world";

/** Makes a graph, a load balancer's Service, a claim with its disk, and nodes of Karpenter. */
export async function plantInside(ctx: Context, kube: Kube, namespace: string): Promise<void> {
  for (const definition of karpenterDefinitions()) await kube.apply(definition);
  const graph = await loadExample(ctx, GRAPH);
  const objects: KubeObject[] = [
    ...renderGraph(graph, resolveRelease("0.4.1"), { namespace, name: GRAPH }),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: "web",
        namespace: "default",
        labels: OURS,
        finalizers: [SERVICE_FINALIZER],
      },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    },
    {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: "pvc-of-models" },
      spec: {
        ...CLAIM_SPEC,
        capacity: { storage: "1Gi" },
        csi: { driver: "ebs.csi.aws.com", volumeHandle: "vol-of-models" },
        persistentVolumeReclaimPolicy: "Delete",
        claimRef: { namespace: "default", name: "models" },
      },
    },
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "models", namespace: "default", labels: OURS },
      spec: {
        ...CLAIM_SPEC,
        volumeName: "pvc-of-models",
        resources: { requests: { storage: "1Gi" } },
      },
    },
  ];
  for (const object of objects) await kube.apply(object);
  const nodes: KubeObject[] = [
    {
      ...NODE_KINDS.class,
      metadata: { name: "g6", labels: OURS, finalizers: ["karpenter.k8s.aws/termination"] },
      spec: {},
    },
    { ...NODE_KINDS.pool, metadata: { name: "g6", labels: OURS, finalizers: [TERMINATION] } },
    {
      ...NODE_KINDS.claim,
      metadata: {
        name: "g6-1",
        labels: { "karpenter.sh/nodepool": "g6" },
        finalizers: [TERMINATION],
      },
      spec: { nodeClassRef: { name: "g6" } },
    },
  ];
  for (const object of nodes) await eventually(() => kube.apply(object));
}

const CLAIM_SPEC = { accessModes: ["ReadWriteOnce"], storageClassName: "gp3" };

/** Plays Karpenter, the load balancer controller and the driver of disks until the signal. */
export async function playControllers(
  kube: Kube,
  aws: AwsSession,
  cluster: string,
  signal: AbortSignal,
): Promise<void> {
  const karpenter = playKarpenter(kube, signal);
  while (!signal.aborted) {
    const [services, volumes] = await Promise.all([
      kube.list({ apiVersion: "v1", kind: "Service" }),
      kube.list({ apiVersion: "v1", kind: "PersistentVolume" }),
    ]);
    for (const { metadata } of services.items) {
      if (metadata.deletionTimestamp === undefined) continue;
      await deleteBalancers(aws, cluster);
      const { name, namespace } = metadata;
      const ref = { apiVersion: "v1", kind: "Service", name, namespace };
      await kube.patch(ref, "merge", { metadata: { finalizers: null } }).catch(unlessGone);
    }
    for (const { metadata: { name }, status } of volumes.items) {
      if (status?.phase !== "Released") continue;
      await kube.delete({ apiVersion: "v1", kind: "PersistentVolume", name });
    }
    await pause(100);
  }
  await karpenter;
}

function unlessGone(error: Error & { readonly code?: string }): void {
  if (error.code !== "KUBE_NOTFOUND") throw error;
}

async function deleteBalancers(aws: AwsSession, cluster: string): Promise<void> {
  const elb = await aws.elb();
  const { LoadBalancers = [] } = await elb.describeLoadBalancers({});
  for (const { LoadBalancerArn, LoadBalancerName } of LoadBalancers) {
    if (LoadBalancerName === `lb-${cluster}`) await elb.deleteLoadBalancer({ LoadBalancerArn });
  }
}

/** A copy of files and folders, to be put back. */
export interface Snapshot {
  /** Puts everything back as it was. */
  restore(): Promise<void>;
}

/** Copies them into a folder. */
export async function snapshot(paths: readonly string[], copies: string): Promise<Snapshot> {
  await Deno.mkdir(copies);
  const copy = async (from: string, to: string) => {
    const { success } = await new Deno.Command("cp", { args: ["-a", from, to] }).output();
    assert.ok(success, `cp ${from} ${to}`);
  };
  for (const [index, path] of paths.entries()) await copy(path, `${copies}/${index}`);
  return {
    async restore() {
      for (const [index, path] of paths.entries()) {
        await Deno.remove(path, { recursive: true }).catch(() => {});
        await copy(`${copies}/${index}`, path);
      }
    },
  };
}

/**
 * Makes terraform's state agree with the endpoint: the stub of the provider invents an address for
 * the cluster's API server, by which a cleanup tells whether it is the same cluster.
 */
export async function alignEndpoint(folder: string, url: string): Promise<void> {
  const file = `${folder}/terraform.tfstate`;
  const text = await Deno.readTextFile(file);
  const invented = /https:\/\/[0-9A-F]{32}\.gr7\.[\w-]+\.eks\.amazonaws\.com/g;
  assert.match(text, invented, "the state has a cluster");
  await Deno.writeTextFile(file, text.replaceAll(invented, url));
}

// Some inside the cluster, the cluster, some of the network.
const FEW =
  /^(helm_release\.karpenter|kubectl_manifest\.node_(pool|class)|module\.(eks|karpenter)\.\S+|aws_(subnet|route_table_association)\.pods)$/;

/** Leaves a few resources of each class in terraform's state, which so goes sooner. */
export async function thinState(folder: string): Promise<void> {
  const file = `${folder}/terraform.tfstate`;
  const state = JSON.parse(await Deno.readTextFile(file));
  const resources: { module?: string; type: string; name: string }[] = state.resources;
  const few = resources.filter(({ module, type, name }) =>
    FEW.test([module, type, name].filter(Boolean).join("."))
  );
  await Deno.writeTextFile(file, JSON.stringify({ ...state, resources: few }));
}

/** Something that a stub provider deleted. */
export interface Deletion {
  /** `helm_release karpenter`, `kubectl_manifest NodePool/g6`, `aws_subnet …`. */
  readonly what: string;
  /** Milliseconds since the epoch. */
  readonly start: number;
  /** Milliseconds since the epoch. */
  readonly end: number;
}

/** Reads TFSTUB_LOG; empty when no provider has written to it. */
export async function deletionsIn(log: string): Promise<Deletion[]> {
  const text = await Deno.readTextFile(log).catch(() => "");
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
    .filter(({ op, failed }) => op === "delete" && failed !== true)
    .map(({ type, attrs, start, end }) => {
      const { kind, name = "" } = attrs;
      return {
        what: `${type} ${kind === undefined ? name : `${kind}/${name}`}`,
        start: Date.parse(start),
        end: Date.parse(end),
      };
    });
}

/** Fails unless all of the first were gone before any of the others went; there have to be some. */
export function requireOrder(deletions: readonly Deletion[], first: RegExp, then: RegExp): void {
  const before = deletions.filter(({ what }) => first.test(what));
  const after = deletions.filter(({ what }) => then.test(what));
  const all = deletions.map(({ what }) => what).join("\n");
  assert.ok(before.length > 0 && after.length > 0, `${first} and ${then} in\n${all}`);
  const last = Math.max(...before.map(({ end }) => end));
  const next = Math.min(...after.map(({ start }) => start));
  assert.ok(last <= next, `${first} before ${then}: ${last} ${next}\n${all}`);
}

async function eventually(act: () => Promise<unknown>): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      await act();
      return;
    } catch (error) {
      // A definition is served some time after it was made.
      if (tries >= 50) throw error;
    }
    await pause(100);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
