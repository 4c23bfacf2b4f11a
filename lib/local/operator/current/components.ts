/**
 * From 0.8: the DynamoComponentDeployments of a graph.
 *
 * @module
 */
import type { OperatorFeatures } from "../features.ts";
import { mergeByName, prune, unlessEmpty } from "../json.ts";
import { ANNOTATION, componentName, LABEL } from "../names.ts";
import { controllerRef } from "../owner.ts";
import {
  type Component,
  type ComponentSpec,
  type Graph,
  namespaceOf,
  type PodTemplate,
} from "../types.ts";
import {
  dynamoNamespace,
  graphFramework,
  inheritedAnnotations,
  isWorker,
  ownComponents,
  withGraphDefaults,
} from "./graph_model.ts";
import { workerHash } from "./worker_hash.ts";

/** The components of a graph as they should be, and the hash of its workers. */
export interface GraphComponents {
  /** v1beta1 form, in the graph's order. */
  readonly specs: readonly ComponentSpec[];
  /** One object a component, in the same order. */
  readonly objects: readonly Component[];
  /** Hash in the names of the workers, when there are any and the release has hashes. */
  readonly hash: string | undefined;
}

/** What a graph asks for. */
export function graphComponents(graph: Graph, features: OperatorFeatures): GraphComponents {
  const specs = ownComponents(graph).map((component) => withGraphDefaults(graph, component));
  const framework = graphFramework(graph, specs);
  const hash = features.workerHash ? workerHash(graph, specs, framework) : undefined;
  const objects = specs.map((component) => componentObject(graph, component, framework, hash));
  return { specs, objects, hash };
}

function componentObject(
  graph: Graph,
  component: ComponentSpec,
  framework: string | undefined,
  graphHash: string | undefined,
): Component {
  const hash = isWorker(component) ? graphHash : undefined;
  const base = componentName(graph.metadata.name, component.name);
  const templateLabels = component.podTemplate?.metadata?.labels;
  const namespace = dynamoNamespace(graph, component);
  return {
    apiVersion: graph.apiVersion,
    kind: "DynamoComponentDeployment",
    metadata: {
      name: hash === undefined ? base : `${base}-${hash}`,
      namespace: namespaceOf(graph),
      labels: {
        ...templateLabels,
        [LABEL.component]: component.name,
        [LABEL.graph]: graph.metadata.name,
        [LABEL.namespace]: namespace,
        ...(hash === undefined ? {} : { [LABEL.workerHash]: hash }),
      },
      ownerReferences: [controllerRef(graph)],
    },
    spec: graph.apiVersion === "nvidia.com/v1beta1"
      ? betaSpec(graph, component, framework, hash)
      : alphaSpec(graph, component, framework, hash, namespace),
  };
}

function operatorMetadata(
  graph: Graph,
  template: PodTemplate["metadata"],
  hash: string | undefined,
): NonNullable<PodTemplate["metadata"]> {
  const restart = graph.spec?.restart?.id;
  return prune<NonNullable<PodTemplate["metadata"]>>({
    labels: unlessEmpty({
      ...template?.labels,
      ...(hash === undefined ? {} : { [LABEL.workerHash]: hash }),
    }),
    annotations: unlessEmpty({
      ...template?.annotations,
      ...inheritedAnnotations(graph),
      ...(restart === undefined ? {} : { [ANNOTATION.restartAt]: restart }),
    }),
  });
}

function betaSpec(
  graph: Graph,
  component: ComponentSpec,
  framework: string | undefined,
  hash: string | undefined,
): Component["spec"] {
  const metadata = operatorMetadata(graph, component.podTemplate?.metadata, hash);
  return prune<Component["spec"]>({
    ...component,
    replicas: component.replicas ?? 1,
    backendFramework: framework,
    podTemplate: {
      ...component.podTemplate,
      ...(unlessEmpty(metadata) === undefined ? {} : { metadata }),
    },
  });
}

/** 0.8 to 1.1: the service as written, with the graph's parts and the operator's labels. */
function alphaSpec(
  graph: Graph,
  component: ComponentSpec,
  framework: string | undefined,
  hash: string | undefined,
  namespace: string,
): Component["spec"] {
  const service = graph.spec?.services?.[component.name] ?? {};
  const envs = mergeByName(graph.spec?.envs, service.envs);
  const metadata = operatorMetadata(graph, component.podTemplate?.metadata, hash);
  return prune<Component["spec"]>({
    ...service,
    annotations: undefined,
    labels: undefined,
    backendFramework: framework,
    dynamoNamespace: namespace,
    envs: envs.length === 0 ? undefined : envs,
    extraPodMetadata: unlessEmpty(metadata),
    replicas: service.replicas ?? 1,
    serviceName: component.name,
  });
}
