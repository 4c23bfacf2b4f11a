/**
 * From 0.8: a graph of either version as components, with what the graph says for all.
 *
 * @module
 */
import { detectFramework } from "../backend_framework.ts";
import { toComponent } from "../convert/to_component.ts";
import { mergeByName, prune, unlessEmpty } from "../json.ts";
import { ANNOTATION, MAIN_CONTAINER } from "../names.ts";
import {
  type ComponentSpec,
  type Container,
  type EnvVar,
  type Graph,
  namespaceOf,
  type PodTemplate,
} from "../types.ts";

/** Component types that serve a model and share the worker hash. */
const WORKER_TYPES = ["worker", "prefill", "decode"];

/** Whether components of this type are workers. */
export function isWorker(component: Pick<ComponentSpec, "type">): boolean {
  return component.type !== undefined && WORKER_TYPES.includes(component.type);
}

/** The container that runs a component, when the graph has one. */
export function mainContainer(
  component: Pick<ComponentSpec, "podTemplate">,
): Container | undefined {
  return component.podTemplate?.spec?.containers?.find((one) => one.name === MAIN_CONTAINER);
}

/** The graph's components as written, in v1beta1 form. */
export function ownComponents(graph: Graph): ComponentSpec[] {
  if (graph.apiVersion === "nvidia.com/v1beta1") return [...graph.spec?.components ?? []];
  return Object.entries(graph.spec?.services ?? {})
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, service]) => toComponent(name, service));
}

/** Dynamo namespace of a component: `<namespace>-<graph>`, or the one all graphs share. */
export function dynamoNamespace(graph: Graph, component: ComponentSpec): string {
  return component.globalDynamoNamespace === true
    ? "dynamo"
    : `${namespaceOf(graph)}-${graph.metadata.name}`;
}

/** The engine of a graph: as configured, else told from its workers. */
export function graphFramework(
  graph: Graph,
  components: readonly ComponentSpec[],
): string | undefined {
  if (graph.spec?.backendFramework !== undefined) return graph.spec.backendFramework;
  return components.map((component) => detectFramework(mainContainer(component)))
    .find((framework) => framework !== undefined);
}

/** Annotations of a graph that its components inherit. */
const INHERITED = [
  ANNOTATION.enableMetrics,
  ANNOTATION.discoveryBackend,
  ANNOTATION.kubeDiscoveryMode,
  ANNOTATION.originVersion,
  ANNOTATION.vllmExecutor,
] as const;

/** Whether an annotation of a pod template is only for the operator itself. */
export function isInherited(annotation: string): boolean {
  return (INHERITED as readonly string[]).includes(annotation);
}

/** Annotations that a graph hands to its components. */
export function inheritedAnnotations(graph: Graph): Record<string, string> {
  const own = graph.metadata.annotations ?? {};
  return Object.fromEntries(
    INHERITED.flatMap((key) => own[key] === undefined ? [] : [[key, own[key]]]),
  );
}

/** A component with the graph's labels, annotations and environment merged below its own. */
export function withGraphDefaults(graph: Graph, component: ComponentSpec): ComponentSpec {
  const template = component.podTemplate ?? {};
  const labels = unlessEmpty({ ...graph.spec?.labels, ...template.metadata?.labels });
  const annotations = unlessEmpty({
    ...graph.spec?.annotations,
    ...template.metadata?.annotations,
  });
  const env: readonly EnvVar[] | undefined = graph.spec?.env ?? graph.spec?.envs;
  const containers = template.spec?.containers?.map((container) =>
    container.name !== MAIN_CONTAINER || env === undefined
      ? container
      : { ...container, env: mergeByName(env, container.env) }
  );
  const metadata = prune<NonNullable<PodTemplate["metadata"]>>({ labels, annotations });
  return prune<ComponentSpec>({
    ...component,
    podTemplate: {
      ...(unlessEmpty(metadata) === undefined ? {} : { metadata }),
      ...(template.spec === undefined
        ? {}
        : { spec: { ...template.spec, ...(containers === undefined ? {} : { containers }) } }),
    },
  });
}
