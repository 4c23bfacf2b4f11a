import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import type { Target } from "../target/target.ts";
import { findMonitoring, grafanaLogin } from "./services.ts";

const EKS: Target = { kind: "eks", namespace: "dynamo-cloud", release: "1.6.1", kubeconfig: "/k" };

function service(namespace: string, name: string, labels: Record<string, string>): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name, labels },
    spec: { ports: [{ port: 80 }] },
  };
}

/** A cluster with these objects, which answers only what these functions ask. */
function cluster(objects: readonly KubeObject[]): Kube {
  return {
    list: (_kind: unknown, { labelSelector = "" }: { labelSelector?: string }) => {
      const [key = "", value] = labelSelector.split("=");
      const items = objects.filter((object) => object.metadata.labels?.[key] === value);
      return Promise.resolve({ items, resourceVersion: "1" });
    },
    get: ({ kind, name }: { kind: string; name: string }) =>
      Promise.resolve(
        objects.find((object) => object.kind === kind && object.metadata.name === name),
      ),
  } as unknown as Kube;
}

Deno.test("the Service is found by label, the stack's own namespace first", async () => {
  const labels = { "app.kubernetes.io/name": "grafana" };
  const kube = cluster([
    service("other", "grafana", labels),
    service("kube-prometheus-stack", "kube-prometheus-stack-grafana", labels),
    service("other", "prometheus-operated", { "operated-prometheus": "true" }),
  ]);
  assert.deepEqual(await findMonitoring(kube, EKS, "grafana"), {
    namespace: "kube-prometheus-stack",
    name: "kube-prometheus-stack-grafana",
    port: 80,
  });
  assert.equal((await findMonitoring(kube, EKS, "prometheus")).namespace, "other");
});

Deno.test("without monitoring the error says what to do on that target", async () => {
  const failure = async (target: Target) => {
    const error = await findMonitoring(cluster([]), target, "prometheus").catch((e) => e);
    assert.ok(error instanceof TaskError);
    assert.equal(error.code, "MONITORING_MISSING");
    assert.equal(error.exitCode, 3);
    assert.match(error.hint ?? "", /deno task monitor graph/);
    return `${error.message} ${error.hint}`;
  };
  assert.match(await failure(EKS), /enable_ai_ml_observability_stack = true/);
  assert.match(await failure({ ...EKS, kind: "local" }), /not part of the embedded cluster/);
});

Deno.test("the login names the user and a command, and hides the password", async () => {
  await using test = await testContext();
  const name = "kube-prometheus-stack-grafana";
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: "m" },
    data: { "admin-user": btoa("boss"), "admin-password": btoa("hunter-22") },
  };
  const where = { namespace: "m", name, port: 80 };
  const login = await grafanaLogin(test.ctx, cluster([secret]), where, EKS);
  assert.equal(login.user, "boss");
  assert.equal(
    login.passwordCommand,
    `kubectl --kubeconfig '/k' -n m get secret ${name} ` +
      "-o jsonpath='{.data.admin-password}' | base64 -d",
  );
  test.ctx.ui.out("hunter-22");
  assert.deepEqual(test.heard.data, ["***"]);
  assert.equal((await grafanaLogin(test.ctx, cluster([]), where, EKS)).user, "admin");
});
