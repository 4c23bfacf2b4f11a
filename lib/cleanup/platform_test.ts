import assert from "node:assert/strict";
import { cleanTest, startApiServer, statusResponse } from "../kube/testing.ts";
import { rememberTarget } from "../target/target.ts";
import { planPlatformCleanup } from "./platform.ts";

const V1 = {
  kind: "APIResourceList",
  groupVersion: "v1",
  resources: ["Pod", "Secret", "Namespace", "ConfigMap", "PersistentVolumeClaim"].map((kind) => ({
    name: `${kind.toLowerCase()}s`,
    kind,
    namespaced: kind !== "Namespace",
  })),
};

cleanTest("a plan that cannot be made leaves no connection open", async () => {
  await using api = await startApiServer((_request, { pathname }) => {
    if (pathname === "/version") return Response.json({ gitVersion: "v1.33.0" });
    if (pathname === "/api/v1") return Response.json(V1);
    // Helm's releases.
    if (pathname === "/api/v1/secrets") return statusResponse(403, "Forbidden", "no secrets");
    return pathname.startsWith("/api/v1/") ? Response.json({ metadata: {}, items: [] }) : undefined;
  });
  const { ctx } = api;
  await rememberTarget(ctx, {
    kind: "context",
    kubeconfig: `${ctx.home}.kubeconfig`,
    namespace: "default",
    release: "1.6.1",
  });
  await assert.rejects(planPlatformCleanup(ctx, { definitions: false }), {
    code: "KUBE_FORBIDDEN",
    message: /Secret/,
  });
});
