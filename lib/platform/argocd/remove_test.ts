import assert from "node:assert/strict";
import { cleanTest, startApiServer, statusResponse } from "../../kube/testing.ts";
import { forgetApplication } from "./remove.ts";

const GROUP = "argoproj.io/v1alpha1";
const OURS = { name: "ours", namespace: "argocd" };

cleanTest(
  "an Application that goes while it is forgotten is no error; a refusal is one",
  async () => {
    let refusal = () =>
      statusResponse(404, "NotFound", 'applications.argoproj.io "ours" not found');
    await using api = await startApiServer((request, { pathname }) => {
      if (pathname === `/apis/${GROUP}`) {
        const resources = [{ name: "applications", kind: "Application", namespaced: true }];
        return Response.json({ kind: "APIResourceList", groupVersion: GROUP, resources });
      }
      if (request.method === "PATCH") return refusal();
      return Response.json({ apiVersion: GROUP, kind: "Application", metadata: OURS });
    });
    await forgetApplication(api.kube, OURS);
    assert.ok(api.requests.some((one) => one.startsWith("PATCH")));
    assert.ok(!api.requests.some((one) => one.startsWith("DELETE")));
    refusal = () => statusResponse(403, "Forbidden", "applications.argoproj.io is forbidden");
    await assert.rejects(forgetApplication(api.kube, OURS), { code: "KUBE_FORBIDDEN" });
  },
);
