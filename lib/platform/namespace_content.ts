/**
 * What others have in the platform's namespace: it must not go with the namespace.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { KindRef, Kube, KubeObject } from "../kube/types.ts";

/** Kinds that only tell of other objects, or that Kubernetes makes by itself. */
const FLEETING: readonly string[] = [
  "ControllerRevision",
  "Endpoints",
  "EndpointSlice",
  "Event",
  "Lease",
  "NodeMetrics",
  "PodMetrics",
];
/** Objects that Kubernetes and Istio make in every namespace. */
const EVERYWHERE: readonly string[] = [
  "ConfigMap/istio-ca-root-cert",
  "ConfigMap/kube-root-ca.crt",
  "ServiceAccount/default",
];
/** What the operator and its charts leave without a label (Dynamo 0.4.1 to 1.6.1). */
const OPERATORS: readonly string[] = [
  "RoleBinding/planner-binding",
  "RoleBinding/planner-serviceaccount-binding",
  "Secret/mpi-run-ssh-secret",
  "Secret/webhook-server-cert",
  "ServiceAccount/planner-serviceaccount",
];
const SIDE_BY_SIDE = 8;

/**
 * Objects of a namespace that are neither ours, nor of the releases named, nor made by Kubernetes
 * or the operator, nor owned by such an object: as `Kind name`, sorted. What cannot be told apart
 * counts as somebody else's.
 */
export async function foreignObjects(
  ctx: Context,
  kube: Kube,
  where: {
    /** The namespace. */
    readonly namespace: string;
    /** Names of Helm releases and Applications whose objects may go. */
    readonly releases: readonly string[];
  },
): Promise<string[]> {
  const kinds = await namespacedKinds(kube);
  const found: string[] = [];
  const next = kinds.values();
  // An iterator shared by workers: so many requests are under way at once.
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, async () => {
    for (const kind of next) {
      ctx.signal.throwIfAborted();
      const { items } = await kube.list(kind, { namespace: where.namespace });
      found.push(
        ...items.filter((one) => isForeign({ ...one, kind: kind.kind }, where.releases))
          .map((one) => `${kind.kind} ${one.metadata.name}`),
      );
    }
  }));
  return found.sort();
}

/** Whether an object is somebody else's; see {@link foreignObjects}. */
export function isForeign(object: KubeObject, releases: readonly string[]): boolean {
  const { kind, metadata: { name, labels = {}, annotations = {}, ...metadata } } = object;
  // Its owner speaks for it.
  if ((metadata.ownerReferences ?? []).length > 0 || FLEETING.includes(kind)) return false;
  if (labels["app.kubernetes.io/managed-by"] === "dynamo-eks") return false;
  if ([...EVERYWHERE, ...OPERATORS].includes(`${kind}/${name}`)) return false;
  if (kind === "Secret" && annotations["kubernetes.io/service-account.name"] === "default") {
    return false;
  }
  // Helm's own record of a release, and what its charts and their operators label.
  const release = annotations["meta.helm.sh/release-name"] ??
    annotations["argocd.argoproj.io/tracking-id"]?.split(":")[0] ??
    (labels["owner"] === "helm" ? labels["name"] : labels["app.kubernetes.io/instance"]);
  return release === undefined || !releases.includes(release);
}

interface ResourceList {
  readonly groupVersion: string;
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

/** The kinds that live in namespaces and can be listed, each in its preferred version. */
async function namespacedKinds(kube: Kube): Promise<KindRef[]> {
  const { groups } = JSON.parse(await kube.raw("/apis")) as {
    groups: readonly { readonly preferredVersion: { readonly groupVersion: string } }[];
  };
  const paths = ["/api/v1", ...groups.map((one) => `/apis/${one.preferredVersion.groupVersion}`)];
  const lists = await Promise.all(
    paths.map(async (path) => JSON.parse(await kube.raw(path)) as ResourceList),
  );
  return lists.flatMap(({ groupVersion, resources = [] }) =>
    resources.filter(({ name, namespaced, verbs }) =>
      namespaced && verbs.includes("list") && !name.includes("/")
    ).map(({ kind }) => ({ apiVersion: groupVersion, kind }))
  );
}
