import assert from "node:assert/strict";
import { resolveRelease } from "../../blueprint/release.ts";
import type { TaskError } from "../../cli/errors.ts";
import { fastClock, startApiServer } from "../../kube/testing.ts";
import { OPERATOR_NAME } from "./platform_names.ts";
import { waitPlatform } from "./platform_wait.ts";

const kinds = (groupVersion: string, ...names: readonly string[]) =>
  Response.json({
    kind: "APIResourceList",
    groupVersion,
    resources: names.map((kind) => ({
      name: `${kind.toLowerCase()}s`,
      kind,
      namespaced: kind !== "Namespace",
    })),
  });

const CRASHING = {
  metadata: { name: "operator-0", namespace: "dynamo" },
  spec: { containers: [{ name: "manager" }] },
  status: {
    phase: "Running",
    containerStatuses: [{
      name: "manager",
      ready: false,
      restartCount: 3,
      state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s" } },
      lastState: { terminated: { exitCode: 3 } },
    }],
  },
};

Deno.test("an operator that crashes is told with the last lines of its log", async () => {
  await using api = await startApiServer((_request, { pathname }) => {
    const list = (items: readonly object[]) => Response.json({ metadata: {}, items });
    switch (pathname) {
      case "/api/v1":
        return kinds("v1", "Pod", "Event");
      case "/apis/apps/v1":
        return kinds("apps/v1", "Deployment");
      case "/apis/nvidia.com/v1alpha1":
        return kinds("nvidia.com/v1alpha1", "DynamoGraphDeployment", "DynamoComponentDeployment");
      case `/apis/apps/v1/namespaces/dynamo/deployments/${OPERATOR_NAME}`:
        return Response.json({ metadata: { name: OPERATOR_NAME, generation: 1 }, status: {} });
      case "/api/v1/namespaces/dynamo/pods":
        return list([CRASHING]);
      case "/api/v1/namespaces/dynamo/events":
        return list([]);
      case "/api/v1/namespaces/dynamo/pods/operator-0/log":
        return new Response('{"level":"error","message":"nobody may list graphs"}\n');
      default:
        return undefined;
    }
  }, { clock: fastClock(50) });
  const options = { namespace: "dynamo", timeoutMs: 10_000 };
  const release = resolveRelease("0.4.1");
  await assert.rejects(
    waitPlatform(api.ctx, api.kube, { ...options, release }),
    (error: TaskError) => {
      assert.equal(error.code, "PLATFORM_NOT_READY");
      const text = error.evidence.join("\n");
      assert.match(text, /manager: waiting: CrashLoopBackOff.*ended with exit code 3/);
      assert.match(text, /nobody may list graphs/);
      return true;
    },
  );
});
