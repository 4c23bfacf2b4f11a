import assert from "node:assert/strict";
import { parse } from "@std/yaml";
import { testContext } from "../cli/testing.ts";
import { loadKubeconfig } from "../kube/kubeconfig.ts";
import { tokenCommand, writeEksKubeconfig } from "./eks_kubeconfig.ts";

const CLUSTER = {
  name: "my-cluster",
  region: "eu-central-1",
  account: "123456789012",
  endpoint: "https://ABC.gr7.eu-central-1.eks.amazonaws.com",
  status: "ACTIVE",
  version: "1.33",
  authority: btoa("-----BEGIN CERTIFICATE-----\n"),
  tags: {},
};

Deno.test("the kubeconfig is private, holds no secret, and names a program that prints tokens", async () => {
  await using made = await testContext({ env: { AWS_SECRET_ACCESS_KEY: "planted-secret" } });
  const path = `${made.ctx.home}/kubeconfig`;
  await writeEksKubeconfig(made.ctx, path, { ...CLUSTER, profile: "team" });
  assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  const text = await Deno.readTextFile(path);
  assert.ok(!text.includes("planted"));
  const { cluster, user, name } = await loadKubeconfig(made.ctx, { kubeconfig: path });
  assert.deepEqual([name, cluster.server], ["my-cluster.eu-central-1", CLUSTER.endpoint]);
  assert.equal(cluster.caData, CLUSTER.authority);
  assert.equal(user.exec.command, made.ctx.processes.denoPath);
  assert.deepEqual(user.exec.args.slice(-6), [
    "--name",
    "my-cluster",
    "--region",
    "eu-central-1",
    "--profile",
    "team",
  ]);
  // deno-lint-ignore no-explicit-any -- a kubeconfig
  const raw = parse(text) as any;
  assert.equal(raw.users[0].user.exec.interactiveMode, "Never");
});

Deno.test("the program prints an ExecCredential in the version that it is asked for", async () => {
  await using made = await testContext();
  const [program, ...args] = tokenCommand(made.ctx, { cluster: "c", region: "us-west-2" });
  for (const version of ["v1beta1", "v1"]) {
    const result = await made.ctx.processes.run(program!, args, {
      env: {
        AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
        AWS_SECRET_ACCESS_KEY: "planted-secret",
        KUBERNETES_EXEC_INFO: JSON.stringify({
          apiVersion: `client.authentication.k8s.io/${version}`,
          kind: "ExecCredential",
        }),
      },
    });
    assert.equal(result.code, 0, result.stderr);
    const { apiVersion, kind, status } = JSON.parse(result.stdout);
    assert.deepEqual([apiVersion, kind], [
      `client.authentication.k8s.io/${version}`,
      "ExecCredential",
    ]);
    assert.match(status.token, /^k8s-aws-v1\.[\w-]+$/);
    const left = Date.parse(status.expirationTimestamp) - Date.now();
    assert.ok(left > 13 * 60_000 && left <= 14 * 60_000, String(left));
  }
});
