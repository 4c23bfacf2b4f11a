/**
 * Before 0.8: the pod of a component.
 *
 * @module
 */
import { frameworkOf } from "../backend_framework.ts";
import type { OperatorFeatures } from "../features.ts";
import { byName, mergeByName, mergeSet, prune } from "../json.ts";
import { MAIN_CONTAINER } from "../names.ts";
import { controllerName } from "../owner.ts";
import { type PullSecret, pullSecretsFor } from "../pull_secrets.ts";
import {
  type Component,
  type Container,
  type EnvVar,
  namespaceOf,
  type PodSpec,
} from "../types.ts";
import { deploymentConfig } from "./components.ts";
import { graphEnvironment, legacyContainerDefaults } from "./container_defaults.ts";
import { multinodeArgs } from "./multinode.ts";
import { containerResources, withConfiguredResources } from "./resources.ts";
import { claimVolumes, sharedMemoryVolume } from "./volumes.ts";

/** What the operator knows of its surroundings. */
export interface Surroundings {
  /** `nats://host:port`, when there is NATS. */
  readonly natsAddress?: string | undefined;
  /** `host:port`, when there is etcd. */
  readonly etcdAddress?: string | undefined;
  /** Service account labelled for components in the namespace, when there is one. */
  readonly componentAccount?: string | undefined;
  /** Pull secrets of the namespace. */
  readonly pullSecrets: readonly PullSecret[];
}

/**
 * The pod spec of a component.
 *
 * @throws {TaskError} for contradictions, for example another engine than configured.
 */
export function legacyPodSpec(
  component: Component,
  features: OperatorFeatures,
  around: Surroundings,
): PodSpec {
  const spec = component.spec;
  const { mainContainer, containers, volumes, imagePullSecrets, ...rest } = spec.extraPodSpec ?? {};
  const shared = sharedMemoryVolume(spec.sharedMemory?.size, spec.sharedMemory?.disabled === true);
  const claims = claimVolumes(component, features);
  const main = mainContainerOf(component, around, [...claims.mounts, ...shared.mounts]);
  return prune<PodSpec>({
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 60,
    securityContext: {},
    serviceAccountName: around.componentAccount ?? "default",
    ...rest,
    // A known trap: sorted by name, and only the first container is kept.
    containers: byName([main, ...containers ?? []]).slice(0, 1),
    volumes: emptyToUndefined(
      mergeByName<NonNullable<PodSpec["volumes"]>[number]>(
        shared.volumes,
        claims.volumes,
        volumes,
      ),
    ),
    imagePullSecrets: emptyToUndefined(
      mergeByName(imagePullSecrets, pullSecretsFor(mainContainer?.image, around.pullSecrets)),
    ),
  });
}

function mainContainerOf(
  component: Component,
  around: Surroundings,
  mounts: NonNullable<Container["volumeMounts"]>,
): Container {
  const spec = component.spec;
  const own = spec.extraPodSpec?.mainContainer ?? {};
  const defaults = legacyContainerDefaults(spec.componentType);
  if (spec.componentType === "worker") frameworkOf(own, spec.backendFramework);
  const configured = deploymentConfig(spec.envs ?? [], spec.serviceName ?? "")?.resources;
  const probes = prune<Container>({
    livenessProbe: spec.livenessProbe,
    readinessProbe: spec.readinessProbe,
  });
  const { env: _env, volumeMounts, resources, ...fields } = own;
  const merged = mergeReplacing({ ...defaults, ...probes }, fields);
  return prune<Container>({
    ...merged,
    args: multinodeArgs(component, merged.args),
    name: MAIN_CONTAINER,
    env: environment(component, around, defaults.env ?? [], own.env ?? []),
    ...(spec.envFromSecret
      ? { envFrom: [...own.envFrom ?? [], { secretRef: { name: spec.envFromSecret } }] }
      : {}),
    resources: mergeSet(
      containerResources(withConfiguredResources(spec.resources, configured)),
      resources,
    ),
    volumeMounts: emptyToUndefined(byName([...mounts, ...volumeMounts ?? []])),
  });
}

/** Fields of `over` that are set replace those of `base` whole, probes and ports included. */
function mergeReplacing(base: Container, over: Container): Container {
  return { ...base, ...mergeSet({}, over) };
}

// Lowest first: graph and service, the operator's own, mainContainer, then the addresses.
function environment(
  component: Component,
  around: Surroundings,
  defaults: readonly EnvVar[],
  own: readonly EnvVar[],
): EnvVar[] {
  const graph = controllerName(component, "DynamoGraphDeployment") ?? "";
  const addresses: EnvVar[] = [
    ...(around.natsAddress === undefined
      ? []
      : [{ name: "NATS_SERVER", value: around.natsAddress }]),
    ...(around.etcdAddress === undefined
      ? []
      : [{ name: "ETCD_ENDPOINTS", value: around.etcdAddress }]),
  ];
  return mergeByName(
    component.spec.envs,
    graphEnvironment(component.spec.dynamoNamespace ?? "", graph, namespaceOf(component)),
    defaults,
    own,
    addresses,
  );
}

function emptyToUndefined<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
