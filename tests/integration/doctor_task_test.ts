import assert from "node:assert/strict";
import { rememberTarget } from "../../lib/target/target.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { fault, startAwsFront } from "../support/aws_front.ts";
import { awsEnvironment, withMoto } from "../support/moto.ts";
import { assertTextFits } from "../support/schemas.ts";
import { assertPlain } from "../support/screen.ts";
import { runTaskProcess, type TaskResult } from "../support/task.ts";
import { withCluster } from "./cluster.ts";

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };

const TOKEN = "hf_plantedTokenOfTheTest";

/** Runs the doctor as a user does; what is not on this machine is behind a proxy that is not there. */
async function doctor(
  words: readonly string[],
  env: Record<string, string> = {},
  home?: string,
): Promise<TaskResult> {
  await using made = await testContext();
  const result = await runTaskProcess(["doctor", ...words], {
    home: home ?? made.ctx.home,
    timeoutMs: 120_000,
    env: {
      ...awsEnvironment("http://127.0.0.1:9"),
      AWS_MAX_ATTEMPTS: "1",
      HTTPS_PROXY: "http://127.0.0.1:9",
      DYNAMO_BLUEPRINT: "terraform/blueprint.tfvars",
      HF_TOKEN: TOKEN,
      ...env,
    },
  });
  const all = result.stdout + result.stderr;
  for (const secret of [TOKEN, "planted-moto-secret"]) assert.ok(!all.includes(secret));
  if (words.includes("json")) assert.ok(!all.includes("\x1b["), "no colours without a terminal");
  else assertPlain(`doctor ${words.join(" ")}`, result.stdout);
  return result;
}

const STATUSES = ["ok", "warn", "fail", "skipped"];

// deno-lint-ignore no-explicit-any -- what came out of a process
async function readReport({ stdout }: TaskResult): Promise<any> {
  const report = await assertTextFits("doctor", stdout);
  const ids = new Set<string>();
  for (const line of report.checks) {
    const needsTodo = line.status === "warn" || line.status === "fail";
    assert.equal(line.todo !== "", needsTodo, JSON.stringify(line));
    ids.add(line.id);
  }
  const counted = STATUSES.reduce((sum, status) => sum + report.counts[status], 0);
  assert.equal(counted, report.checks.length);
  assert.ok(ids.size > 5);
  return report;
}

Deno.test(
  "doctor --target eks, as a user runs it: moto's account and a real cluster",
  relaxed,
  async () => {
    await withMoto((moto) =>
      withCluster(async ({ ctx, cluster, namespace }) => {
        await using made = await testContext();
        const { kubeconfig } = cluster.layout;
        await moto.cluster(ctx, { name: "dynamo-on-eks" });
        await Deno.mkdir(made.ctx.home, { recursive: true });
        await rememberTarget(made.ctx, { kind: "eks", kubeconfig, namespace, release: "1.6.1" });
        const result = await doctor(["--output", "json"], moto.env, made.ctx.home);
        const report = await readReport(result);
        assert.deepEqual([report.target, report.region], ["eks", "us-west-2"]);
        assert.equal(result.code, { ok: 0, warn: 1, fail: 2 }[report.verdict as "ok"]);
        const status = (id: string) =>
          report.checks.find((line: { id: string }) => line.id === id).status;
        for (
          const id of ["aws-identity", "aws-region", "eks-cluster", "cluster", "storage-class"]
        ) {
          assert.equal(status(id), "ok", id);
        }
        assert.equal(status("platform-chart"), "warn", "the proxy is not there");
        assert.match(result.stderr, /Looking at eks/);
      })
    );
  },
);

Deno.test(
  "doctor without credentials that work: exit code 2, all else looked at",
  relaxed,
  async () => {
    await using front = startAwsFront({ answers: { "sts:*": fault("ExpiredToken", 403) } });
    const result = await doctor(["--target", "eks"], { AWS_ENDPOINT_URL: front.url });
    assert.equal(result.code, 2);
    assert.match(result.stdout, /FAIL {5}AWS identity: The AWS credentials have expired/);
    assert.match(result.stdout, /→ Log in again: aws sso login/);
    assert.match(result.stdout, /skipped {2}AWS region, AWS permissions, vCPU quotas/);
    assert.match(result.stdout, /ok {7}Hugging Face token/);
    assert.deepEqual(front.calls, ["sts:GetCallerIdentity"]);
  },
);

Deno.test("doctor takes a profile's keys, and says what to do without any", relaxed, async () => {
  await using made = await testContext();
  const file = `${made.ctx.home}-credentials`;
  await Deno.writeTextFile(
    file,
    "[team]\naws_access_key_id = AKIAOFTEAM\naws_secret_access_key = planted-moto-secret\n",
  );
  const keys: string[] = [];
  await using front = startAwsFront({
    answers: {
      "sts:*": (call, n) => {
        keys.push(call.accessKey);
        return fault("InvalidClientTokenId", 403)(call, n);
      },
    },
  });
  const env = { AWS_ENDPOINT_URL: front.url, AWS_SHARED_CREDENTIALS_FILE: file };
  const named = await doctor(["--target", "eks", "--profile", "team"], env);
  assert.deepEqual(keys, ["AKIAOFTEAM"], "the profile wins over the variables");
  assert.match(named.stdout, /AWS refused the credentials \(InvalidClientTokenId\)/);
  assert.match(named.stdout, /aws sso login --profile team/);

  const none = { ...env, AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
  const without = await doctor(["--target", "eks"], none);
  assert.equal(without.code, 2);
  assert.match(without.stdout, /FAIL {5}AWS identity: No AWS credentials/);
  assert.equal(keys.length, 1, "nothing is asked without credentials");
});

Deno.test("doctor --target local needs no AWS", async () => {
  const result = await doctor(["--target", "local", "--output", "json"]);
  const report = await readReport(result);
  assert.equal(report.region, null);
  assert.ok(!report.checks.some((line: { id: string }) => line.id.startsWith("aws-")));
});

Deno.test("doctor --context: a context that is not there fails one line", async () => {
  await using made = await testContext();
  const kubeconfig = `${made.ctx.home}.yaml`;
  await Deno.mkdir(made.ctx.home, { recursive: true });
  await Deno.writeTextFile(
    kubeconfig,
    "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n",
  );
  const result = await doctor(["--context", "nobody", "--output", "json"], {
    KUBECONFIG: kubeconfig,
  });
  assert.equal(result.code, 2);
  const report = await readReport(result);
  const cluster = report.checks.find((line: { id: string }) => line.id === "cluster");
  assert.equal(cluster.status, "fail");
  assert.match(cluster.why, /nobody/);
  const operator = report.checks.find((line: { id: string }) => line.id === "operator");
  assert.deepEqual([operator.status, operator.why], [
    "skipped",
    "needs the cluster, which cannot be reached",
  ]);
});

Deno.test("doctor refuses what it does not understand before it looks at anything", async () => {
  const wrong: [words: string[], says: RegExp][] = [
    [["--target", "nowhere"], /does not know "nowhere"/],
    [["--target", "eks", "--context", "a"], /does not go with --target eks/],
    [["--region", "the moon"], /AWS region such as us-west-2/],
    [["--dynamo-version", "latest"], /latest/],
    [["--profil", "x"], /profil/],
  ];
  for (const [words, says] of wrong) {
    const result = await doctor(words);
    assert.equal(result.code, 2, words.join(" "));
    assert.equal(result.stdout, "");
    assert.match(result.stderr, says);
  }
});
