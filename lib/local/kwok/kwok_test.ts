import assert from "node:assert/strict";
import { parse } from "@std/yaml";
import { kwokCrds } from "./crds.ts";
import { kwokConfig } from "./stages.ts";

Deno.test("kwok has stages for nodes and none for pods: those are the node agent's", () => {
  const stages = kwokConfig().split("---\n").map((text) => parse(text)) as {
    kind: string;
    spec: { resourceRef: { kind: string }; next: { statusTemplate: string } };
  }[];
  assert.equal(stages.length, 2);
  for (const { kind, spec } of stages) {
    assert.equal(kind, "Stage");
    assert.equal(spec.resourceRef.kind, "Node");
    assert.match(spec.next.statusTemplate, /kubeletEndpoint: \{Port: \{\{ NodePort \}\}\}/);
  }
});

Deno.test("the resources for commands in pods are not served", () => {
  assert.deepEqual(kwokCrds().map((crd) => `${crd.spec.names.kind} ${crd.spec.scope}`), [
    "Logs Namespaced",
    "ClusterLogs Cluster",
    "PortForward Namespaced",
    "ClusterPortForward Cluster",
  ]);
});
