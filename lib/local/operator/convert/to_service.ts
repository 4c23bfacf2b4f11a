/**
 * A v1beta1 component as a v1alpha1 service: the way back of `to_component.ts`.
 *
 * @module
 */
import { prune, unlessEmpty } from "../json.ts";
import { LABEL, MAIN_CONTAINER } from "../names.ts";
import type { ComponentSpec, Container, PodSpec, ServiceSpec } from "../types.ts";

/** The service that describes a component. Fields without a counterpart are left out. */
export function toService(component: ComponentSpec): ServiceSpec {
  const template = component.podTemplate;
  const { [LABEL.subComponentType]: subType, ...labels } = template?.metadata?.labels ?? {};
  const size = component.sharedMemorySize;
  const cache = component.compilationCache;
  return prune<ServiceSpec>({
    componentType: subType === undefined ? component.type : "worker",
    subComponentType: subType,
    replicas: component.replicas,
    minAvailable: component.minAvailable,
    extraPodMetadata: unlessEmpty(
      prune<NonNullable<ServiceSpec["extraPodMetadata"]>>({
        labels: unlessEmpty(labels),
        annotations: template?.metadata?.annotations,
      }),
    ),
    extraPodSpec: extraPodSpec(template?.spec),
    multinode: component.multinode,
    sharedMemory: size === undefined
      ? undefined
      : String(size) === "0"
      ? { disabled: true }
      : { size },
    volumeMounts: cache === undefined ? undefined : [
      prune<NonNullable<ServiceSpec["volumeMounts"]>[number]>({
        name: cache.pvcName,
        mountPoint: cache.mountPath,
        useAsCompilationCache: true,
      }),
    ],
    scalingAdapter: component.scalingAdapter === undefined ? undefined : { enabled: true },
    globalDynamoNamespace: component.globalDynamoNamespace,
    runtimeVersionOverride: component.runtimeVersionOverride,
    modelRef: component["modelRef"],
    topologyConstraint: component["topologyConstraint"],
  });
}

function extraPodSpec(spec: PodSpec | undefined): ServiceSpec["extraPodSpec"] {
  if (spec === undefined) return undefined;
  const { containers = [], ...rest } = spec;
  const main = containers.find((one) => one.name === MAIN_CONTAINER);
  const others = containers.filter((one) => one.name !== MAIN_CONTAINER);
  return {
    ...rest,
    ...(main === undefined ? {} : { mainContainer: withoutName(main) }),
    ...(others.length === 0 ? {} : { containers: others }),
  };
}

function withoutName(container: Container): Container {
  const { name: _name, ...rest } = container;
  return rest;
}
