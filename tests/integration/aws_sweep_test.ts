/**
 * The leak sweep against moto: everything of one cluster goes, nothing else is touched.
 */
import assert from "node:assert/strict";
import { tablePrices } from "../../lib/aws/prices.ts";
import { openAws } from "../../lib/aws/session.ts";
import type { AwsSession } from "../../lib/aws/session.ts";
import { takeInventory } from "../../lib/aws/sweep/inventory.ts";
import { leakReport } from "../../lib/aws/sweep/report.ts";
import { deletable, deleteLeaks } from "../../lib/aws/sweep/sweep.ts";
import type { Context } from "../../lib/cli/context.ts";
import { withContext } from "../../lib/cli/context.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { fault, startAwsFront } from "../support/aws_front.ts";
import { awsEnvironment, type Moto, withMoto } from "../support/moto.ts";
import { dumpAccount, makeClusterWorld, makeNetwork, ownTags, seeded } from "./aws_sweep_world.ts";

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };
const QUICK = { patienceMs: 2_000, pollMs: 20 };

Deno.test("moto: the sweep deletes one of two clusters with alike names", relaxed, async (t) => {
  await withMoto(async (moto) => {
    await using made = await testContext();
    const { ctx } = made;
    const aws = await moto.aws(ctx);
    await makeClusterWorld(aws, "dynamo-2");
    await makeStrangers(aws);
    const others = await dumpAccount(aws);
    await makeClusterWorld(aws, "dynamo");

    await t.step("the inventory tells kinds, ages and costs", async () => {
      const inventory = await takeInventory(aws, "dynamo");
      assert.deepEqual(inventory.blind, []);
      const report = leakReport(inventory, {
        account: "123456789012",
        prices: tablePrices("us-west-2"),
        now: Date.now(),
      });
      const own = report.leaks.filter((one) => one.belonging === "own");
      const kinds = new Set(own.map((one) => one.kind));
      assert.equal(kinds.size, 30, [...kinds].join(" "));
      const gpu = own.find((one) => one.kind === "instance");
      assert.equal(gpu?.usdPerMonth, 734.38);
      assert.equal(own.find((one) => one.kind === "load-balancer")?.usdPerMonth, null);
      assert.equal(report.complete, false);
      assert.ok(report.billable >= 10, String(report.billable));
    });

    await t.step("only what was agreed to is deleted", async () => {
      const agreed = [...deletable(await takeInventory(aws, "dynamo"))]
        .filter((key) => key.startsWith("snapshot/"));
      const before = await dumpAccount(aws);
      await deleteLeaks(ctx, aws, { cluster: "dynamo", agreed: new Set(agreed), ...QUICK });
      const after = await dumpAccount(aws);
      assert.deepEqual([...before.keys()].filter((key) => !after.has(key)), agreed);
    });

    await t.step("faults and interruptions in the middle, then the same again", async () => {
      await failInTheMiddle(ctx, moto);
      await interruptInTheMiddle(ctx, aws);
      assertUntouched(others, await dumpAccount(aws));
    });

    await t.step(
      "everything of the cluster goes, everything else stays byte for byte",
      async () => {
        const agreed = deletable(await takeInventory(aws, "dynamo"));
        await deleteLeaks(ctx, aws, { cluster: "dynamo", agreed, ...QUICK });
        assert.deepEqual(await dumpAccount(aws), others);
        const again = await takeInventory(aws, "dynamo");
        assert.deepEqual(again.leaks.filter((one) => one.belonging === "own"), []);
        assert.equal(await deleteLeaks(ctx, aws, { cluster: "dynamo", agreed, ...QUICK }), 0);
      },
    );

    await t.step("a VPC of ours in which others live stays with its ways", async () => {
      await moto.reset();
      const { vpcId, subnets } = await makeNetwork(aws, "dynamo");
      const ec2 = await aws.ec2();
      await ec2.createNetworkInterface({ SubnetId: subnets[0]!, Description: "of somebody" });
      const inventory = await takeInventory(aws, "dynamo");
      const vpc = inventory.leaks.find((one) => one.resource.id === vpcId);
      assert.equal(vpc?.belonging, "suspect");
      assert.match(vpc.why, /network-interface\/eni-\w+ is in its VPC/);
      const kept = [...deletable(inventory)].map((key) => key.split("/")[0]);
      assert.deepEqual([...new Set(kept)].sort(), ["elastic-ip", "security-group"]);
    });

    await t.step("a living cluster of the name that was made by others keeps all", async () => {
      await moto.reset();
      await moto.cluster(ctx, { name: "dynamo" });
      await makeNetwork(aws, "dynamo");
      const inventory = await takeInventory(aws, "dynamo");
      assert.ok(inventory.leaks.length > 5);
      assert.equal(deletable(inventory).size, 0);
    });
  });
});

Deno.test("moto: random accounts, only the cluster's tags decide", relaxed, async (t) => {
  await withMoto(async (moto) => {
    await using made = await testContext();
    const aws = await moto.aws(made.ctx);
    // moto loads its services with their first calls.
    await takeInventory(aws, "dynamo");
    await dumpAccount(aws);
    const end = performance.now() + 15_000;
    let rounds = 0;
    // What is not the cluster's stays from round to round.
    for (let seed = 1; seed <= 30 && performance.now() < end; seed++, rounds++) {
      const { mine, all } = await randomAccount(aws, seed);
      const before = await dumpAccount(aws);
      const agreed = deletable(await takeInventory(aws, "dynamo"));
      await deleteLeaks(made.ctx, aws, { cluster: "dynamo", agreed, ...QUICK });
      const after = await dumpAccount(aws);
      const gone = [...before.keys()].filter((key) => !after.has(key)).sort();
      assert.deepEqual(gone, [...mine].sort(), `seed ${seed}`);
      for (const [key, text] of after) assert.equal(text, before.get(key), `seed ${seed}: ${key}`);
      assert.ok(all >= mine.size);
    }
    assert.ok(rounds >= 2, `only ${rounds} rounds`);
    await t.step(`${rounds} rounds`, () => {});
  });
});

/** What has nothing to do with any cluster, or only seems to. */
async function makeStrangers(aws: AwsSession): Promise<void> {
  await makeNetwork(aws, "unrelated", { team: "dynamo" });
  const ec2 = await aws.ec2();
  const volume = (Tags: Record<string, string>) =>
    ec2.createVolume({
      AvailabilityZone: `${aws.region}a`,
      Size: 8,
      TagSpecifications: [{
        ResourceType: "volume",
        Tags: Object.entries(Tags).map(([Key, Value]) => ({ Key, Value })),
      }],
    });
  await volume({ Name: "dynamo" });
  await volume({ "kubernetes.io/cluster/dynamo": "shared" });
  await volume({ "karpenter.sh/discovery": "dynamo" });
  await volume({ ...ownTags("dynamo"), "kubernetes.io/cluster/dynamo-2": "owned" });
  await volume({ "dynamo-eks/cluster": "Dynamo" });
  const iam = await aws.iam();
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [] });
  const Tags = [{ Key: "dynamo-eks/cluster", Value: "dynamo" }];
  // Of the same name's cluster in another region; without tags; with another's name.
  const RoleName = "dynamo-us-east-1-node";
  await iam.createRole({ RoleName, AssumeRolePolicyDocument, Tags });
  await iam.createRole({ RoleName: "dynamo-us-west-2-karpenter", AssumeRolePolicyDocument });
  await iam.createRole({ RoleName: "deploys-dynamo", AssumeRolePolicyDocument, Tags });
  await iam.createOpenIDConnectProvider({
    Url: "https://oidc.eks.us-east-1.amazonaws.com/id/FAR",
    ThumbprintList: ["0".repeat(40)],
    Tags,
  });
  const logs = await aws.logs();
  await logs.createLogGroup({ logGroupName: "/aws/eks/dynamo/cluster-audit", tags: {} });
  await (await aws.ecr()).createRepository({ repositoryName: "dynamo-mirror/vllm" });
  await (await aws.sqs()).createQueue({ QueueName: "dynamo-karpenter-dead" });
  await (await aws.events()).putRule({ Name: "dynamo-nightly", ScheduleExpression: "rate(1 day)" });
}

async function failInTheMiddle(ctx: Context, moto: Moto): Promise<void> {
  for (const action of ["ec2:DeleteNatGateway", "iam:DeleteRole", "ec2:TerminateInstances"]) {
    await using front = startAwsFront({
      behind: moto.url,
      answers: { [action]: fault("UnauthorizedOperation", 403) },
    });
    await using other = await testContext({ env: awsEnvironment(front.url) });
    const aws = await openAws(other.ctx, { region: "us-west-2", maxAttempts: 1 });
    // Nothing but the kind in question, so that the other faults still have their turn.
    const kind = { DeleteNatGateway: "nat-", DeleteRole: "role/", TerminateInstances: "instance/" }[
      action.split(":")[1]!
    ]!;
    const all = deletable(await takeInventory(aws, "dynamo"));
    const agreed = new Set([...all].filter((key) => key.startsWith(kind)));
    assert.equal(agreed.size, 1, action);
    await assert.rejects(
      deleteLeaks(ctx, aws, { cluster: "dynamo", agreed, ...QUICK }),
      (error: Error & { code?: string; evidence?: string[] }) =>
        error.code === "SWEEP_INCOMPLETE" && /Not permitted/.test(error.evidence?.join() ?? ""),
    );
  }
}

async function interruptInTheMiddle(ctx: Context, aws: AwsSession): Promise<void> {
  const random = seeded(7);
  for (let round = 0; round < 3; round++) {
    const stop = new AbortController();
    const agreed = deletable(await takeInventory(aws, "dynamo"));
    const at = Math.floor(random() * 6);
    let seen = 0;
    const options = {
      cluster: "dynamo",
      agreed,
      ...QUICK,
      onProgress: () => {
        if (seen++ === at) stop.abort();
      },
    };
    await assert.rejects(
      deleteLeaks(withContext(ctx, { signal: stop.signal }), aws, options),
      { code: "INTERRUPTED" },
    );
  }
}

/** Nothing of the others is missing or changed, whatever else there is. */
function assertUntouched(others: Map<string, string>, now: Map<string, string>): void {
  for (const [key, text] of others) assert.equal(now.get(key), text, key);
}

/** Things of random kinds with random tags; `mine` are those that only the cluster's tags name. */
async function randomAccount(
  aws: AwsSession,
  seed: number,
): Promise<{ readonly mine: Set<string>; readonly all: number }> {
  const random = seeded(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const mine = new Set<string>();
  const ec2 = await aws.ec2();
  const sets: readonly (readonly [tags: Record<string, string>, ours: boolean])[] = [
    [ownTags("dynamo"), true],
    [{ "kubernetes.io/cluster/dynamo": "owned" }, true],
    [{ "eks:cluster-name": "dynamo", Name: "dynamo-2" }, true],
    [ownTags("dynamo-2"), false],
    [{ "kubernetes.io/cluster/dynamo-2": "owned" }, false],
    [{ "kubernetes.io/cluster/dynamo": "shared" }, false],
    [{ ...ownTags("dynamo"), "elbv2.k8s.aws/cluster": "dynamo2" }, false],
    [{ "dynamo-eks/cluster": "dynam" }, false],
    [{ "dynamo-eks/cluster": "dynamo " }, false],
    [{ Name: "dynamo" }, false],
  ];
  const vpc = await ec2.createVpc({ CidrBlock: "10.9.0.0/16" });
  const VpcId = vpc.Vpc!.VpcId!;
  const all = 12;
  for (let index = 0; index < all; index++) {
    const [tags, ours] = pick(sets);
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const spec = <K extends string>(ResourceType: K) => [{ ResourceType, Tags }];
    const name = `dynamo-${seed}-${index}`;
    const makers: readonly (() => Promise<string>)[] = [
      async () => {
        const made = await ec2.createVolume({
          AvailabilityZone: `${aws.region}a`,
          Size: 1,
          TagSpecifications: spec("volume"),
        });
        return `volume/${made.VolumeId}`;
      },
      async () => {
        const made = await ec2.allocateAddress({ TagSpecifications: spec("elastic-ip") });
        return `elastic-ip/${made.AllocationId}`;
      },
      async () => {
        const made = await ec2.createSecurityGroup({
          GroupName: name,
          Description: name,
          VpcId,
          TagSpecifications: spec("security-group"),
        });
        return `security-group/${made.GroupId}`;
      },
      async () => {
        const made = await ec2.createLaunchTemplate({
          LaunchTemplateName: name,
          LaunchTemplateData: {},
          TagSpecifications: spec("launch-template"),
        });
        return `launch-template/${made.LaunchTemplate?.LaunchTemplateId}`;
      },
      async () => {
        const elb = await aws.elb();
        const made = await elb.createTargetGroup({
          Name: name,
          Protocol: "HTTP",
          Port: 80,
          VpcId,
          Tags,
        });
        return `target-group/${made.TargetGroups?.[0]?.TargetGroupArn}`;
      },
      async () => {
        await (await aws.events()).putRule({ Name: name, EventPattern: "{}", Tags });
        return `event-rule/${name}`;
      },
    ];
    const key = await pick(makers)();
    if (ours) mine.add(key);
  }
  return { mine, all };
}
