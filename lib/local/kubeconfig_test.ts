import assert from "node:assert/strict";
import { parse } from "@std/yaml";
import { testContext } from "../cli/testing.ts";
import { CLIENT_NAMES, ensureCredentials } from "./credentials.ts";
import { kubeconfigPath, kubeconfigText, writeKubeconfigs } from "./kubeconfig.ts";
import { localLayout } from "./layout.ts";

const CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

Deno.test("a kubeconfig holds all it needs, under the context dynamo-local", () => {
  const text = kubeconfigText({
    server: "https://127.0.0.1:1",
    ca: CA,
    user: "admin",
    token: "123e4567",
  });
  assert.deepEqual(parse(text), {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{
      name: "dynamo-local",
      cluster: { server: "https://127.0.0.1:1", "certificate-authority-data": btoa(CA) },
    }],
    users: [{ name: "admin", user: { token: "123e4567" } }],
    contexts: [{ name: "dynamo-local", context: { cluster: "dynamo-local", user: "admin" } }],
    "current-context": "dynamo-local",
  });
});

Deno.test("every client gets its file with mode 0600; a new port rewrites them", async () => {
  await using made = await testContext();
  const { ctx } = made;
  const layout = localLayout(ctx);
  const credentials = await ensureCredentials(ctx, layout);
  for (const server of ["https://127.0.0.1:1", "https://127.0.0.1:2"]) {
    await writeKubeconfigs(ctx, layout, credentials, server, CA);
    for (const client of CLIENT_NAMES) {
      const path = kubeconfigPath(layout, client);
      const text = await Deno.readTextFile(path);
      assert.ok(text.includes(server) && text.includes(credentials.tokens[client]), path);
      assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    }
  }
});
