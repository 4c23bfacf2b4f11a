/**
 * Argo CD's part for tests: its namespace and controller as objects, and a controller that
 * renders an Application's chart with real helm, applies it, and says how it went. Faithful in
 * what the platform reads: sync, health, operation, cascade, the repository's login.
 *
 * @module
 */
import { parseAll } from "@std/yaml";
import type { Context } from "../../lib/cli/context.ts";
import { messageOf } from "../../lib/cli/errors.ts";
import { connectKube } from "../../lib/kube/client.ts";
import { isCode } from "../../lib/kube/objects.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/kube/types.ts";
import { applicationDefinition } from "../support/argocd.ts";
import { readyPods } from "./ready_pods.ts";

/** Namespace of Argo CD in tests. */
export const ARGOCD = "argocd";

const APPLICATION = { apiVersion: "argoproj.io/v1alpha1", kind: "Application" } as const;
const FINALIZER = "resources-finalizer.argocd.argoproj.io";
const TRACKING = "argocd.argoproj.io/tracking-id";
const CONTROLLER: KubeObject = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: {
    name: "argocd-application-controller",
    namespace: ARGOCD,
    labels: { "app.kubernetes.io/name": "argocd-application-controller" },
  },
  spec: {
    serviceName: "argocd-application-controller",
    selector: { matchLabels: { "app.kubernetes.io/name": "argocd-application-controller" } },
    template: {
      metadata: { labels: { "app.kubernetes.io/name": "argocd-application-controller" } },
      spec: { containers: [{ name: "controller", image: "quay.io/argoproj/argocd:v2.14.21" }] },
    },
  },
};
/** Kinds that are pruned and deleted with an Application. */
const KINDS = [
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "v1", kind: "ServiceAccount" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role" },
  { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding" },
] as const;

/** A running stand-in. */
export interface ArgoCdPart {
  /** Names of Applications in the order in which they were synced for the first time. */
  readonly synced: readonly string[];
  /** Scales the controller to nothing. */
  pause(): Promise<void>;
  /** Brings it back. */
  resume(): Promise<void>;
  /** Takes the controller away, as an object and as what acts. */
  stop(): Promise<void>;
}

/** Starts it; the reason when its definition cannot be had. */
export async function startArgoCd(
  ctx: Context,
  admin: Kube,
  kubeconfig: string,
  helm: string,
): Promise<ArgoCdPart | { readonly reason: string }> {
  const definition = await applicationDefinition(ctx);
  if ("reason" in definition) return definition as { readonly reason: string };
  await admin.apply(definition);
  await admin.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: ARGOCD } });
  await admin.apply(CONTROLLER);
  const kube = await connectKube(ctx, { kubeconfig, fieldManager: "argocd-controller" });
  const stop = new AbortController();
  const synced: string[] = [];
  const parts = [
    readyPods(kube, ARGOCD, stop.signal),
    reconcileAll({ ctx, kube, helm, synced }, stop.signal),
  ];
  await until(async () => {
    const set = await kube.get(refOf(CONTROLLER));
    return set?.["status"]?.readyReplicas === 1 && await isServed(kube);
  });
  const scale = async (replicas: number) => {
    await kube.patch(refOf(CONTROLLER), "merge", { spec: { replicas } });
    await until(async () =>
      ((await kube.get(refOf(CONTROLLER)))?.["status"]?.readyReplicas ?? 0) === replicas
    );
  };
  return {
    synced,
    pause: () => scale(0),
    resume: () => scale(1),
    async stop() {
      stop.abort();
      await Promise.all(parts);
      await kube.delete(refOf(CONTROLLER), { propagation: "Background" });
      kube.close();
    },
  };
}

async function isServed(kube: Kube): Promise<boolean> {
  return await kube.raw("/apis/argoproj.io/v1alpha1").then(() => true, () => false);
}

interface Parts {
  readonly ctx: Context;
  readonly kube: Kube;
  readonly helm: string;
  readonly synced: string[];
}

async function reconcileAll(parts: Parts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { items } = await parts.kube.list(APPLICATION, { namespace: ARGOCD });
    for (const application of items) {
      await reconcile(parts, application).catch((error) => {
        // It changed or went meanwhile; the next round sees.
        if (!isCode(error, "KUBE_NOTFOUND", "KUBE_CONFLICT", "KUBE_INVALID")) throw error;
      });
    }
    await parts.ctx.clock.sleep(100, signal).catch(() => {});
  }
}

async function reconcile(parts: Parts, application: KubeObject): Promise<void> {
  const { kube } = parts;
  const ref = refOf(application);
  const { spec, metadata, status } = application;
  if (metadata.deletionTimestamp !== undefined) {
    if (!metadata.finalizers?.includes(FINALIZER)) return;
    await deleteObjects(kube, metadata.name, new Set());
    const finalizers = metadata.finalizers.filter((one) => one !== FINALIZER);
    await kube.patch(ref, "merge", { metadata: { finalizers } });
    return;
  }
  const isNew = JSON.stringify(status?.sync?.comparedTo?.source) !== JSON.stringify(spec.source);
  if (isNew && spec.syncPolicy?.automated) await sync(parts, application);
  const health = await healthOf(kube, metadata.name);
  const now = (await kube.get(ref))?.["status"];
  if (now?.sync?.status === "Synced" && now.health?.status !== health) {
    await kube.patch(ref, "merge", { status: { health: { status: health } } });
  }
}

async function sync(parts: Parts, application: KubeObject): Promise<void> {
  const { kube, synced } = parts;
  const { name } = application.metadata;
  const { source, destination } = application["spec"];
  const startedAt = new Date().toISOString();
  const say = (phase: string, message: string, syncStatus: string) =>
    // The whole status anew: a merge would keep values that are no longer asked for.
    kube.patch(refOf(application), "json", [{
      op: "add",
      path: "/status",
      value: {
        sync: { status: syncStatus, comparedTo: { source, destination } },
        health: { status: syncStatus === "Synced" ? "Progressing" : "Missing" },
        operationState: {
          phase,
          message,
          startedAt,
          finishedAt: startedAt,
          retryCount: phase === "Failed" ? 5 : 0,
          operation: { sync: { source, revision: source.targetRevision } },
        },
      },
    }]);
  try {
    const objects = await render(parts, application);
    const names = new Set<string>();
    for (const object of objects) {
      names.add(`${object.kind}/${object.metadata.name}`);
      const annotations = { ...object.metadata.annotations };
      annotations[TRACKING] = `${name}:${object.kind}/${object.metadata.name}`;
      const namespace = object.metadata.namespace ?? destination.namespace;
      await kube.apply({ ...object, metadata: { ...object.metadata, namespace, annotations } });
    }
    if (application["spec"].syncPolicy.automated.prune) await deleteObjects(kube, name, names);
    await say("Succeeded", "successfully synced", "Synced");
    if (!synced.includes(name)) synced.push(name);
  } catch (error) {
    if (isCode(error, "KUBE_UNREACHABLE")) throw error;
    await say("Failed", messageOf(error), "OutOfSync");
  }
}

async function render(parts: Parts, application: KubeObject): Promise<KubeObject[]> {
  const { ctx, kube, helm } = parts;
  const { source, destination } = application["spec"];
  const folder = await ctx.fs.makeTempDir({ prefix: "dynamo-eks-argocd-" });
  try {
    const values = `${folder}/values.json`;
    await Deno.writeTextFile(values, JSON.stringify(source.helm?.valuesObject ?? {}));
    const served = await kube.raw("/apis/nvidia.com/v1alpha1").then(() => true, () => false);
    const result = await ctx.processes.run(helm, [
      ...["template", source.helm?.releaseName ?? application.metadata.name, source.chart],
      ...["--repo", source.repoURL, "--version", source.targetRevision],
      ...["--namespace", destination.namespace, "--values", values],
      ...(served ? ["--api-versions", "nvidia.com/v1alpha1"] : []),
      ...await login(kube, source.repoURL),
    ]);
    if (result.code !== 0) throw new Error(result.stderr.trim());
    return (parseAll(result.stdout) as (KubeObject | null)[]).filter((one) => one !== null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** As Argo CD does it: the login is that of the Secret with the very same URL. */
async function login(kube: Kube, url: string): Promise<string[]> {
  const { items } = await kube.list({ apiVersion: "v1", kind: "Secret" }, {
    namespace: ARGOCD,
    labelSelector: "argocd.argoproj.io/secret-type=repository",
  });
  const read = (secret: KubeObject, key: string) => atob(secret["data"]?.[key] ?? "");
  const secret = items.find((one) => read(one, "url") === url && read(one, "type") === "helm");
  if (secret === undefined) return [];
  return ["--username", read(secret, "username"), "--password", read(secret, "password")];
}

async function objectsOf(kube: Kube, name: string): Promise<KubeObject[]> {
  const lists = await Promise.all(KINDS.map((kind) => kube.list(kind)));
  return lists.flatMap(({ items }) => items).filter(({ metadata }) =>
    metadata.annotations?.[TRACKING]?.startsWith(`${name}:`)
  );
}

async function deleteObjects(
  kube: Kube,
  name: string,
  except: ReadonlySet<string>,
): Promise<void> {
  for (const object of await objectsOf(kube, name)) {
    if (except.has(`${object.kind}/${object.metadata.name}`)) continue;
    await kube.delete(refOf(object), { propagation: "Background" });
  }
}

async function healthOf(kube: Kube, name: string): Promise<"Healthy" | "Progressing"> {
  const workloads = (await objectsOf(kube, name)).filter((one) => one["spec"]?.template);
  const isReady = ({ metadata, spec, status = {} }: KubeObject) =>
    status.observedGeneration === metadata.generation &&
    (status.updatedReplicas ?? 0) === (spec.replicas ?? 1) &&
    status.replicas === status.updatedReplicas && status.readyReplicas === status.replicas;
  return workloads.every(isReady) ? "Healthy" : "Progressing";
}

function refOf({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): ObjectRef {
  return { apiVersion, kind, name, namespace };
}

async function until(test: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!await test()) {
    if (performance.now() > end) throw new Error("Argo CD's part did not start in 30 s");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
