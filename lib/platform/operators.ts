/**
 * Dynamo's operators in a cluster: where they run, who installed them, what they watch.
 *
 * @module
 */
import type { Kube, KubeObject } from "../kube/types.ts";
import { DYNAMO_CRDS, OPERATOR_SUFFIX } from "./charts.ts";

/** One operator, or the traces of one. */
export interface FoundOperator {
  /** Its namespace. */
  readonly namespace: string;
  /** Whether the namespace is there; rights and webhooks outlive it. */
  readonly namespaceExists: boolean;
  /** Name of its Deployment; absent when only traces were found. */
  readonly deployment?: string;
  /** Image of its container. */
  readonly image?: string;
  /** Whether it has rights on graphs of all namespaces. */
  readonly clusterWide: boolean;
  /** Helm release that the Deployment says it is of. */
  readonly helmRelease?: string;
  /** Argo CD Application that the Deployment says it is of. */
  readonly application?: string;
  /** Where it was seen: `Deployment a/b`, `ClusterRoleBinding c`, … */
  readonly evidence: readonly string[];
}

const RBAC = "rbac.authorization.k8s.io/v1";
const ADMISSION = "admissionregistration.k8s.io/v1";
const WEBHOOKS = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] as const;

interface Sighting {
  readonly namespace: string;
  readonly where: string;
  readonly clusterWide: boolean;
  readonly deployment?: KubeObject;
}

/** All operators of the cluster, one an occupied namespace. */
export async function findOperators(kube: Kube): Promise<FoundOperator[]> {
  const sightings = (await Promise.all([
    deployments(kube),
    bindings(kube),
    webhooks(kube),
    conversions(kube),
  ])).flat();
  const spaces = await kube.list({ apiVersion: "v1", kind: "Namespace" });
  const there = new Set(spaces.items.map((one) => one.metadata.name));
  const namespaces = [...new Set(sightings.map((one) => one.namespace))].sort();
  return namespaces.map((namespace) => {
    const here = sightings.filter((one) => one.namespace === namespace);
    const deployment = here.find((one) => one.deployment !== undefined)?.deployment;
    return {
      namespace,
      namespaceExists: there.has(namespace),
      clusterWide: here.some((one) => one.clusterWide),
      evidence: here.map((one) => one.where),
      ...(deployment === undefined ? {} : factsOf(deployment)),
    };
  });
}

function factsOf(deployment: KubeObject): Partial<FoundOperator> & { deployment: string } {
  const { annotations = {}, labels = {} } = deployment.metadata;
  const helmRelease = annotations["meta.helm.sh/release-name"];
  // Argo CD tracks by annotation (its default since 3.0) or by label; Helm sets that label too.
  const application = annotations["argocd.argoproj.io/tracking-id"]?.split(":")[0] ??
    labels["argocd.argoproj.io/instance"];
  const image = managerImage(deployment);
  return {
    deployment: deployment.metadata.name,
    ...(image === undefined ? {} : { image }),
    ...(helmRelease === undefined ? {} : { helmRelease }),
    ...(application === undefined ? {} : { application }),
  };
}

function managerImage(deployment: KubeObject): string | undefined {
  const containers: { name: string; image: string }[] =
    deployment["spec"]?.template?.spec?.containers ?? [];
  return (containers.find((one) => one.name === "manager") ?? containers[0])?.image;
}

async function deployments(kube: Kube): Promise<Sighting[]> {
  const { items } = await kube.list({ apiVersion: "apps/v1", kind: "Deployment" });
  return items.filter(isOperator).map((deployment) => {
    const namespace = deployment.metadata.namespace ?? "";
    const where = `Deployment ${namespace}/${deployment.metadata.name}`;
    // Its rights are what says whether it is for the whole cluster.
    return { namespace, where, deployment, clusterWide: false };
  });
}

function isOperator({ metadata: { name, labels, deletionTimestamp } }: KubeObject): boolean {
  if (deletionTimestamp !== undefined) return false;
  return name === OPERATOR_SUFFIX || name.endsWith(`-${OPERATOR_SUFFIX}`) ||
    (labels?.["app.kubernetes.io/name"] === "dynamo-operator" &&
      labels["control-plane"] === "controller-manager");
}

/** Accounts that may change graphs everywhere: the operator's, by whatever name. */
async function bindings(kube: Kube): Promise<Sighting[]> {
  const [bound, roles] = await Promise.all([
    kube.list({ apiVersion: RBAC, kind: "ClusterRoleBinding" }),
    kube.list({ apiVersion: RBAC, kind: "ClusterRole" }),
  ]);
  const strong = new Set(roles.items.filter(rulesGraphs).map((role) => role.metadata.name));
  return bound.items.filter((binding) => strong.has(binding["roleRef"]?.name))
    .flatMap((binding) => {
      const subjects: { kind: string; name: string; namespace?: string }[] = binding["subjects"] ??
        [];
      return subjects.filter((one) =>
        one.kind === "ServiceAccount" && one.name.includes("dynamo-operator")
      ).map((one) => ({
        namespace: one.namespace ?? "",
        where: `ClusterRoleBinding ${binding.metadata.name}`,
        clusterWide: true,
      }));
    });
}

function rulesGraphs(role: KubeObject): boolean {
  const rules: { apiGroups?: string[]; resources?: string[]; verbs?: string[] }[] = role["rules"] ??
    [];
  return rules.some(({ apiGroups = [], resources = [], verbs = [] }) =>
    apiGroups.includes("nvidia.com") &&
    (resources.includes("*") || resources.includes("dynamocomponentdeployments")) &&
    (verbs.includes("*") || verbs.includes("delete"))
  );
}

interface WebhookClient {
  readonly service?: { readonly namespace?: string; readonly name?: string };
}

async function webhooks(kube: Kube): Promise<Sighting[]> {
  const lists = await Promise.all(
    WEBHOOKS.map((kind) => kube.list({ apiVersion: ADMISSION, kind })),
  );
  return lists.flatMap((list) => list.items).flatMap((configuration) => {
    const hooks: {
      clientConfig?: WebhookClient;
      rules?: { resources?: string[]; apiGroups?: string[] }[];
      namespaceSelector?: { matchLabels?: Record<string, string> };
    }[] = configuration["webhooks"] ?? [];
    return hooks.filter(({ rules = [] }) =>
      rules.some(({ apiGroups = [], resources = [] }) =>
        apiGroups.includes("nvidia.com") && resources.some((name) => name.startsWith("dynamo"))
      )
    ).slice(0, 1).flatMap(({ clientConfig, namespaceSelector }) => {
      const namespace = clientConfig?.service?.namespace;
      if (namespace === undefined) return [];
      // One that is for a single namespace selects it by name.
      const selected = namespaceSelector?.matchLabels?.["kubernetes.io/metadata.name"];
      return [{
        namespace,
        where: `${configuration.kind} ${configuration.metadata.name}`,
        clusterWide: selected === undefined,
      }];
    });
  });
}

async function conversions(kube: Kube): Promise<Sighting[]> {
  const { items } = await kube.list({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
  });
  const found = new Map<string, Sighting>();
  for (const crd of items.filter((one) => DYNAMO_CRDS.test(one.metadata.name))) {
    const client: WebhookClient | undefined = crd["spec"]?.conversion?.webhook?.clientConfig;
    const namespace = client?.service?.namespace;
    if (namespace === undefined || found.has(namespace)) continue;
    // Definitions stay when an operator goes, so alone they are no sign of one that runs.
    const where = `conversion webhook of ${crd.metadata.name}`;
    found.set(namespace, { namespace, where, clusterWide: false });
  }
  return [...found.values()];
}
