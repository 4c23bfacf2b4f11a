/**
 * Turns a graph into Kubernetes objects for a release. Pure, and free of the Kubernetes client.
 *
 * @module
 */
import { atLeast, type GraphApiVersion, type Release } from "../blueprint/types.ts";
import { EXIT } from "../cli/errors.ts";
import type { KubeObject } from "../kube/types.ts";
import { checkRendered } from "./check_rendered.ts";
import { NAME_LIMIT } from "./names.ts";
import { errorsOf, throwProblems } from "./problems.ts";
import { adapterObjects } from "./render_lora.ts";
import type { DeployedNames } from "./render_pod.ts";
import { REQUEST_API_VERSION, REQUEST_KIND, requestSpec } from "./render_request.ts";
import { specV1alpha1 } from "./render_v1alpha1.ts";
import { specV1beta1 } from "./render_v1beta1.ts";
import type { CacheVolume, Graph } from "./types.ts";
import { validateGraph } from "./validate.ts";

/** Options of {@link renderGraph}. */
export interface RenderOptions {
  /** Namespace of all objects. */
  readonly namespace: string;
  /** Name of the deployed graph; the graph's own unless given. */
  readonly name?: string;
  /** The blueprint's name, for the label `app.kubernetes.io/part-of`; `dynamo-on-eks` unless given. */
  readonly partOf?: string;
  /** Whether Grove makes the pods, which shortens names further. */
  readonly grove?: boolean;
}

/** Labels of everything that is made for a graph; deletion looks at the first one. */
export function graphLabels(graph: Graph, options: RenderOptions): Record<string, string> {
  return {
    "app.kubernetes.io/managed-by": "dynamo-eks",
    "app.kubernetes.io/part-of": labelValue(options.partOf ?? "dynamo-on-eks"),
    "app.kubernetes.io/name": options.name ?? graph.name,
  };
}

// Names of EKS clusters may have 100 characters.
function labelValue(name: string): string {
  return name.slice(0, NAME_LIMIT).replace(/[-_.]+$/, "");
}

/**
 * The objects of a graph: claims of its caches first, then LoRA adapters, and the
 * DynamoGraphDeployment, or the request for one, last.
 *
 * @throws {TaskError} GRAPH_UNFIT (exit code 3) when the graph does not fit the release;
 * RENDERED_INVALID (exit code 1) when an object would not be accepted.
 */
export function renderGraph(graph: Graph, release: Release, options: RenderOptions): KubeObject[] {
  const names: DeployedNames = { name: options.name ?? graph.name, namespace: options.namespace };
  const named = { ...graph, name: names.name };
  throwProblems(errorsOf(validateGraph(named, release)), {
    code: "GRAPH_UNFIT",
    subject: graph.source,
    exitCode: EXIT.precondition,
  });
  const labels = graphLabels(graph, options);
  const objects = [
    ...graph.cache.filter((volume) => volume.size !== undefined).map((volume) =>
      claim(volume, names.namespace, labels)
    ),
    ...adapterObjects(graph, names, labels),
    main(graph, release, names, labels),
  ];
  checkRendered(objects, release, { grove: options.grove ?? false });
  return objects;
}

function main(
  graph: Graph,
  release: Release,
  { name, namespace }: DeployedNames,
  labels: Record<string, string>,
): KubeObject {
  const metadata = { name, namespace, labels };
  if (graph.request !== undefined) {
    return {
      apiVersion: REQUEST_API_VERSION,
      kind: REQUEST_KIND,
      metadata,
      spec: requestSpec(graph, graph.request, release),
    };
  }
  return {
    apiVersion: release.graphApiVersion,
    kind: "DynamoGraphDeployment",
    metadata: { ...metadata, ...groveAnnotations(release) },
    spec: SPECS[release.graphApiVersion](graph, release, { name, namespace }),
  };
}

// Where Grove is installed it makes the pods of every graph, and what it does on a change depends
// on its release unless it is told. Releases that do not know the annotation pay it no heed.
function groveAnnotations(release: Release): { annotations?: Record<string, string> } {
  return atLeast(release, 1, 4)
    ? { annotations: { "nvidia.com/grove-update-strategy": "RollingRecreate" } }
    : {};
}

const SPECS: Readonly<
  Record<
    GraphApiVersion,
    (graph: Graph, release: Release, names: DeployedNames) => Record<string, unknown>
  >
> = { "nvidia.com/v1alpha1": specV1alpha1, "nvidia.com/v1beta1": specV1beta1 };

// A claim of our own rather than the operator's: the same in all releases, and the models in it
// outlive the graph.
function claim(
  volume: CacheVolume,
  namespace: string,
  labels: Record<string, string>,
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: volume.claim, namespace, labels },
    spec: {
      accessModes: [volume.accessMode],
      resources: { requests: { storage: volume.size } },
      ...(volume.storageClass === undefined ? {} : { storageClassName: volume.storageClass }),
    },
  };
}

/** Names of the Secrets that have to be in the namespace before the graph is applied. */
export function requiredSecrets(graph: Graph): string[] {
  const names = new Set<string>(graph.tokenSecret === undefined ? [] : [graph.tokenSecret]);
  for (const env of [graph.env, ...graph.components.map((component) => component.env)]) {
    for (const value of Object.values(env)) if (typeof value !== "string") names.add(value.secret);
  }
  return [...names];
}
