/**
 * What makes removals hang or come to nothing, planted on a cluster; and the parts of those who
 * make things again.
 *
 * @module
 */
import { resolveRelease } from "../../lib/blueprint/release.ts";
import type { Context } from "../../lib/cli/context.ts";
import { loadExample } from "../../lib/graph/examples.ts";
import { renderGraph } from "../../lib/graph/render.ts";
import { REQUEST_API_VERSION, REQUEST_KIND } from "../../lib/graph/render_request.ts";
import { isCode } from "../../lib/kube/objects.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/kube/types.ts";
import type { Target } from "../../lib/target/target.ts";

const APPLICATION = { apiVersion: "argoproj.io/v1alpha1", kind: "Application" } as const;
const CASCADE = "resources-finalizer.argocd.argoproj.io";
/** A finalizer that nobody takes away. */
export const STUCK = "example.com/stuck";
const MANAGED = "app.kubernetes.io/managed-by";

/** What is planted. */
export interface Leftovers {
  /** Objects to apply, in this order. */
  readonly objects: readonly KubeObject[];
  /** Ours and others', to be held by a finalizer that nobody takes away. */
  readonly stuck: readonly ObjectRef[];
  /** What has to be as it was, afterwards. */
  readonly foreign: readonly ObjectRef[];
  /** The graphs among it. */
  readonly foreignGraphs: readonly ObjectRef[];
  /** What has to be gone, besides graphs. */
  readonly gone: readonly ObjectRef[];
  /** A graph of somebody else, held by a finalizer, that its owner deletes. */
  readonly dying: ObjectRef;
  /** The graph that a request is answered with, again and again. */
  readonly requestedGraph: ObjectRef;
  /** That graph as an object. */
  readonly requested: KubeObject;
  /** Graphs that Applications make, by the Application's name. */
  readonly managed: Readonly<Record<string, KubeObject>>;
}

/** The objects, for a target. */
export async function leftovers(
  ctx: Context,
  target: Target,
  { argocd }: { readonly argocd: boolean },
): Promise<Leftovers> {
  const { namespace } = target;
  const release = resolveRelease(target.release);
  const example = await loadExample(ctx, "hello-world");
  const graph = (name: string, ours: boolean): KubeObject => {
    const object = renderGraph(example, release, { namespace, name }).at(-1)!;
    if (!ours) delete object.metadata.labels?.[MANAGED];
    return object;
  };
  const requested = graph("sla-planner-dgd", false);
  const [theirs, dying] = [graph("of-somebody", false), graph("dying", false)];
  const managed = { ours: graph("by-our-application", true), "of-git": graph("from-git", true) };
  const applications = argocd
    ? [application("ours", true, managed.ours), application("of-git", false, managed["of-git"])]
    : [];
  const foreign = foreignObjects(namespace);
  const claims = [
    claim(namespace, "models", "multi-replica-vllm"),
    claim(namespace, "cache-of-vllm", "vllm"),
  ];
  const request = {
    apiVersion: REQUEST_API_VERSION,
    kind: REQUEST_KIND,
    name: "sla-planner",
    namespace,
  };
  const foreignGraphs = [theirs, dying, ...(argocd ? [managed["of-git"]] : [])].map(refOf);
  return {
    objects: [
      ...(argocd ? controller() : []),
      ...[theirs, dying],
      ...(argocd ? Object.values(managed) : []),
      ...claims,
      ...foreign,
      ...applications,
    ],
    stuck: [{ ...refOf(theirs), name: "hello-world" }, request, refOf(dying)],
    foreign: [
      ...foreignGraphs,
      ...foreign.map(refOf),
      refOf(claims[0]!),
      ...applications.slice(1).map(refOf),
    ],
    foreignGraphs,
    gone: [request, refOf(claims[1]!), ...applications.slice(0, 1).map(refOf)],
    dying: refOf(dying),
    requestedGraph: refOf(requested),
    requested,
    managed,
  };
}

/** Names an object. */
export function refOf(object: KubeObject): ObjectRef {
  const { apiVersion, kind, metadata: { namespace, name } } = object;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** What objects say, apart from what changes by itself; undefined for one that is gone. */
export async function contentOf(
  kube: Kube,
  refs: readonly ObjectRef[],
): Promise<Record<string, unknown>> {
  const found = await Promise.all(refs.map((ref) => kube.get(ref)));
  return Object.fromEntries(refs.map((ref, index) => {
    const object = found[index];
    if (object === undefined) return [`${ref.kind}/${ref.name}`, undefined];
    // The rest of metadata, and the status, the operator and Kubernetes fill in by and by.
    const { status: _status, metadata, ...rest } = object;
    const { uid, labels, deletionTimestamp, finalizers = [] } = metadata;
    const held = finalizers.includes(STUCK);
    return [`${ref.kind}/${ref.name}`, { ...rest, uid, labels, deletionTimestamp, held }];
  }));
}

/** Argo CD's controller as an object; its pod is one that no scheduler takes. */
function controller(): KubeObject[] {
  const labels = { "app.kubernetes.io/name": "argocd-application-controller" };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "argocd" } },
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "argocd-application-controller", namespace: "argocd", labels },
      spec: {
        serviceName: "argocd-application-controller",
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            schedulerName: "nobody",
            containers: [{ name: "controller", image: "quay.io/argoproj/argocd:v2.14.21" }],
          },
        },
      },
    },
  ];
}

function application(name: string, ours: boolean, makes: KubeObject): KubeObject {
  const { metadata: { namespace } } = makes;
  return {
    ...APPLICATION,
    metadata: {
      name,
      namespace: "argocd",
      finalizers: [CASCADE],
      ...(ours ? { labels: { [MANAGED]: "dynamo-eks" } } : {}),
    },
    spec: {
      project: "default",
      source: { repoURL: "https://git.example.com/graphs", path: name, targetRevision: "main" },
      destination: { server: "https://kubernetes.default.svc", namespace },
      syncPolicy: { automated: { prune: true, selfHeal: true } },
    },
  };
}

function claim(namespace: string, name: string, graph: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      namespace,
      name,
      labels: { [MANAGED]: "dynamo-eks", "app.kubernetes.io/name": graph },
    },
    spec: claimSpec(),
  };
}

function claimSpec(): KubeObject["spec"] {
  return {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: "none-of-this-name",
  };
}

function foreignObjects(namespace: string): KubeObject[] {
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace, name: "of-somebody" },
      data: { a: "b" },
    },
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { namespace, name: "models-of-somebody" },
      spec: claimSpec(),
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace, name: "of-somebody" },
      spec: {
        containers: [{
          name: "main",
          image: "example.com/of-somebody:1",
          volumeMounts: [{ name: "models", mountPath: "/models" }],
        }],
        volumes: [{ name: "models", persistentVolumeClaim: { claimName: "models" } }],
      },
    },
  ];
}

/** The operator's part: as long as the request is there, its graph is made whenever it is missing. */
export async function playRequests(
  kube: Kube,
  { requested, gone }: Leftovers,
  signal: AbortSignal,
): Promise<void> {
  const request = gone.find((one) => one.kind === REQUEST_KIND)!;
  while (!signal.aborted) {
    const found = await kube.get(request);
    if (found === undefined) return;
    if (await kube.get(refOf(requested)) === undefined) await kube.apply(requested);
    await pause(50);
  }
}

/**
 * Argo CD's part: an Application that heals itself makes what is missing again; one that is being
 * deleted takes along what it made, and then goes.
 */
export async function playArgoCd(
  kube: Kube,
  { managed }: Leftovers,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await readyController(kube);
    for (const application of (await kube.list(APPLICATION)).items) {
      const makes = managed[application.metadata.name];
      if (makes === undefined) continue;
      await reconcile(kube, application, makes).catch((error) => {
        if (!isCode(error, "KUBE_NOTFOUND", "KUBE_CONFLICT")) throw error;
      });
    }
    await pause(50);
  }
}

/** No scheduler takes the pod, so that no node agent touches it; that it runs is said here. */
async function readyController(kube: Kube): Promise<void> {
  const kind = { apiVersion: "v1", kind: "Pod" } as const;
  for (const { metadata, status } of (await kube.list(kind, { namespace: "argocd" })).items) {
    if (status?.phase === "Running") continue;
    const conditions = [{ type: "Ready", status: "True" }];
    const ref = { ...kind, namespace: "argocd", name: metadata.name };
    await kube.patch(ref, "merge", { status: { phase: "Running", conditions } }, "status")
      .catch((error) => {
        if (!isCode(error, "KUBE_NOTFOUND", "KUBE_CONFLICT")) throw error;
      });
  }
}

async function reconcile(kube: Kube, application: KubeObject, makes: KubeObject): Promise<void> {
  const { metadata, spec, status } = application;
  const ref = refOf(makes);
  if (metadata.deletionTimestamp !== undefined) {
    if (!metadata.finalizers?.includes(CASCADE)) return;
    await kube.delete(ref, { propagation: "Background" });
    if (await kube.get(ref) !== undefined) return;
    const finalizers = metadata.finalizers.filter((one) => one !== CASCADE);
    await kube.patch(refOf(application), "merge", { metadata: { finalizers } });
    return;
  }
  if (status?.resources === undefined) {
    const { kind, name, namespace } = ref;
    const [group, version] = ref.apiVersion.split("/");
    await kube.patch(refOf(application), "merge", {
      status: { resources: [{ group, version, kind, name, namespace, status: "Synced" }] },
    });
  }
  if (spec?.syncPolicy?.automated?.selfHeal !== true) return;
  if (await kube.get(ref) === undefined) await kube.apply(makes);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
