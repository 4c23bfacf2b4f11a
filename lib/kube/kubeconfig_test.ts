import assert from "node:assert/strict";
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { kubeconfigFiles, loadKubeconfig } from "./kubeconfig.ts";
import { kubeconfigText } from "./testing.ts";

async function withFiles(
  files: Record<string, string>,
  run: (ctx: Context, folder: string) => Promise<void>,
  env: (folder: string) => Record<string, string> = () => ({}),
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    await using test = await testContext({ env: { HOME: folder, ...env(folder) } });
    await run(test.ctx, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function refused(run: Promise<unknown>, code: string): Promise<TaskError> {
  const error = await run.then(() => assert.fail(`${code} was expected`), (error) => error);
  assert.ok(error instanceof TaskError, String(error));
  assert.equal(error.code, code);
  assert.equal(error.exitCode, 3);
  assert.ok(error.hint !== undefined);
  return error;
}

Deno.test("a kubeconfig is looked for where kubectl looks", async () => {
  await using test = await testContext({ env: { HOME: "/home/me", KUBECONFIG: "/a::/b" } });
  assert.deepEqual(kubeconfigFiles(test.ctx, { kubeconfig: "x" }), ["x"]);
  assert.deepEqual(kubeconfigFiles(test.ctx), ["/a", "/b"]);
  await using plain = await testContext({ env: { HOME: "/home/me" } });
  assert.deepEqual(kubeconfigFiles(plain.ctx), ["/home/me/.kube/config"]);
});

Deno.test("the default file's current context is taken, with its namespace", async () => {
  const text = kubeconfigText("https://one:6443/", "{token: t}")
    .replace("user: tester}}]", "user: tester, namespace: dynamo}}]");
  await withFiles({ ".kube/config": text }, async (ctx) => {
    const config = await loadKubeconfig(ctx);
    assert.equal(config.name, "test");
    assert.equal(config.namespace, "dynamo");
    assert.equal(config.cluster.server, "https://one:6443");
    assert.equal(config.user.token, "t");
  });
});

Deno.test("of several files the first to define a name wins, and missing ones are passed over", async () => {
  const second = kubeconfigText("https://two:6443", "{token: two}")
    .replace("contexts: [", "contexts: [{name: other, context: {cluster: test}}, ");
  await withFiles({
    one: kubeconfigText("https://one:6443", "{token: one}"),
    two: second,
  }, async (ctx) => {
    const config = await loadKubeconfig(ctx);
    assert.equal(config.cluster.server, "https://one:6443");
    assert.equal(config.user.token, "one");
    const other = await loadKubeconfig(ctx, { context: "other" });
    assert.equal(other.cluster.server, "https://one:6443");
    assert.equal(other.user.token, undefined);
  }, (folder) => ({ KUBECONFIG: `${folder}/none:${folder}/one:${folder}/two` }));
});

Deno.test("paths in a kubeconfig start at its folder", async () => {
  const text = kubeconfigText("https://one", "{client-certificate: c.crt, client-key: /k.key}")
    .replace("cluster: {server", "cluster: {certificate-authority: pki/ca.crt, server");
  await withFiles({ "sub/config": text }, async (ctx, folder) => {
    const { cluster, user } = await loadKubeconfig(ctx, { kubeconfig: `${folder}/sub/config` });
    assert.equal(cluster.caFile, `${folder}/sub/pki/ca.crt`);
    assert.equal(user.certFile, `${folder}/sub/c.crt`);
    assert.equal(user.keyFile, "/k.key");
  });
});

Deno.test("a missing kubeconfig is named with what to do", async () => {
  await withFiles({}, async (ctx, folder) => {
    const error = await refused(loadKubeconfig(ctx), "KUBECONFIG_MISSING");
    assert.match(error.message, new RegExp(`${folder}/.kube/config`));
    assert.match(error.hint!, /install --target local/);
    await refused(loadKubeconfig(ctx, { kubeconfig: "/none/such" }), "KUBECONFIG_MISSING");
  });
});

Deno.test("an unknown context gets a suggestion and the list", async () => {
  await withFiles({ ".kube/config": kubeconfigText("https://one", "{}") }, async (ctx) => {
    const error = await refused(loadKubeconfig(ctx, { context: "tset" }), "KUBE_CONTEXT_UNKNOWN");
    assert.match(error.message, /"tset"\. Did you mean "test"\?/);
    assert.equal(error.hint, "Contexts: test.");
  });
});

Deno.test("broken YAML is placed, and what stands there is not repeated", async () => {
  const text = kubeconfigText("https://one", "{token: hidden-token, [}");
  await withFiles({ ".kube/config": text }, async (ctx) => {
    const error = await refused(loadKubeconfig(ctx), "KUBECONFIG_BROKEN");
    assert.match(error.message, /not YAML at line 4, column \d+/);
    assert.ok(!`${error.message}${error.cause}`.includes("hidden-token"));
  });
});

Deno.test("files that are no kubeconfig, or lack what they name, are refused", async () => {
  const lacking = kubeconfigText("https://one", "{}").replace(
    "cluster: test, user",
    "cluster: x, user",
  );
  const nameless = kubeconfigText("https://one", "{}").replace(
    "{name: test, cluster: {",
    "{cluster: {",
  );
  await withFiles({ list: "[]", empty: "", lacking, nameless }, async (ctx, folder) => {
    const load = (name: string) => loadKubeconfig(ctx, { kubeconfig: `${folder}/${name}` });
    await refused(load("list"), "KUBECONFIG_BROKEN");
    await refused(load("empty"), "KUBECONFIG_BROKEN");
    assert.match((await refused(load("lacking"), "KUBECONFIG_BROKEN")).message, /cluster "x"/);
    assert.match(
      (await refused(load("nameless"), "KUBECONFIG_BROKEN")).message,
      /clusters\[0\]\.name is missing/,
    );
  });
});
