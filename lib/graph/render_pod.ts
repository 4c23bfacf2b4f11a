/**
 * The parts of a pod that both API versions share.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import { fabricPlacement, fabricVariables, type ZoneAffinity } from "./efa.ts";
import { engineVariables, startOf } from "./engines.ts";
import { componentImage } from "./images.ts";
import type { Component, EnvValue, EnvVars, Graph, Toleration } from "./types.ts";

/** A variable of a container. */
export interface EnvEntry {
  /** Name. */
  readonly name: string;
  /** The value, when it stands in the manifest. */
  readonly value?: string;
  /** The key of a Secret that holds it otherwise. */
  readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
}

/** The main container, without name and resources. */
export interface MainContainer {
  /** Image reference. */
  readonly image: string;
  /** Folder it starts in. */
  readonly workingDir?: string;
  /** Program. */
  readonly command?: readonly string[];
  /** Arguments. */
  readonly args?: readonly string[];
  /** Variables. */
  readonly env?: readonly EnvEntry[];
  /** Where volumes are seen. */
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  /** What the process may do besides. */
  readonly securityContext?: { readonly capabilities: { readonly add: readonly string[] } };
}

/** Where pods run and what they mount. */
export interface PodPlacement {
  /** Labels that the node has. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Taints that the node may have. */
  readonly tolerations?: readonly Toleration[];
  /** Which other pods have to be near. */
  readonly affinity?: ZoneAffinity;
  /** Volumes of the caches. */
  readonly volumes?: readonly {
    readonly name: string;
    readonly persistentVolumeClaim: { readonly claimName: string };
  }[];
}

/** What a deployed graph is called and where it goes. */
export interface DeployedNames {
  /** Name of the DynamoGraphDeployment. */
  readonly name: string;
  /** Its namespace. */
  readonly namespace: string;
}

const GPU_TOLERATION: Toleration = {
  key: "nvidia.com/gpu",
  operator: "Exists",
  effect: "NoSchedule",
};

/** The main container of a component. */
export function mainContainer(
  graph: Graph,
  component: Component,
  release: Release,
  names: DeployedNames,
): MainContainer {
  const { command, args, workingDir } = startOf(graph, component, release);
  const env = envEntries(graph, component, release, names);
  return {
    image: componentImage(graph, component, release),
    ...(workingDir === undefined ? {} : { workingDir }),
    ...(command === undefined ? {} : { command }),
    ...(args === undefined || args.length === 0 ? {} : { args }),
    ...(env.length === 0 ? {} : { env }),
    ...(graph.cache.length === 0 ? {} : {
      volumeMounts: graph.cache.map(({ claim, mountPath }) => ({
        name: volumeName(claim),
        mountPath,
      })),
    }),
    // EFA registers memory, which has to stay where it is.
    ...(component.efa === 0 ? {} : { securityContext: { capabilities: { add: ["IPC_LOCK"] } } }),
  };
}

/** Node selector, tolerations and volumes of a component's pods. */
export function podPlacement(
  graph: Graph,
  component: Component,
  names: DeployedNames,
): PodPlacement {
  const nodeSelector = {
    ...(component.nodePool === undefined ? {} : { "karpenter.sh/nodepool": component.nodePool }),
    ...(component.instanceType === undefined
      ? {}
      : { "node.kubernetes.io/instance-type": component.instanceType }),
  };
  const tolerations = [
    ...(onGpuNodes(graph, component) ? [GPU_TOLERATION] : []),
    ...component.tolerations,
  ];
  return {
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    ...fabricPlacement(component, names.name),
    ...(graph.cache.length === 0 ? {} : {
      volumes: graph.cache.map(({ claim }) => ({
        name: volumeName(claim),
        persistentVolumeClaim: { claimName: claim },
      })),
    }),
  };
}

// A frontend that is put into the workers' pool has to get past the same taint.
function onGpuNodes(graph: Graph, component: Component): boolean {
  return component.gpus > 0 ||
    (component.nodePool !== undefined &&
      graph.components.some((other) => other.gpus > 0 && other.nodePool === component.nodePool));
}

// Names of volumes are DNS labels, names of claims may hold dots.
function volumeName(claim: string): string {
  return claim.replaceAll(".", "-").slice(0, 63).replace(/-$/, "");
}

function envEntries(
  graph: Graph,
  component: Component,
  release: Release,
  names: DeployedNames,
): EnvEntry[] {
  const cache = graph.cache[0];
  const variables: EnvVars = {
    // Until 0.5 workers look for this name while the operator sets DYN_NAMESPACE.
    ...(atLeast(release, 0, 5) ? {} : { DYNAMO_NAMESPACE: names.name }),
    ...(component.role === "frontend" && graph.routing !== undefined
      ? { DYN_ROUTER_MODE: graph.routing }
      : {}),
    ...(cache === undefined ? {} : { HF_HOME: cache.mountPath }),
    ...fabricVariables(component),
    ...engineVariables(graph, component, release),
    ...graph.env,
    ...component.env,
  };
  return Object.entries(variables).map(([name, value]) => envEntry(name, value));
}

function envEntry(name: string, value: EnvValue): EnvEntry {
  if (typeof value === "string") return { name, value };
  return { name, valueFrom: { secretKeyRef: { name: value.secret, key: value.key } } };
}
