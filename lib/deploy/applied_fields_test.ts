import assert from "node:assert/strict";
import type { KubeObject } from "../kube/types.ts";
import { appliedFields } from "./applied_fields.ts";

const entry = (manager: string, operation: string, fieldsV1: unknown) => ({
  manager,
  operation,
  apiVersion: "apps/v1",
  fieldsV1,
});

function object(managedFields: unknown[]): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "web",
      namespace: "d",
      uid: "u",
      labels: { ours: "1", theirs: "2" },
      managedFields,
    } as unknown as KubeObject["metadata"],
    spec: {
      replicas: 3,
      paused: true,
      args: ["a", "b"],
      finalizers: ["x", "y"],
      containers: [
        { name: "main", image: "i", env: [{ name: "A", value: "1" }], stdin: false },
        { name: "side", image: "s" },
      ],
      ports: [{ port: 8000, name: "http" }],
    },
    status: { replicas: 3 },
  };
}

Deno.test("what a manager applied is taken out of the object: maps, lists by key, sets, leaves", () => {
  const fields = {
    "f:metadata": { "f:labels": { "f:ours": {} } },
    "f:spec": {
      "f:replicas": {},
      "f:args": {},
      "f:finalizers": { 'v:"y"': {} },
      "f:containers": {
        'k:{"name":"main"}': {
          ".": {},
          "f:name": {},
          "f:image": {},
          "f:env": { 'k:{"name":"A"}': { ".": {}, "f:name": {}, "f:value": {} } },
        },
      },
      "f:ports": { 'k:{"port":8000,"protocol":"TCP"}': { ".": {}, "f:port": {} } },
    },
  };
  const found = appliedFields(
    object([
      entry("kubectl", "Update", { "f:spec": { "f:paused": {} } }),
      entry("me", "Apply", fields),
    ]),
    "me",
  );
  assert.deepEqual(found, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "d", labels: { ours: "1" } },
    spec: {
      replicas: 3,
      args: ["a", "b"],
      finalizers: ["y"],
      containers: [{ name: "main", image: "i", env: [{ name: "A", value: "1" }] }],
      ports: [{ port: 8000 }],
    },
  });
});

Deno.test("what others applied, or only updated, is not ours", () => {
  const others = [
    entry("other", "Apply", { "f:spec": {} }),
    entry("me", "Update", { "f:spec": {} }),
  ];
  assert.equal(appliedFields(object(others), "me"), undefined);
});
