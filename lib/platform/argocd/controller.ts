/**
 * Whether Argo CD runs in a cluster, and where.
 *
 * @module
 */
import type { Kube, KubeObject } from "../../kube/types.ts";

/** Argo CD's kind for one thing to install. */
export const APPLICATION_KIND = {
  apiVersion: "argoproj.io/v1alpha1",
  kind: "Application",
} as const;

/** What was found of Argo CD. */
export interface ArgoCd {
  /** Whether the API server serves Applications. */
  readonly served: boolean;
  /** Namespace of its application controller, where Applications have to be. */
  readonly namespace?: string;
  /** Whether that controller runs. */
  readonly ready: boolean;
  /** Why it cannot be used, in words; absent when it can. */
  readonly problem?: string;
}

const CONTROLLER = "app.kubernetes.io/name=argocd-application-controller";

/** Looks for Argo CD: its kind, and the controller that acts on it. */
export async function findArgoCd(kube: Kube): Promise<ArgoCd> {
  const crd = await kube.get({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    name: "applications.argoproj.io",
  });
  const versions: { name: string; served: boolean }[] = crd?.["spec"]?.versions ?? [];
  const served = versions.some((one) => one.name === "v1alpha1" && one.served);
  // The controller is a StatefulSet, or a Deployment where it shards dynamically.
  const lists = await Promise.all(
    ["StatefulSet", "Deployment"].map((kind) =>
      kube.list({ apiVersion: "apps/v1", kind }, { labelSelector: CONTROLLER })
    ),
  );
  const controllers = lists.flatMap(({ items }) => items);
  const running = controllers.find(isRunning);
  const namespace = (running ?? controllers[0])?.metadata.namespace;
  const problem = !served
    ? "the cluster has no Applications (CustomResourceDefinition applications.argoproj.io)"
    : namespace === undefined
    ? `no application controller was found (label ${CONTROLLER})`
    : running === undefined
    ? `its application controller in ${namespace} does not run`
    : undefined;
  return {
    served,
    ready: problem === undefined,
    ...(namespace === undefined ? {} : { namespace }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function isRunning(workload: KubeObject): boolean {
  return (workload["status"]?.readyReplicas ?? 0) > 0;
}
