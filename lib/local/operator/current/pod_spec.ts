/**
 * From 0.8: the pod of a component.
 *
 * @module
 */
import { frameworkOf } from "../backend_framework.ts";
import type { OperatorFeatures } from "../features.ts";
import { mergeByName, mergeSet, prune } from "../json.ts";
import type { Surroundings } from "../legacy/pod_spec.ts";
import { sharedMemoryVolume } from "../legacy/volumes.ts";
import { MAIN_CONTAINER, PLANNER_ACCOUNT } from "../names.ts";
import { pullSecretsFor } from "../pull_secrets.ts";
import type { ComponentSpec, Container, EnvVar, PodSpec, VolumeMount } from "../types.ts";
import { containerDefaults, standardEnvironment } from "./container_defaults.ts";
import { discoveryAccount } from "./discovery_rbac.ts";
import { isWorker, mainContainer } from "./graph_model.ts";

/** One component with the names around it. */
export interface ComponentInGraph {
  /** The component. */
  readonly component: ComponentSpec;
  /** Name of the graph. */
  readonly graph: string;
  /** Kubernetes namespace. */
  readonly namespace: string;
  /** Dynamo namespace. */
  readonly dynamoNamespace: string;
  /** Worker hash, for workers. */
  readonly hash: string | undefined;
  /** Engine of the graph. */
  readonly framework: string | undefined;
}

/** Default folder of vLLM's compilation cache. */
const VLLM_CACHE = "/root/.cache/vllm";

/**
 * The pod spec of a component.
 *
 * @throws {TaskError} for contradictions, for example another engine than configured.
 */
export function currentPodSpec(
  one: ComponentInGraph,
  features: OperatorFeatures,
  around: Surroundings,
): PodSpec {
  const { component } = one;
  const own = component.podTemplate?.spec ?? {};
  const size = component.sharedMemorySize;
  const shared = sharedMemoryVolume(size, size !== undefined && /^0[A-Za-z]*$/.test(String(size)));
  const containers = (own.containers ?? [{ name: MAIN_CONTAINER }]).map((container) =>
    container.name === MAIN_CONTAINER
      ? fullMain(one, container, features, around, shared.mounts)
      : container
  );
  const secrets = containers.flatMap((container) =>
    pullSecretsFor(container.image, around.pullSecrets)
  );
  const imagePullSecrets = mergeByName(own.imagePullSecrets, secrets);
  const volumes = mergeByName<NonNullable<PodSpec["volumes"]>[number]>(
    shared.volumes,
    undeclaredVolumes(containers, [...own.volumes ?? [], ...shared.volumes]),
    own.volumes,
  );
  return prune<PodSpec>({
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 60,
    serviceAccountName: component.type === "planner"
      ? PLANNER_ACCOUNT
      : discoveryAccount(one.graph),
    ...own,
    securityContext: own.securityContext ?? { fsGroup: 1000 },
    containers,
    volumes: volumes.length === 0 ? undefined : volumes,
    imagePullSecrets: imagePullSecrets.length === 0 ? undefined : imagePullSecrets,
  });
}

function fullMain(
  one: ComponentInGraph,
  own: Container,
  features: OperatorFeatures,
  around: Surroundings,
  shared: readonly VolumeMount[],
): Container {
  const { component, dynamoNamespace } = one;
  const framework = isWorker(component)
    ? frameworkOf(mainContainer(component), one.framework)
    : undefined;
  const cache = component.compilationCache;
  const cachePath = cache?.mountPath ?? VLLM_CACHE;
  const mounts = [
    ...own.volumeMounts ?? [],
    ...(cache === undefined ? [] : [{ name: cache.pvcName, mountPath: cachePath }]),
    ...shared,
  ];
  const defaults = containerDefaults(component, dynamoNamespace, one.hash, features);
  const { env, ...fields } = own;
  return prune<Container>({
    ...defaults,
    ...mergeSet<Container>({}, fields),
    name: MAIN_CONTAINER,
    env: mergeByName<EnvVar>(
      standardEnvironment(component, dynamoNamespace, one.graph, one.namespace),
      defaults.env,
      platformEnvironment(around),
      cache === undefined || framework !== "vllm"
        ? []
        : [{ name: "VLLM_CACHE_ROOT", value: cachePath }],
      env,
    ),
    resources: own.resources ?? {},
    volumeMounts: mounts.length === 0 ? undefined : mounts,
  });
}

function platformEnvironment(around: Surroundings): EnvVar[] {
  return [
    ...(around.natsAddress === undefined
      ? []
      : [{ name: "NATS_SERVER", value: around.natsAddress }]),
    ...(around.etcdAddress === undefined
      ? []
      : [{ name: "ETCD_ENDPOINTS", value: around.etcdAddress }]),
  ];
}

/** A mount of a volume that is not declared means the claim of that name. */
function undeclaredVolumes(
  containers: readonly Container[],
  declared: readonly { readonly name: string }[],
): NonNullable<PodSpec["volumes"]> {
  const names = new Set(containers.flatMap((one) => one.volumeMounts ?? []).map((m) => m.name));
  for (const volume of declared) names.delete(volume.name);
  return [...names].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
}
