import assert from "node:assert/strict";
import { cleanTest, podList, startApiServer, statusResponse } from "./testing.ts";

const POD = { apiVersion: "v1", kind: "Pod" };

cleanTest("long lists come in pages, and items know what they are", async () => {
  await using api = await startApiServer((_request, url) => {
    if (url.pathname !== "/api/v1/pods") return undefined;
    const next = url.searchParams.get("continue");
    if (next === null) return podList(["a", "b"], "7", "more");
    return podList(["c"], "7");
  });
  const { items, resourceVersion } = await api.kube.list(POD, { labelSelector: "app=x" });
  assert.deepEqual(
    items.map(({ kind, apiVersion, metadata }) => [apiVersion, kind, metadata.name]),
    [
      ["v1", "Pod", "a"],
      ["v1", "Pod", "b"],
      ["v1", "Pod", "c"],
    ],
  );
  assert.equal(resourceVersion, "7");
  assert.deepEqual(api.requests, [
    "GET /api/v1/pods?labelSelector=app%3Dx&limit=500",
    "GET /api/v1/pods?labelSelector=app%3Dx&limit=500&continue=more",
  ]);
});

cleanTest("a list that expires between pages is read anew in one piece", async () => {
  await using api = await startApiServer((_request, url) => {
    if (url.pathname !== "/api/v1/namespaces/default/pods") return undefined;
    if (url.searchParams.has("continue")) return statusResponse(410, "Expired", "too old");
    if (url.searchParams.has("limit")) return podList(["a"], "7", "more");
    return podList(["a", "b"], "9");
  });
  const { items, resourceVersion } = await api.kube.list(POD, { namespace: "default" });
  assert.deepEqual(items.map((item) => item.metadata.name), ["a", "b"]);
  assert.equal(resourceVersion, "9");
});

cleanTest("a kind that is not served is empty; when it appears it is found", async () => {
  let installed = false;
  await using api = await startApiServer((_request, url) => {
    if (!installed) return undefined;
    if (url.pathname === "/apis/example.com/v1") {
      return Response.json({ resources: [{ name: "graphs", kind: "Graph", namespaced: true }] });
    }
    if (url.pathname === "/apis/example.com/v1/graphs") {
      return Response.json({
        metadata: { resourceVersion: "1" },
        items: [{ metadata: { name: "g" } }],
      });
    }
    return undefined;
  });
  const kind = { apiVersion: "example.com/v1", kind: "Graph" };
  assert.deepEqual(await api.kube.list(kind), { items: [], resourceVersion: "" });
  assert.equal(await api.kube.get({ ...kind, name: "g" }), undefined);
  assert.equal(await api.kube.delete({ ...kind, name: "g" }), false);
  await assert.rejects(api.kube.apply({ ...kind, metadata: { name: "g" } }), {
    code: "KUBE_KIND_UNKNOWN",
    exitCode: 3,
    message: /Cannot apply Graph g: the cluster does not know Graph of example\.com\/v1/,
  });
  installed = true;
  assert.equal((await api.kube.list(kind)).items.length, 1);
  const looked = api.requests.filter((request) => request === "GET /apis/example.com/v1").length;
  await api.kube.list(kind);
  assert.equal(
    api.requests.filter((request) => request === "GET /apis/example.com/v1").length,
    looked,
  );
});

cleanTest("apply, patch and delete say what they mean", async () => {
  const bodies: unknown[] = [];
  const types: (string | null)[] = [];
  await using api = await startApiServer(async (request) => {
    if (request.method === "GET") return undefined;
    bodies.push(await request.json());
    types.push(request.headers.get("content-type"));
    return Response.json({});
  });
  const ref = { apiVersion: "v1", kind: "ConfigMap", name: "a/b", namespace: "ns" };
  const object = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "a", namespace: "ns", managedFields: [] },
  };
  await api.kube.apply(object, { dryRun: true, force: false, fieldValidation: "Warn" });
  await api.kube.apply(object);
  await api.kube.patch(ref, "merge", { data: null }, "status");
  await api.kube.patch(ref, "json", []);
  await api.kube.delete(ref, { propagation: "Foreground", gracePeriodSeconds: 0, uid: "u" });
  const path = "/api/v1/namespaces/ns/configmaps";
  assert.deepEqual(api.requests, [
    `PATCH ${path}/a?fieldManager=dynamo-eks&force=false&fieldValidation=Warn&dryRun=All`,
    `PATCH ${path}/a?fieldManager=dynamo-eks&force=true&fieldValidation=Strict`,
    `PATCH ${path}/a%2Fb/status?fieldManager=dynamo-eks`,
    `PATCH ${path}/a%2Fb?fieldManager=dynamo-eks`,
    `DELETE ${path}/a%2Fb`,
  ]);
  assert.deepEqual(types, [
    "application/apply-patch+yaml",
    "application/apply-patch+yaml",
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/json",
  ]);
  const sent = { ...object, metadata: { name: "a", namespace: "ns" } };
  assert.deepEqual(bodies, [sent, sent, { data: null }, [], {
    kind: "DeleteOptions",
    apiVersion: "v1",
    propagationPolicy: "Foreground",
    gracePeriodSeconds: 0,
    preconditions: { uid: "u" },
  }]);
});

cleanTest("deleting one very object passes over another of its name", async () => {
  await using api = await startApiServer((request) =>
    request.method === "DELETE"
      ? statusResponse(409, "Conflict", "Precondition failed: UID in precondition")
      : undefined
  );
  const ref = { ...POD, name: "a", namespace: "ns" };
  assert.equal(await api.kube.delete(ref, { uid: "u" }), false);
  await assert.rejects(api.kube.delete(ref), { code: "KUBE_CONFLICT" });
});
