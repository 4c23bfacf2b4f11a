import assert from "node:assert/strict";
import type { KubeObject } from "../../kube/types.ts";
import { diagnose } from "./diagnose.ts";
import { testEvent, testFacts, testPod } from "./testing.ts";
import type { ClusterFacts } from "./types.ts";

function claim(phase: string, storageClassName?: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "model-cache", namespace: "dynamo-cloud", uid: "uid-claim" },
    spec: storageClassName === undefined ? {} : { storageClassName },
    status: { phase },
  };
}

function storageClass(name: string, provisioner: string, isDefault = false): KubeObject {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: {
      name,
      annotations: { "storageclass.kubernetes.io/is-default-class": String(isDefault) },
    },
    provisioner,
    volumeBindingMode: "WaitForFirstConsumer",
  };
}

const UNBOUND = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. " +
  "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
const EBS = storageClass("gp3", "ebs.csi.aws.com", true);

function one(more: Partial<ClusterFacts>, unscheduled = UNBOUND) {
  const pod = testPod({ unscheduled, claims: ["model-cache"] });
  const found = diagnose(testFacts([pod], { storageClasses: [EBS], ...more }));
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0]!;
}

Deno.test("a claim that is not there", () => {
  const found = one({}, '0/3 nodes are available: persistentvolumeclaim "model-cache" not found.');
  assert.deepEqual([found.code, found.final], ["CLAIM_MISSING", true]);
});

Deno.test("storage classes: none at all, no default, one that does not exist", () => {
  const plain = storageClass("gp2", "ebs.csi.aws.com");
  const none = one({ claims: [claim("Pending")], storageClasses: [plain] });
  assert.deepEqual([none.code, none.final], ["STORAGE_CLASS_NONE", true]);
  const unknown = one({ claims: [claim("Pending", "efs-sc-dynamic")] });
  assert.deepEqual([unknown.code, unknown.final], ["STORAGE_CLASS_UNKNOWN", true]);
  assert.match(unknown.cause, /efs-sc-dynamic.*there are: gp3/);
  const blind = one({ claims: [claim("Pending", "efs-sc-dynamic")], storageClasses: undefined });
  assert.equal(blind.final, false, "who may not list classes does not know");
});

Deno.test("waiting for the first consumer is how it should be", () => {
  const pending = claim("Pending", "gp3");
  const events = [
    testEvent(
      pending,
      "WaitForFirstConsumer",
      "waiting for first consumer to be created before binding",
    ),
  ];
  const found = one({ claims: [pending], events });
  assert.deepEqual([found.code, found.final], ["CLAIM_PENDING", false]);
});

Deno.test("a provisioner that refuses, in its words", () => {
  const pending = claim("Pending", "gp3");
  const message =
    'failed to provision volume with StorageClass "gp3": rpc error: code = Internal ' +
    "desc = Could not create volume: UnauthorizedOperation: You are not authorized";
  const found = one({
    claims: [pending],
    events: [testEvent(pending, "ProvisioningFailed", message)],
  });
  assert.deepEqual([found.code, found.final], ["CLAIM_REFUSED", true]);
  assert.match(found.cause, /UnauthorizedOperation/);
});

Deno.test("a class without a provisioner makes nothing", () => {
  const found = one(
    {
      claims: [claim("Pending")],
      storageClasses: [storageClass("gp3", "kubernetes.io/no-provisioner", true)],
    },
    "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind. " +
      "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
  );
  assert.deepEqual([found.code, found.final], ["CLAIM_UNBOUND", true]);
});

Deno.test("a volume in another zone, a lost one, and one that is not mounted", () => {
  const zone = one(
    { claims: [claim("Bound", "gp3")] },
    "0/3 nodes are available: 3 node(s) had volume node affinity conflict.",
  );
  assert.equal(zone.code, "VOLUME_ZONE");
  assert.equal(one({ claims: [claim("Lost", "gp3")] }).code, "CLAIM_LOST");
  const pod = testPod({ node: "a", claims: ["model-cache"] });
  const message = 'MountVolume.SetUp failed for volume "pvc-1": rpc error: mount.nfs4 timed out';
  const [mount] = diagnose(testFacts([pod], {
    claims: [claim("Bound", "gp3")],
    events: [testEvent(pod, "FailedMount", message)],
  }));
  assert.deepEqual([mount?.code, mount?.final], ["VOLUME_MOUNT", false]);
});
