/**
 * Reconciles one DynamoComponentDeployment: its Deployment, Service, claim and status.
 *
 * @module
 */
import type { KubeObject } from "../../../kube/types.ts";
import {
  componentStatus,
  failedComponentStatus,
  firstComponentStatus,
} from "../component_status.ts";
import { currentDeployment, currentService } from "../current/workload.ts";
import { specError } from "../errors.ts";
import type { Surroundings } from "../legacy/pod_spec.ts";
import { ownClaim } from "../legacy/volumes.ts";
import { legacyDeployment, legacyService } from "../legacy/workload.ts";
import { LABEL } from "../names.ts";
import { isControlledBy } from "../owner.ts";
import { readPullSecrets } from "../pull_secrets.ts";
import { type Component, type Deployment, namespaceOf } from "../types.ts";
import {
  claimObject,
  errorLine,
  isPassing,
  type OperatorParts,
  releaseObject,
  writeStatus,
} from "./parts.ts";
import { keyOf, type Store } from "./store.ts";
import { syncObject } from "./sync.ts";

/**
 * Looks at a component and does what is to be done.
 *
 * @throws what is worth another try.
 */
export async function reconcileComponent(parts: OperatorParts, key: string): Promise<void> {
  const { stores, settings, ctx } = parts;
  const seen = stores.components.get(key);
  if (seen === undefined) return;
  if (seen.metadata.deletionTimestamp !== undefined) {
    const children = [stores.deployments.get(key), serviceOf(parts, seen)]
      .filter((one) => one !== undefined && isControlledBy(one, seen)) as KubeObject[];
    return await releaseObject(parts, seen, children);
  }
  const legacy = settings.features.behaviour === "legacy";
  let component = await claimObject(parts, seen, stores.components);
  if (legacy && component.status === undefined) {
    const first = firstComponentStatus(component, ctx.clock.now());
    component = await writeStatus(parts, component, first, stores.components);
  }
  try {
    const deployment = await realise(parts, component);
    const status = componentStatus(component, deployment, settings.features, ctx.clock.now());
    await writeStatus(parts, component, status, stores.components);
  } catch (error) {
    if (isPassing(error)) throw error;
    parts.log("warn", `component not reconciled: ${errorLine(error)}`, { component: key });
    const status = failedComponentStatus(component, error, ctx.clock.now());
    await writeStatus(parts, component, status, stores.components);
    // 0.4.1 leaves it at that until the component or one of its objects changes.
    if (!legacy) throw error;
  }
}

/** The Service of a component, as far as the watch has seen it. */
function serviceOf({ stores }: OperatorParts, component: Component): KubeObject | undefined {
  const { name } = component.metadata;
  return stores.services.get(`${namespaceOf(component)}/${name.replaceAll(".", "-")}`);
}

async function realise(
  parts: OperatorParts,
  component: Component,
): Promise<Deployment> {
  const { features } = parts.settings;
  const around = await surroundings(parts, namespaceOf(component));
  if (features.behaviour === "current") {
    await sync(parts, currentService(component), parts.stores.services);
    const wish = currentDeployment(component, features, around);
    return await sync(parts, wish, parts.stores.deployments);
  }
  await provideClaim(parts, component);
  const deployment = legacyDeployment(component, features, around);
  const service = legacyService(component);
  const made = await sync(parts, deployment, parts.stores.deployments);
  if (service !== undefined) await sync(parts, service, parts.stores.services);
  return made;
}

async function sync<T extends KubeObject>(
  parts: OperatorParts,
  desired: T,
  store: Store<T>,
): Promise<T> {
  const { object, change } = await syncSeen(parts, desired, store);
  store.put(object);
  if (change !== "unchanged") {
    parts.log("info", `${change} ${object.kind}`, { object: keyOf(object) });
  }
  return object;
}

async function syncSeen<T extends KubeObject>(
  parts: OperatorParts,
  desired: T,
  store: Store<T>,
): Promise<{ object: T; change: "created" | "updated" | "unchanged" }> {
  const revert = parts.settings.features.behaviour === "current";
  try {
    return await syncObject(parts.kube, desired, { existing: store.get(keyOf(desired)), revert });
  } catch (error) {
    if (!isPassing(error)) throw error;
    // The watch may be behind, or the object has lost its labels: ask the server.
    const existing = await parts.kube.get<T>({
      apiVersion: desired.apiVersion,
      kind: desired.kind,
      name: desired.metadata.name,
      namespace: namespaceOf(desired),
    });
    return await syncObject(parts.kube, desired, { existing, revert });
  }
}

async function provideClaim(parts: OperatorParts, component: Component): Promise<void> {
  const name = component.spec.pvc?.name;
  if (name === undefined || parts.settings.features.graphPvcs) return;
  const namespace = namespaceOf(component);
  const ref = { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace };
  if (await parts.kube.get(ref) !== undefined) return;
  const claim = ownClaim(component);
  if (claim === undefined) {
    throw specError(
      `failed to get PVC ${name}: persistentvolumeclaims "${name}" not found in ${namespace}, and pvc.create is not set`,
    );
  }
  await parts.kube.create(claim);
}

async function surroundings(parts: OperatorParts, namespace: string): Promise<Surroundings> {
  const { kube, settings } = parts;
  const legacy = settings.features.behaviour === "legacy";
  const [accounts, secrets] = await Promise.all([
    legacy
      ? kube.list({ apiVersion: "v1", kind: "ServiceAccount" }, {
        namespace,
        labelSelector: `${LABEL.componentPod}=true`,
      })
      : { items: [] },
    kube.list({ apiVersion: "v1", kind: "Secret" }, {
      namespace,
      fieldSelector: "type=kubernetes.io/dockerconfigjson",
    }),
  ]);
  return {
    natsAddress: settings.natsAddress,
    etcdAddress: settings.etcdAddress,
    componentAccount: accounts.items.map((one) => one.metadata.name).sort()[0],
    pullSecrets: readPullSecrets(secrets.items),
  };
}
