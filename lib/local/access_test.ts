import assert from "node:assert/strict";
import { accessObjects } from "./access.ts";

Deno.test("nobody but the administrator may do everything, and only the operator writes secrets", () => {
  const roles = accessObjects().filter(({ kind }) => kind === "ClusterRole");
  assert.equal(roles.length, 3);
  for (const role of roles) {
    for (const rule of role.rules) {
      assert.ok(!rule.verbs.includes("*"), role.metadata.name);
      assert.ok(!rule.apiGroups.includes("*"), role.metadata.name);
      assert.ok(rule.apiGroups[0] === "nvidia.com" || !rule.resources.includes("*"));
      const writesSecrets = rule.apiGroups.includes("") && rule.resources.includes("secrets") &&
        rule.verbs.includes("create");
      assert.ok(!writesSecrets || role.metadata.name === "dynamo-eks:operator");
    }
  }
});

Deno.test("every role is bound to one user", () => {
  const bindings = accessObjects().filter(({ kind }) => kind === "ClusterRoleBinding");
  assert.deepEqual(
    bindings.map(({ roleRef, subjects }) => [roleRef.name, subjects[0].kind, subjects[0].name]),
    [
      ["dynamo-eks:kwok", "User", "system:dynamo-eks:kwok"],
      ["dynamo-eks:node-agent", "User", "system:dynamo-eks:node-agent"],
      ["dynamo-eks:operator", "User", "system:dynamo-eks:operator"],
    ],
  );
});
