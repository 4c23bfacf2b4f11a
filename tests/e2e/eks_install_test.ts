/**
 * `deno task install --target eks` as a user runs it: the real terraform with stub providers,
 * AWS as moto, a real API server behind EKS tokens, real helm.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fault } from "../support/aws_front.ts";
import { describeCluster } from "../support/eks_endpoint.ts";
import { assertFits, assertTextFits } from "../support/schemas.ts";
import { assertPlain } from "../support/screen.ts";
import type { TaskResult } from "../support/task.ts";
import { signalWhen } from "../support/task_signals.ts";
import { cleanUpEverything } from "./eks_cleanup.ts";
import { NAME, withEks } from "./eks_support.ts";

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };

interface Event {
  readonly event: string;
  readonly time: string;
  readonly id?: string;
  readonly status?: string;
  readonly stage?: string;
  // deno-lint-ignore no-explicit-any -- whatever else an event tells
  readonly [name: string]: any;
}

/** Standard output of `--output json`: one event a line, and nothing else. */
async function eventsOf({ stdout }: TaskResult): Promise<Event[]> {
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as Event);
  for (const event of events) await assertFits("install", event);
  return events;
}

function stepsOf(events: readonly Event[], status: string): string[] {
  return events.filter((one) => one.event === "step" && one.status === status).map(({ id }) => id!);
}

Deno.test(
  "a fresh install goes to the end, again changes nothing, knows its cluster, and cleanup takes it all away (DYNAMO_FUZZ=full: broken at every step)",
  relaxed,
  (t) =>
    withEks("eks-fresh", async (test) => {
      const { ctx, task, install, answers, endpoint, folder, kube } = test;
      const unseen = await task([
        "install",
        "--target",
        "eks",
        "--chart-repository",
        test.repository.url,
      ]);
      assert.equal(unseen.code, 2, unseen.stderr);
      assert.match(unseen.stderr, /needs a yes, and there is no terminal.*--yes/s);
      const dry = await install(["--dry-run"]);
      assert.equal(dry.code, 0, dry.stderr);
      assert.match(dry.stderr, /Terraform: \d+ to create.*platform, which is planned when/s);
      assertPlain("install --dry-run", dry.stderr.slice(dry.stderr.indexOf("Terraform: ")));
      const tokenless = await install([], { env: { HF_TOKEN: "" } });
      assert.equal(tokenless.code, 3, tokenless.stderr);
      assert.match(tokenless.stderr, /no Hugging Face token.*--without-hf-token/s);
      const key = `eks:GET /clusters/${NAME}`;
      const described = answers[key]!;
      answers[key] = describeCluster(() => ({ name: NAME, endpoint }));
      const taken = await install();
      assert.equal(taken.code, 3, taken.stderr);
      assert.match(taken.stderr, /terraform's state here does not know.*--backend s3/s);
      answers[key] = described;
      assert.deepEqual(await test.state(), [], "nothing is made without a yes");

      const first = await install(["--output", "json", "--ngc-pull-secret"]);
      assert.equal(first.code, 0, first.stderr);
      const events = await eventsOf(first);
      assert.deepEqual(stepsOf(events, "done"), [
        "checks",
        "aws-account",
        "terraform-init",
        "terraform-plan",
        "terraform-vpc",
        "terraform-eks",
        "terraform-addons",
        "kubeconfig",
        "platform-namespace",
        "platform-hf-token",
        "platform-pull-secret",
        "helm-dynamo-crds",
        "helm-dynamo-platform",
        "platform-ready",
        "monitoring",
        "target",
      ]);
      const plan = events.find(({ event }) => event === "plan")!;
      assert.ok(plan["counts"].create > 50 && plan["counts"].delete === 0);
      const made = events.filter((one) => one.event === "resource" && one.status === "done");
      assert.equal(made.length, plan["counts"].create, "every resource is told, in its stage");
      assert.deepEqual([...new Set(made.map(({ stage }) => stage))], ["vpc", "eks", "addons"]);
      const { target } = events.at(-1)!;
      assert.equal(events.at(-1)!.event, "installed");
      assert.deepEqual(target.cluster, {
        name: NAME,
        region: "us-west-2",
        account: "123456789012",
        endpoint: endpoint.url,
      });
      const { uid, ...remembered } = JSON.parse(
        await Deno.readTextFile(`${ctx.home}/target.json`),
      );
      assert.deepEqual(remembered, target);
      const system = await kube.get({ apiVersion: "v1", kind: "Namespace", name: "kube-system" });
      assert.equal(uid, system!.metadata.uid);
      assert.equal((await Deno.stat(target.kubeconfig)).mode! & 0o777, 0o600);
      assert.deepEqual(endpoint.refused, []);
      const operator = await kube.get({
        apiVersion: "apps/v1",
        kind: "Deployment",
        namespace: "dynamo-cloud",
        name: "dynamo-platform-dynamo-operator-controller-manager",
      });
      assert.ok(operator);

      const again = await install(["--output", "json"]);
      assert.equal(again.code, 0, again.stderr);
      assert.ok(again.ms < first.ms, `${again.ms} ms, first ${first.ms} ms`);
      assert.equal(
        (await eventsOf(again)).find(({ event }) => event === "plan")!["counts"].create,
        0,
      );
      assert.deepEqual(
        stepsOf(await eventsOf(again), "done").filter((id) => /vpc|eks|addons/.test(id)),
        [],
      );
      // Without a change there is nothing to agree to.
      const unasked = await task([
        "install",
        "--chart-repository",
        test.repository.url,
      ]);
      assert.equal(unasked.code, 0, unasked.stderr);

      const output = await task(["infra", "output", "cluster_name"]);
      assert.deepEqual([output.code, output.stdout], [0, `${NAME}\n`], output.stderr);
      const all = await task(["infra", "output", "--output", "json"]);
      assert.equal((await assertTextFits("infra", all.stdout)).region, "us-west-2");
      const unknown = await task(["infra", "output", "cluster_nam"]);
      assert.equal(unknown.code, 2, unknown.stderr);
      const planned = await task(["infra", "plan"]);
      assert.deepEqual([planned.code, planned.stdout.split("\n")[0]], [
        0,
        "Terraform: nothing to change",
      ], planned.stderr);
      assertPlain("infra plan", planned.stdout);

      // Other tasks make their tokens themselves: they may not run programs.
      const status = await task(["status"]);
      assert.equal(status.code, 0, status.stderr);
      answers[key] = describeCluster(() => ({ name: NAME, endpoint: "https://other.example" }));
      const other = await task(["status"]);
      assert.equal(other.code, 3, other.stderr);
      assert.match(other.stderr, /is another cluster than the one that was installed/);
      answers[key] = describeCluster(() => ({ name: NAME, endpoint, account: "999999999999" }));
      const account = await task(["status"]);
      assert.match(account.stderr, /credentials are of account 999999999999/);
      answers[key] = describeCluster(() => undefined);
      const gone = await task(["status"]);
      assert.match(gone.stderr, /There is no EKS cluster "dynamo-on-eks" in us-west-2 any more/);
      answers[key] = described;

      const text = await Deno.readTextFile(`${folder}/stack.json`);
      await Deno.writeTextFile(
        `${folder}/stack.json`,
        text.replace("123456789012", "111111111111"),
      );
      const foreign = await install();
      assert.equal(foreign.code, 3, foreign.stderr);
      assert.match(foreign.stderr, /begun in account 111111111111/);
      await Deno.writeTextFile(`${folder}/stack.json`, text);

      await cleanUpEverything(t, test);
    }),
);

Deno.test(
  "whatever breaks an install, the same command goes on and finishes it",
  relaxed,
  () =>
    withEks("eks-broken", async (test) => {
      const { install, answers, state, folder } = test;
      // AWS lets nobody in any more.
      answers["sts:*"] = fault("ExpiredToken", 403);
      const expired = await install();
      assert.equal(expired.code, 3, expired.stderr);
      assert.match(expired.stderr, /The AWS credentials have expired.*Log in again/s);
      delete answers["sts:*"];

      // A step of terraform fails.
      const failed = await install(["--output", "json"], {
        env: { TFSTUB_FAIL: "create:helm_release:/karpenter/" },
      });
      assert.equal(failed.code, 1, failed.stderr);
      const failure = (await eventsOf(failed)).at(-1)!;
      assert.deepEqual([failure.event, failure["code"]], ["error", "TERRAFORM_FAILED"]);
      assert.match(failure["message"], /^helm_release\.karpenter\w*: .* \(karpenter\.tf:\d+\)$/);
      assert.match(failed.stderr, /Everything it said: .*apply\.jsonl/);
      const afterFailure = await state();
      assert.ok(afterFailure.some((address) => address.startsWith("module.eks.")));
      assert.ok(!afterFailure.includes("helm_release.karpenter"));

      // Ctrl-C while something slow is made.
      const stopped = await install([], {
        env: { TFSTUB_DELAY: "create:helm_release=8s" },
        onStart: (child) =>
          void signalWhen(child, {
            folder,
            command: "apply",
            says: /helm_release[^"]*: Creating/,
            signal: "SIGINT",
          }),
      });
      assert.equal(stopped.code, 130, stopped.stderr);
      assert.match(stopped.stderr, /the same command goes on from here/);
      assert.ok((await state()).length >= afterFailure.length);

      // EKS is asked too often, for good and then for a while.
      const key = `eks:GET /clusters/${NAME}`;
      const described = answers[key]!;
      answers[key] = fault("TooManyRequestsException", 429);
      const throttled = await install(["--skip-checks"], { env: { AWS_MAX_ATTEMPTS: "2" } });
      assert.equal(throttled.code, 1, throttled.stderr);
      assert.match(throttled.stderr, /wait|often|many/i);
      let times = 0;
      answers[key] = (call, n) =>
        times++ < 2 ? fault("TooManyRequestsException", 429)(call, n) : described(call, n);

      const whole = await install();
      assert.equal(whole.code, 0, whole.stderr);
      assert.ok(times > 2);
      assert.match(whole.stderr, /Dynamo 0\.4\.1 is installed on EKS cluster dynamo-on-eks/);
      for await (const { name } of Deno.readDir(folder)) assert.ok(!name.endsWith(".tfplan"), name);
      assert.ok((await Array.fromAsync(Deno.readDir(`${folder}/backups`))).length > 0);
    }),
);

Deno.test(
  "stages by themselves, two clusters side by side, the state in S3",
  relaxed,
  () =>
    withEks("eks-parts", async (test) => {
      const { install, task, answers, ctx } = test;
      // moto takes the policy's Deny without its condition, and loopback is no TLS.
      answers["s3:*"] = (call) =>
        call.body.includes("aws:SecureTransport") ? new Response(null, { status: 204 }) : undefined;
      const local = await install(["--stage", "vpc"]);
      assert.equal(local.code, 0, local.stderr);
      assert.match(local.stderr, /Stage vpc is there/);
      const addresses = await test.state();
      assert.ok(addresses.length > 0 && !addresses.some((one) => one.startsWith("module.eks.")));

      const dry = await task(["infra", "plan", "--name", "second", "--backend", "s3"]);
      assert.equal(dry.code, 0, dry.stderr);
      const s3 = await (await test.moto.aws(ctx)).s3();
      assert.deepEqual((await s3.listBuckets({})).Buckets, [], "a plan makes no bucket");
      const second = await install(["--stage", "vpc", "--name", "second", "--backend", "s3"]);
      assert.equal(second.code, 0, second.stderr);
      assert.match(
        second.stderr,
        /state in s3:\/\/dynamo-eks-state-123456789012-us-west-2\/us-west-2\/second\//,
      );
      const objects = await s3.listObjectsV2({ Bucket: "dynamo-eks-state-123456789012-us-west-2" });
      assert.deepEqual(objects.Contents?.map(({ Key }) => Key), [
        "us-west-2/second/terraform.tfstate",
      ]);
      // The backend is remembered, and the first cluster is none the wiser.
      const plan = await task(["infra", "plan", "--stage", "vpc", "--name", "second"]);
      assert.match(plan.stdout, /^Terraform: nothing to change/, plan.stderr);
      assert.deepEqual(await test.state(), addresses);
      const missing = await install(["--stage", "platform", "--name", "third"]);
      assert.equal(missing.code, 3, missing.stderr);
      assert.match(missing.stderr, /There is no EKS cluster "third" in us-west-2/);
      const words = await task(["install", "--target", "local", "--stage", "vpc"]);
      assert.equal(words.code, 2, words.stderr);
    }),
);

Deno.test(
  "only the platform, on any context of a kubeconfig",
  relaxed,
  () =>
    withEks("eks-context", async ({ task, repository, kubeconfig, ctx }) => {
      const env = { KUBECONFIG: kubeconfig };
      const words = ["install", "--context", "dynamo-local", "--chart-repository", repository.url];
      const unseen = await task(words, { env });
      assert.equal(unseen.code, 2, unseen.stderr);
      const unknown = await task([...words.slice(0, 2), "dynamo-loca", "--yes"], { env });
      assert.equal(unknown.code, 3, unknown.stderr);
      const done = await task([...words, "--yes"], { env });
      assert.equal(done.code, 0, done.stderr);
      const target = JSON.parse(await Deno.readTextFile(`${ctx.home}/target.json`));
      assert.deepEqual([target.kind, target.context], ["context", "dynamo-local"]);
      assert.equal((await task(["status"], { env })).code, 0);
      // The name comes to mean another cluster.
      const elsewhere = `${ctx.home}/elsewhere`;
      const text = await Deno.readTextFile(kubeconfig);
      await Deno.writeTextFile(elsewhere, text.replace(/127\.0\.0\.1:\d+/, "127.0.0.1:9"));
      const moved = await task(["status"], { env: { KUBECONFIG: elsewhere } });
      assert.equal(moved.code, 3, moved.stderr);
      assert.match(moved.stderr, /leads to https:\/\/127\.0\.0\.1:9; Dynamo was installed at/);
      await Deno.remove(elsewhere);
    }),
);
