/**
 * Volumes: claims that are not bound, and those that are not there.
 *
 * @module
 */
import type { KubeObject } from "../../kube/types.ts";
import { conditionOf, latestEvent, type Make, makerFor, oneLine, troubledPods } from "./objects.ts";
import { readSchedulerMessage } from "./scheduler_message.ts";
import type { ClusterFacts, ComponentObjects, Diagnosis } from "./types.ts";

const CLAIM_GRACE_MS = 10_000;
// A provisioner that refuses tries again with growing waits.
const PROVISION_GRACE_MS = 45_000;
const NO_PROVISIONER = "kubernetes.io/no-provisioner";
const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";

/** Why volumes of a component's pods are not there; one diagnosis a claim. */
export function diagnoseStorage(facts: ClusterFacts, component: ComponentObjects): Diagnosis[] {
  const found = new Map<string, Diagnosis>();
  for (const pod of troubledPods(component)) {
    const names = (pod["spec"]?.volumes ?? []).flatMap((volume: KubeObject) =>
      volume["persistentVolumeClaim"]?.claimName ?? []
    );
    for (const name of names as string[]) {
      if (found.has(name)) continue;
      const one = ofClaim(facts, component.name, pod, name) ?? mount(facts, component.name, pod);
      if (one !== undefined) found.set(name, one);
    }
  }
  return [...found.values()];
}

function ofClaim(
  facts: ClusterFacts,
  component: string,
  pod: KubeObject,
  name: string,
): Diagnosis | undefined {
  const make = makerFor(component);
  const claim = facts.claims.find((one) => one.metadata.name === name);
  if (claim === undefined) {
    return make(
      "CLAIM_MISSING",
      `there is no PersistentVolumeClaim ${name}`,
      "Make it, or let the example make it by giving its cache a size.",
      CLAIM_GRACE_MS,
    );
  }
  if (claim["status"]?.phase === "Bound") return zone(pod, name, make);
  if (claim["status"]?.phase === "Lost") {
    return make("CLAIM_LOST", `claim ${name} has lost its volume`, REPLACE, CLAIM_GRACE_MS);
  }
  const wanted: string | undefined = claim["spec"]?.storageClassName;
  const classes = facts.storageClasses;
  const known = (classes ?? []).map((one) => one.metadata.name).join(", ") || "none";
  const named = wanted || classes?.find(isDefault)?.metadata.name;
  const storageClass = classes?.find((one) => one.metadata.name === named);
  if (classes !== undefined && named === undefined) {
    return make(
      "STORAGE_CLASS_NONE",
      `claim ${name} names no storage class, and the cluster has no default one (classes: ${known})`,
      "Name one (storageClass of the cache), or mark one as the default.",
      CLAIM_GRACE_MS,
    );
  }
  if (classes !== undefined && storageClass === undefined) {
    return make(
      "STORAGE_CLASS_UNKNOWN",
      `claim ${name} wants storage class ${named}, which does not exist (there are: ${known})`,
      "enable_aws_efs_csi_driver in terraform/blueprint.tfvars brings efs-sc-dynamic.",
      CLAIM_GRACE_MS,
    );
  }
  const failed = latestEvent(facts.events, claim, "ProvisioningFailed", "FailedBinding");
  if (failed !== undefined) {
    return make(
      "CLAIM_REFUSED",
      `no volume is made for claim ${name}: ${oneLine(failed["message"] ?? "")}`,
      "The provisioner's answer says why: rights of its role, quota, access mode (EBS knows no " +
        "ReadWriteMany; EFS does).",
      PROVISION_GRACE_MS,
    );
  }
  const none = refusedVolumes(pod);
  if (none !== undefined && storageClass?.["provisioner"] === NO_PROVISIONER) {
    return make(
      "CLAIM_UNBOUND",
      `claim ${name} finds no volume: storage class ${named} makes none, and none that fits is there`,
      "Make a PersistentVolume for it, or use a storage class with a provisioner.",
      CLAIM_GRACE_MS,
    );
  }
  // WaitForFirstConsumer is how EBS works: the volume is made where the pod goes.
  return make(
    "CLAIM_PENDING",
    `claim ${name} waits for its volume` + (named === undefined ? "" : ` of class ${named}`),
    "",
  );
}

const REPLACE = "Delete the claim and deploy again; what was in it is gone.";

function zone(
  pod: KubeObject,
  name: string,
  make: Make,
): Diagnosis | undefined {
  if (!/volume node affinity conflict/.test(refusedVolumes(pod) ?? "")) return undefined;
  return make(
    "VOLUME_ZONE",
    `the volume of claim ${name} is in another zone than the nodes that the pod may use`,
    "EBS volumes stay in their zone. Delete the claim to have it made where the pod goes, or use EFS.",
    PROVISION_GRACE_MS,
  );
}

function refusedVolumes(pod: KubeObject): string | undefined {
  const scheduled = conditionOf(pod, "PodScheduled");
  if (scheduled?.["status"] !== "False") return undefined;
  return readSchedulerMessage(scheduled["message"] ?? "").refusals.find(({ reason }) =>
    /volume/i.test(reason)
  )?.reason;
}

function mount(facts: ClusterFacts, component: string, pod: KubeObject): Diagnosis | undefined {
  const event = latestEvent(
    facts.events,
    pod,
    "FailedMount",
    "FailedAttachVolume",
    "SuccessfulAttachVolume",
  );
  const started = (pod["status"]?.containerStatuses ?? []).some((one: KubeObject) =>
    one["state"]?.running !== undefined
  );
  if (event === undefined || started || event["reason"] === "SuccessfulAttachVolume") {
    return undefined;
  }
  return {
    code: "VOLUME_MOUNT",
    component,
    cause: `a volume is not mounted yet: ${oneLine(event["message"] ?? "")}`,
    hint:
      "The kubelet goes on trying. EFS: do the nodes' security group and the mount targets fit?",
    final: false,
    graceMs: 0,
  };
}

function isDefault({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[DEFAULT_CLASS] === "true";
}
