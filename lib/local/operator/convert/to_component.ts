/**
 * A v1alpha1 service as a v1beta1 component.
 *
 * @module
 */
import { mergeByName, mergeSet, prune, unlessEmpty } from "../json.ts";
import { containerResources } from "../legacy/resources.ts";
import { LABEL, MAIN_CONTAINER } from "../names.ts";
import type {
  ComponentSpec,
  Container,
  PodSpec,
  PodTemplate,
  ServiceSpec,
  VolumeMount,
} from "../types.ts";

const TYPES = ["frontend", "worker", "prefill", "decode", "planner", "epp"];

/** The component that a service describes. Fields without a counterpart are left out. */
export function toComponent(name: string, service: ServiceSpec): ComponentSpec {
  const subType = service.subComponentType;
  const type = subType !== undefined && TYPES.includes(subType) ? subType : service.componentType;
  const cache = service.volumeMounts?.find((mount) => mount.useAsCompilationCache === true);
  return prune<ComponentSpec>({
    name,
    type: type !== undefined && TYPES.includes(type) ? type : undefined,
    replicas: service.replicas,
    minAvailable: service["minAvailable"] as number | undefined,
    podTemplate: podTemplate(service),
    multinode: service.multinode,
    sharedMemorySize: service.sharedMemory?.disabled === true ? "0" : service.sharedMemory?.size,
    compilationCache: cache === undefined
      ? undefined
      : prune<{ pvcName: string; mountPath: string }>({
        pvcName: cache.name,
        mountPath: cache.mountPoint,
      }),
    scalingAdapter: service.scalingAdapter?.enabled === true ? {} : undefined,
    globalDynamoNamespace: service.globalDynamoNamespace,
    runtimeVersionOverride: service.runtimeVersionOverride,
    modelRef: service["modelRef"],
    topologyConstraint: service["topologyConstraint"],
  });
}

function podTemplate(service: ServiceSpec): PodTemplate {
  const { mainContainer, containers, ...rest } = service.extraPodSpec ?? {};
  const labels = unlessEmpty({
    ...service.labels,
    ...(service.subComponentType ? { [LABEL.subComponentType]: service.subComponentType } : {}),
    ...service.extraPodMetadata?.labels,
  });
  const annotations = unlessEmpty({
    ...service.annotations,
    ...service.extraPodMetadata?.annotations,
  });
  return prune<PodTemplate>({
    metadata: labels === undefined && annotations === undefined
      ? undefined
      : prune<NonNullable<PodTemplate["metadata"]>>({ labels, annotations }),
    spec: prune<PodSpec>({
      ...rest,
      containers: [main(service, mainContainer ?? {}), ...containers ?? []],
    }),
  });
}

function main(service: ServiceSpec, own: Container): Container {
  const { env, envFrom, volumeMounts, ...fields } = own;
  const mounts: VolumeMount[] = (service.volumeMounts ?? [])
    .filter((mount) => mount.useAsCompilationCache !== true)
    .map((mount) => ({ name: mount.name, mountPath: mount.mountPoint ?? "" }));
  const envs = mergeByName(service.envs, env);
  const allMounts = [...mounts, ...volumeMounts ?? []];
  const sources = [
    ...envFrom ?? [],
    ...(service.envFromSecret ? [{ secretRef: { name: service.envFromSecret } }] : []),
  ];
  return prune<Container>({
    ...mergeSet<Container>({
      ...(service.livenessProbe === undefined ? {} : { livenessProbe: service.livenessProbe }),
      ...(service.readinessProbe === undefined ? {} : { readinessProbe: service.readinessProbe }),
    }, fields),
    name: MAIN_CONTAINER,
    env: envs.length === 0 ? undefined : envs,
    envFrom: sources.length === 0 ? undefined : sources,
    resources: unlessEmpty(mergeSet(containerResources(service.resources, true), own.resources)),
    volumeMounts: allMounts.length === 0 ? undefined : allMounts,
  });
}
