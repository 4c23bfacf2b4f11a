import assert from "node:assert/strict";
import type { KubeObject } from "../kube/types.ts";
import { isForeign } from "./namespace_content.ts";

function object(kind: string, name: string, metadata: Partial<KubeObject["metadata"]> = {}) {
  return { apiVersion: "v1", kind, metadata: { name, ...metadata } };
}

Deno.test("what others made is told from what goes with the platform", () => {
  const releases = ["dynamo-platform"];
  const owner = { apiVersion: "apps/v1", kind: "Deployment", name: "x", uid: "1" };
  const ours: KubeObject[] = [
    object("ConfigMap", "kube-root-ca.crt"),
    object("Event", "x.1"),
    object("Pod", "x-1", { ownerReferences: [owner] }),
    object("Secret", "hf-token-secret", {
      labels: { "app.kubernetes.io/managed-by": "dynamo-eks" },
    }),
    object("Secret", "sh.helm.release.v1.dynamo-platform.v1", {
      labels: { owner: "helm", name: "dynamo-platform" },
    }),
    object("PersistentVolumeClaim", "data-etcd-0", {
      labels: { "app.kubernetes.io/instance": "dynamo-platform" },
    }),
    object("Service", "operator", {
      annotations: { "meta.helm.sh/release-name": "dynamo-platform" },
    }),
    object("Service", "operator", {
      annotations: { "argocd.argoproj.io/tracking-id": "dynamo-platform:/Service:ns/operator" },
    }),
    object("Secret", "webhook-server-cert"),
  ];
  const foreign: KubeObject[] = [
    object("ConfigMap", "settings"),
    object("Pod", "debug"),
    object("PersistentVolumeClaim", "models"),
    object("Secret", "sh.helm.release.v1.redis.v1", { labels: { owner: "helm", name: "redis" } }),
    object("Service", "redis", { labels: { "app.kubernetes.io/instance": "redis" } }),
    // A label that anybody may give; the release that made it says more.
    object("Service", "redis", {
      labels: { "app.kubernetes.io/instance": "dynamo-platform" },
      annotations: { "meta.helm.sh/release-name": "redis" },
    }),
  ];
  const names = (objects: KubeObject[]) =>
    objects.filter((one) => isForeign(one, releases)).map((one) => one.metadata.name);
  assert.deepEqual(names(ours), []);
  assert.deepEqual(names(foreign), foreign.map((one) => one.metadata.name));
});
