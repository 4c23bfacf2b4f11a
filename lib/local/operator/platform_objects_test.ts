import assert from "node:assert/strict";
import { resolveRelease } from "../../blueprint/release.ts";
import { platformObjects } from "./platform_objects.ts";
import { OPERATOR_NAME } from "./platform_names.ts";

function names(version: string): string[] {
  return platformObjects(resolveRelease(version), "ns")
    .map((one) => `${one.kind} ${one.metadata.name}`);
}

Deno.test("0.4.1 brings etcd and NATS, 1.6.1 only the operator", () => {
  const old = names("0.4.1");
  for (const kind of ["StatefulSet", "Service"]) {
    assert.ok(old.includes(`${kind} dynamo-platform-etcd`));
    assert.ok(old.includes(`${kind} dynamo-platform-nats`));
  }
  assert.ok(old.includes("ServiceAccount planner-serviceaccount"));
  assert.equal(old[0], "Namespace ns");
  const now = names("1.6.1");
  assert.ok(now.includes(`Deployment ${OPERATOR_NAME}`));
  assert.ok(!now.some((name) => /etcd|nats|planner-serviceaccount/.test(name)));
});

Deno.test("every object carries our labels, and the operator its image, pool and addresses", () => {
  const objects = platformObjects(resolveRelease("0.4.1"), "ns");
  for (const one of objects) {
    assert.equal(one.metadata.labels?.["app.kubernetes.io/managed-by"], "dynamo-eks");
    assert.equal(one.metadata.labels?.["app.kubernetes.io/instance"], "dynamo-platform");
  }
  const operator = objects.find((one) => one.metadata.name === OPERATOR_NAME && one["spec"]);
  const pod = operator?.["spec"].template.spec;
  assert.deepEqual(pod.nodeSelector, { "karpenter.sh/nodepool": "cpu-karpenter" });
  const [container] = pod.containers;
  assert.equal(container.name, "manager");
  assert.equal(container.image, "nvcr.io/nvidia/ai-dynamo/kubernetes-operator:0.4.1");
  assert.ok(container.args.includes("--natsAddr=nats://dynamo-platform-nats.ns:4222"));
  assert.ok(container.args.includes("--etcdAddr=dynamo-platform-etcd.ns:2379"));
});
