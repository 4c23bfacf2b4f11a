/**
 * What `deno task cleanup --audit` and `--sweep` say: faults of AWS, what stays on purpose, what is
 * left to a person, and all of it as data.
 */
import assert from "node:assert/strict";
import { infrastructureSteps } from "../../lib/cleanup/infrastructure.ts";
import { openPlace } from "../../lib/cleanup/place.ts";
import type { Context } from "../../lib/cli/context.ts";
import { runCommand } from "../../lib/cli/main.ts";
import { runPlan } from "../../lib/cli/plan.ts";
import { fixedEnvironment, testContext } from "../../lib/cli/testing.ts";
import type { LeakReport } from "../../lib/aws/sweep/report.ts";
import type { AwsSession } from "../../lib/aws/session.ts";
import { s3Backend, stateBucketName } from "../../lib/terraform/backend.ts";
import { workFolder } from "../../lib/terraform/work_folder.ts";
import { command } from "../../tasks/cleanup.ts";
import { type AwsAnswer, fault, startAwsFront } from "../support/aws_front.ts";
import { awsEnvironment, type Moto, withMoto } from "../support/moto.ts";
import { assertFits, assertTextFits, readSchema } from "../support/schemas.ts";
import { makeNetwork } from "./aws_sweep_world.ts";

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };

const ACCOUNT = "123456789012";
const REGION = "us-west-2";
const THERE = ["--cluster", "dynamo", "--region", REGION];

interface Said {
  readonly code: number;
  readonly out: string;
  readonly talk: string;
}

/** Runs the task in this process, behind a front with these answers. */
async function cleanup(
  moto: Moto,
  words: readonly string[],
  answers: Record<string, AwsAnswer> = {},
): Promise<Said & { readonly calls: readonly string[] }> {
  await using front = startAwsFront({ behind: moto.url, answers });
  const env = { ...awsEnvironment(front.url), AWS_MAX_ATTEMPTS: "3" };
  await using test = await testContext({ env });
  const code = await runCommand(test.ctx, command, words);
  const { data, talk } = test.heard;
  return { code, out: data.join("\n"), talk: talk.join("\n"), calls: [...front.calls] };
}

Deno.test(
  "audit and sweep: faults, what stays on purpose, what is left to a person",
  relaxed,
  async (t) => {
    await withMoto(async (moto) => {
      await using made = await testContext();
      const aws = await moto.aws(made.ctx);
      const audit = ["--audit", ...THERE];

      await t.step("throttling is waited out, and told where it stays", async () => {
        const slow = fault("RequestLimitExceeded", 503);
        const once = await cleanup(moto, audit, {
          "ec2:DescribeVolumes": (call, n) => n === 1 ? slow(call, n) : undefined,
        });
        assert.equal(once.code, 0, once.talk);
        assert.match(once.out, /^Nothing of dynamo was found/);
        assert.equal(once.calls.filter((one) => one === "ec2:DescribeVolumes").length, 2);

        const always = { "ec2:DescribeVolumes": slow, "logs:*": fault("ThrottlingException", 400) };
        const text = await cleanup(moto, audit, always);
        assert.equal(text.code, 1, text.talk);
        assert.doesNotMatch(text.out, /Nothing of dynamo/);
        // The table is as wide as a terminal.
        const rows = text.out.replaceAll(/\s+/g, " ");
        assert.match(rows, /volumes could not be \? .*ec2:DescribeVolumes after 3 attempts/);
        assert.match(rows, /log groups could not be \? .*logs:DescribeLogGroups after 3 attempts/);
        assert.match(text.talk, /2 listings could not be read: whether more .* is not known/s);
        const data = await cleanup(moto, [...audit, "--output", "json"], always);
        assert.equal(data.code, 1, data.talk);
        const report: LeakReport = await assertTextFits("cleanup-audit", data.out);
        assert.equal(report.blind.length, 2);
        assert.equal(report.complete, false);
      });

      await t.step(
        "a network of ours is not deleted while nobody can tell who is in it",
        async () => {
          await makeNetwork(aws, "dynamo");
          // The listing of all is let through, those of one VPC are not.
          const mine = fault("RequestLimitExceeded", 503);
          const words = ["--sweep", "--yes", ...THERE, "--output", "json"];
          const blind = await cleanup(moto, words, {
            "ec2:DescribeNetworkInterfaces": (call, n) =>
              call.body.includes("vpc-id") ? mine(call, n) : undefined,
          });
          assert.equal(blind.code, 1, blind.talk);
          const { plan, result, audit } = await assertTextFits("cleanup-sweep", blind.out);
          assert.deepEqual([plan.task, result.level], ["cleanup", "sweep"]);
          const vpc = audit.leaks.find((one: { kind: string }) => one.kind === "vpc");
          assert.match(vpc.why, /who else is in its VPC is not known/);
          assert.match(audit.blind.join(), /who else is in its network: AWS is limiting calls/);

          const whole = await cleanup(moto, words);
          assert.equal(whole.code, 0, whole.talk);
          const all = await assertTextFits("cleanup-sweep", whole.out);
          assert.deepEqual(all.audit.leaks, []);
          assert.ok(all.plan.steps[0].touches.length > 4, whole.out);
          await assertFits("cleanup", all.result);
          const { $defs = {} } = await readSchema("cleanup-sweep");
          for (const [part, name] of [["result", "cleanup"], ["audit", "cleanup-audit"]] as const) {
            assert.deepEqual($defs[part]?.properties, (await readSchema(name)).properties, name);
          }
          const { steps } = (await readSchema("plan")).properties ?? {};
          assert.deepEqual($defs["plan"]?.properties?.["steps"], steps);
        },
      );

      await t.step("credentials that have expired end it, also in the middle", async () => {
        const at = async (answers: Record<string, AwsAnswer>) => {
          const said = await cleanup(moto, audit, answers);
          assert.equal(said.code, 3, said.talk);
          assert.equal(said.out, "");
          assert.match(said.talk, /The AWS credentials have expired.*Log in again: aws sso login/s);
        };
        await at({ "sts:*": fault("ExpiredToken", 403) });
        await at({ "iam:ListRoles": fault("ExpiredToken", 403) });
        await at({ "eks:*": fault("ExpiredTokenException", 403) });
      });

      await t.step("a log group without tags is left to a person, with the command", async () => {
        const logs = await aws.logs();
        const logGroupName = "/aws/eks/dynamo/cluster";
        await logs.createLogGroup({ logGroupName });
        const data = await cleanup(moto, [...audit, "--output", "json"]);
        assert.equal(data.code, 1, data.talk);
        const report: LeakReport = await assertTextFits("cleanup-audit", data.out);
        const [row] = report.leaks;
        assert.deepEqual([row?.kind, row?.belonging], ["log-group", "suspect"]);
        const words =
          `aws logs delete-log-group --log-group-name ${logGroupName} --region ${REGION}`;
        assert.equal(row?.command, words);
        const text = (await cleanup(moto, audit)).out;
        assert.ok(
          text.includes(`\nTo delete log-group ${logGroupName}: ${words}`),
          text,
        );
        // While a cluster of that name lives it is that one's.
        await moto.cluster(made.ctx, { name: "dynamo" });
        const alive = await cleanup(moto, [...audit, "--output", "json"]);
        const { leaks }: LeakReport = JSON.parse(alive.out);
        assert.equal(leaks.find(({ kind }) => kind === "log-group")?.command, null);
        await moto.reset();
      });
      await t.step(
        "the state in S3 goes with its versions, and the bucket last",
        () => states(moto, aws),
      );
    });
  },
);

/** One bucket with the states of two clusters and something else. */
async function states(moto: Moto, aws: AwsSession): Promise<void> {
  await using made = await testContext({ env: moto.env });
  const { ctx } = made;
  const s3 = await aws.s3();
  const Bucket = stateBucketName(ACCOUNT, REGION);
  await s3.createBucket({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } });
  await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
  const keyOf = (name: string) => `${REGION}/${name}/terraform.tfstate`;
  const empty = JSON.stringify({ version: 4, resources: [] });
  const kept = [keyOf("dynamo-2"), `${keyOf("dynamo")}.of-somebody`];
  for (const Key of [keyOf("dynamo"), ...kept]) {
    for (const Body of ["{}", "{}", empty]) await s3.putObject({ Bucket, Key, Body });
  }
  // Locks come and go, and each leaves a version and a marker.
  for (const name of ["dynamo", "dynamo-2"]) {
    const Key = `${keyOf(name)}.tflock`;
    await s3.putObject({ Bucket, Key, Body: "{}" });
    await s3.deleteObject({ Bucket, Key });
  }
  const versions = async () => {
    const found = await s3.listObjectVersions({ Bucket });
    return [...found.Versions ?? [], ...found.DeleteMarkers ?? []]
      .map(({ Key, VersionId }) => `${Key} ${VersionId}`).sort();
  };
  const before = await versions();
  assert.equal(before.length, 13);
  const others = before.filter((one) => !/\/dynamo\/terraform\.tfstate(\.tflock)? /.test(one));
  assert.equal(others.length, 8);

  // It is not tagged: the state goes, the bucket is nobody's to delete.
  assert.match(await removeState(ctx, moto, "dynamo"), /^5 versions of the state gone; .* stays/);
  assert.deepEqual(await versions(), others);
  const auditOf = async (name: string) => {
    const words = ["--audit", "--cluster", name, "--region", REGION, "--output", "json"];
    const said = await cleanup(moto, words);
    const report: LeakReport = await assertTextFits("cleanup-audit", said.out);
    return { code: said.code, row: report.leaks.find(({ kind }) => kind === "bucket") };
  };
  assert.equal((await auditOf("dynamo")).row, undefined);

  const TagSet = [{ Key: "managed-by", Value: "dynamo-eks" }];
  await s3.putBucketTagging({ Bucket, Tagging: { TagSet } });
  const { code, row } = await auditOf("dynamo");
  assert.equal(code, 0, "it is told, and no leak");
  assert.deepEqual([row?.belonging, row?.billable], ["kept", false]);
  assert.match(row!.why, /the states of dynamo-2 \(us-west-2\) and 1 other objects$/);
  const text = await cleanup(moto, ["--audit", ...THERE]);
  assert.match(text.out.replaceAll(/\s+/g, " "), /bucket dynamo-eks-state.* kept on/);
  // Buckets, tags, versions: who may not list the last is told of the bucket all the same.
  const denied = await cleanup(moto, ["--audit", ...THERE, "--output", "json"], {
    "s3:*": (call, n) => n === 3 ? fault("AccessDenied", 403)(call, n) : undefined,
  });
  assert.equal(denied.code, 0, denied.talk);
  const [told] = (JSON.parse(denied.out) as LeakReport).leaks;
  assert.match(told?.why ?? "", /what is in it may not be looked at/);
  // A sweep leaves it alone.
  const swept = await cleanup(moto, ["--sweep", "--yes", ...THERE]);
  assert.equal(swept.code, 0, swept.talk);
  assert.deepEqual(await versions(), others);

  // With somebody else's object in it the bucket stays; without, it goes with the last state.
  assert.match(await removeState(ctx, moto, "dynamo-2"), /stays: it holds 1 other objects/);
  const foreign = kept[1]!;
  for (const one of await versions()) {
    const [Key, VersionId] = one.split(" ");
    assert.equal(Key, foreign);
    await s3.deleteObject({ Bucket, Key, VersionId });
  }
  await s3.putObject({ Bucket, Key: keyOf("dynamo"), Body: empty });
  assert.match(await removeState(ctx, moto, "dynamo"), new RegExp(`^1 versions .* and ${Bucket}$`));
  assert.deepEqual((await s3.listBuckets({})).Buckets, []);
  // Once more is no error: it was stopped between the state and the folder.
  assert.match(await removeState(ctx, moto, "dynamo"), /^0 versions/);
}

/** The last step of `--all`: the work folder and the state that it leads to. */
async function removeState(base: Context, moto: Moto, name: string): Promise<string> {
  const ctx = { ...base, env: fixedEnvironment(moto.env) };
  const ref = { name, region: REGION };
  const folder = workFolder(ctx, ref);
  await ctx.fs.mkdir(folder, { recursive: true });
  const place = { cluster: name, region: REGION, account: ACCOUNT, profile: undefined, from: "" };
  const stack = {
    folder,
    note: { ...ref, account: ACCOUNT, backend: s3Backend(ACCOUNT, ref) },
    state: undefined,
  };
  const steps = infrastructureSteps(await openPlace(ctx, place), stack, { lost: false });
  const plan = { task: "cleanup", facts: {}, warnings: [], steps: [steps.folder] };
  const [result] = await runPlan(ctx, plan);
  await assert.rejects(ctx.fs.stat(folder));
  return result?.detail ?? "";
}
