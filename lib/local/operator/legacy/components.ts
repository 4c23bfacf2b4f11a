/**
 * Before 0.8: the DynamoComponentDeployments of a graph.
 *
 * @module
 */
import { specError } from "../errors.ts";
import type { OperatorFeatures } from "../features.ts";
import { mergeByName, prune, unlessEmpty } from "../json.ts";
import { ANNOTATION, componentName, LABEL, PLANNER_ACCOUNT } from "../names.ts";
import { controllerRef } from "../owner.ts";
import { type Component, type Graph, namespaceOf, type ServiceSpec } from "../types.ts";

/**
 * The components a graph asks for, one a service, sorted by name.
 *
 * @throws {TaskError} when services name different Dynamo namespaces.
 */
export function legacyComponents(graph: Graph, features: OperatorFeatures): Component[] {
  const services = Object.entries(graph.spec?.services ?? {})
    .sort(([a], [b]) => a < b ? -1 : 1);
  const dynamoNamespace = dynamoNamespaceOf(graph, services);
  return services.map(([name, service]) =>
    legacyComponent(graph, name, service, dynamoNamespace, features)
  );
}

/** The Dynamo namespace all services share; `dynamo-<graph>` when none says. */
function dynamoNamespaceOf(graph: Graph, services: readonly [string, ServiceSpec][]): string {
  let agreed: string | undefined;
  for (const [name, service] of services) {
    const own = service.dynamoNamespace;
    if (own === undefined || own === "") continue;
    if (agreed !== undefined && own !== agreed) {
      throw specError(
        `namespace mismatch for component ${name}: graph uses namespace ${agreed} but component specifies ${own}`,
      );
    }
    agreed = own;
  }
  return agreed ?? `dynamo-${graph.metadata.name}`;
}

function legacyComponent(
  graph: Graph,
  name: string,
  service: ServiceSpec,
  dynamoNamespace: string,
  features: OperatorFeatures,
): Component {
  const labels: Record<string, string> = {
    [LABEL.component]: name,
    [LABEL.namespace]: dynamoNamespace,
    ...(features.graphNameLabel ? { [LABEL.graph]: graph.metadata.name } : {}),
  };
  const metrics = graph.metadata.annotations?.[ANNOTATION.enableMetrics];
  const annotations = metrics === undefined
    ? service.annotations
    : { ...service.annotations, [ANNOTATION.enableMetrics]: metrics };
  const envs = mergeByName(graph.spec?.envs, service.envs);
  const planner = service.componentType === "planner"
    ? { extraPodSpec: { ...service.extraPodSpec, serviceAccountName: PLANNER_ACCOUNT } }
    : {};
  const ingress = service.componentType === "frontend" && service.ingress === undefined
    ? { ingress: { host: graph.metadata.name } }
    : {};
  return {
    apiVersion: "nvidia.com/v1alpha1",
    kind: "DynamoComponentDeployment",
    metadata: {
      name: componentName(graph.metadata.name, name),
      namespace: namespaceOf(graph),
      labels,
      ownerReferences: [controllerRef(graph)],
    },
    spec: prune<Component["spec"]>({
      ...service,
      ...planner,
      ...ingress,
      annotations: unlessEmpty(annotations),
      backendFramework: graph.spec?.backendFramework,
      dynamoNamespace,
      envs: envs.length === 0 ? undefined : envs,
      // The graph's labels replace the service's own: a known loss of the real operator.
      labels,
      replicas: service.replicas ?? deploymentConfig(envs, name)?.workers,
      serviceName: name,
    }),
  };
}

/** What DYN_DEPLOYMENT_CONFIG says about one service; undefined when it says nothing readable. */
export function deploymentConfig(
  envs: readonly { readonly name: string; readonly value?: string }[],
  service: string,
): { workers?: number; resources?: Record<string, unknown> } | undefined {
  const text = envs.find((env) => env.name === "DYN_DEPLOYMENT_CONFIG")?.value;
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text)?.[service]?.ServiceArgs;
  } catch {
    throw specError(`DYN_DEPLOYMENT_CONFIG is not JSON: ${text.slice(0, 80)}`);
  }
}
