import assert from "node:assert/strict";
import { loadBlueprint } from "../../lib/blueprint/blueprint.ts";
import { releaseOf } from "../../lib/blueprint/flags.ts";
import { withContext } from "../../lib/cli/context.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { diagnose } from "../../lib/doctor/doctor.ts";
import { installActions } from "../../lib/doctor/permissions.ts";
import type { Line } from "../../lib/doctor/types.ts";
import { type AwsAnswer, fault, json, startAwsFront, xml } from "../support/aws_front.ts";
import { awsEnvironment, type Moto, withMoto } from "../support/moto.ts";

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };

/** Runs the doctor for EKS against moto with these answers in front; no other host is reached. */
async function lines(
  moto: Moto | undefined,
  answers: Record<string, AwsAnswer>,
  options: { readonly now?: string; readonly tfvars?: string } = {},
): Promise<Record<string, Line[]>> {
  await using front = startAwsFront({
    answers: { ...SIMULATOR_ALLOWS, ...QUOTAS, ...answers },
    ...(moto === undefined ? {} : { behind: moto.url }),
  });
  await using made = await testContext({ env: awsEnvironment(front.url) });
  const ctx = withContext(made.ctx, {
    net: {
      ...made.ctx.net,
      fetch: ((input: string, init?: RequestInit) =>
        input.startsWith("http://127.0.0.1:")
          ? fetch(input, init)
          : Promise.resolve(new Response(null, { status: 200 }))) as typeof fetch,
    },
    clock: {
      ...made.ctx.clock,
      now: () =>
        Date.parse(options.now ?? "2026-05-01"),
    },
  });
  const file = `${made.ctx.home}/blueprint.tfvars`;
  await Deno.mkdir(made.ctx.home, { recursive: true });
  await Deno.writeTextFile(file, options.tfvars ?? `eks_cluster_version = "1.34"\n`);
  const blueprint = await loadBlueprint(ctx, { path: file });
  const report = await diagnose(ctx, { kind: "eks", blueprint, release: releaseOf(blueprint) });
  assert.ok(!JSON.stringify(report).includes("planted-moto-secret"));
  return Object.groupBy(report.checks, ({ id }) => id) as Record<string, Line[]>;
}

const texts = (found: Line[] | undefined) => found?.map(({ status, why }) => `${status}: ${why}`);

/** The simulator's answer: everything allowed but these. */
function simulator(denied: (action: string) => boolean): AwsAnswer {
  return ({ body }) => {
    const actions = [...new URLSearchParams(body)]
      .filter(([key]) => key.startsWith("ActionNames.")).map(([, value]) => value);
    const members = actions.map((action) =>
      `<member><EvalActionName>${action}</EvalActionName><EvalDecision>${
        denied(action) ? "implicitDeny" : "allowed"
      }</EvalDecision></member>`
    );
    return new Response(
      `<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated>` +
        `<EvaluationResults>${
          members.join("")
        }</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`,
      { headers: { "content-type": "text/xml" } },
    );
  };
}

/** Quotas by code; 64 unless given. */
function quotas(values: Record<string, number | undefined>): Record<string, AwsAnswer> {
  const answer: AwsAnswer = (call, n) => {
    const { QuotaCode } = JSON.parse(call.body);
    const value = QuotaCode in values ? values[QuotaCode] : 64;
    return value === undefined
      ? fault("NoSuchResourceException", 400)(call, n)
      : Response.json({ Quota: { QuotaCode, Value: value } });
  };
  return {
    "servicequotas:GetServiceQuota": answer,
    "servicequotas:GetAWSDefaultServiceQuota": fault("NoSuchResourceException"),
  };
}

const SIMULATOR_ALLOWS = { "iam:SimulatePrincipalPolicy": simulator(() => false) };
const QUOTAS = quotas({});
const VERSIONS = "eks:GET /cluster-versions";

Deno.test("doctor on an account that has everything: all well", relaxed, async () => {
  await withMoto(async (moto) => {
    const found = await lines(moto, {
      [VERSIONS]: json({
        clusterVersions: [{
          clusterVersion: "1.34",
          endOfStandardSupportDate: Date.parse("2026-12-02") / 1000,
          endOfExtendedSupportDate: Date.parse("2027-12-02") / 1000,
        }],
      }),
    });
    for (
      const id of [
        "aws-identity",
        "aws-region",
        "aws-permissions",
        "quota-vcpu",
        "quota-network",
        "instance-types",
        "eks-version",
        "eks-cluster",
      ]
    ) {
      assert.ok(found[id]!.length > 0);
      for (const line of found[id]!) assert.equal(line.status, "ok", JSON.stringify(line));
    }
    assert.match(texts(found["aws-identity"])![0]!, /in account 123456789012 \(AWS_ENDPOINT_URL/);
    assert.match(texts(found["eks-version"])![0]!, /until 2026-12-02 \(EKS\)/);
    assert.match(texts(found["eks-cluster"])![0]!, /not there yet/);
    assert.equal(found["capacity-reservations"]![0]!.status, "skipped");
    assert.equal(found["cluster"]![0]!.status, "skipped");
  });
});

Deno.test(
  "credentials that expired or are denied fail one line, and skip what needs them",
  relaxed,
  async () => {
    for (const [code, words] of [["ExpiredToken", "expired"], ["AccessDenied", "Not permitted"]]) {
      const found = await lines(undefined, { "sts:*": fault(code!, 403) });
      assert.match(texts(found["aws-identity"])![0]!, new RegExp(`fail: .*${words}`));
      assert.notEqual(found["aws-identity"]![0]!.todo, "");
      assert.deepEqual(texts(found["quota-vcpu"]), [
        "skipped: needs AWS, which does not answer these credentials",
      ]);
      assert.equal(
        found["platform-chart"]![0]!.status,
        "ok",
        "what does not need AWS is looked at",
      );
    }
  },
);

Deno.test("permissions: some, a whole service, no simulator, throttled", relaxed, async () => {
  await withMoto(async (moto) => {
    const permissions = async (answers: Record<string, AwsAnswer>) =>
      (await lines(moto, answers))["aws-permissions"]![0]!;

    const some = await permissions({
      "iam:SimulatePrincipalPolicy": simulator((action) => action === "iam:PassRole"),
    });
    assert.equal(some.status, "warn");
    assert.match(some.why, /^1 of \d+ actions are not allowed: iam:PassRole$/);

    const whole = await permissions({
      "iam:SimulatePrincipalPolicy": simulator((action) => action.startsWith("eks:")),
    });
    assert.equal(whole.status, "fail");
    assert.match(whole.todo, /of eks nothing is/);

    const closed = fault("AccessDenied", 403);
    const dry = fault("DryRunOperation", 412);
    const probed = await permissions({
      "iam:SimulatePrincipalPolicy": closed,
      "ec2:CreateVpc": dry,
      "ec2:AllocateAddress": dry,
    });
    assert.equal(probed.status, "warn");
    assert.match(probed.why, /ec2:CreateVpc, ec2:AllocateAddress, eks:ListClusters were probed/);

    const refused = await permissions({
      "iam:SimulatePrincipalPolicy": closed,
      "ec2:CreateVpc": fault("UnauthorizedOperation", 403),
      "ec2:AllocateAddress": dry,
    });
    assert.deepEqual([refused.status, refused.why], ["fail", "not allowed: ec2:CreateVpc"]);

    const throttled = await permissions({
      "iam:SimulatePrincipalPolicy": (call, n) =>
        n <= 2 ? fault("Throttling", 429)(call, n) : simulator(() => false)(call, n),
    });
    assert.equal(throttled.status, "ok", throttled.why);
  });
});

Deno.test("a role's session is simulated as the role, with its path", relaxed, async () => {
  await withMoto(async (moto) => {
    const sources: string[] = [];
    const role = "arn:aws:iam::123456789012:role/aws-reserved/sso/Admin";
    const found = await lines(moto, {
      "sts:GetCallerIdentity": xml(
        `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account><UserId>A:ana</UserId><Arn>arn:aws:sts::123456789012:assumed-role/Admin/ana</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`,
      ),
      "iam:GetRole": xml(
        `<GetRoleResponse><GetRoleResult><Role><Arn>${role}</Arn></Role></GetRoleResult></GetRoleResponse>`,
      ),
      "iam:SimulatePrincipalPolicy": (call, n) => {
        sources.push(new URLSearchParams(call.body).get("PolicySourceArn") ?? "");
        return simulator(() => false)(call, n);
      },
    });
    assert.equal(found["aws-permissions"]![0]!.status, "ok");
    assert.deepEqual(sources, [role]);
  });
});

Deno.test(
  "quotas against what runs: one pool short warns, all GPU pools short fail",
  relaxed,
  async () => {
    await withMoto(async (moto) => {
      await using made = await testContext();
      const ec2 = await (await moto.aws(made.ctx)).ec2();
      // 32 of 36 vCPUs are used, and the smallest g5 node needs 8.
      await ec2.runInstances({
        ImageId: "ami-12c6146b",
        InstanceType: "g5.8xlarge",
        MinCount: 1,
        MaxCount: 1,
      });
      const running = await lines(moto, quotas({ "L-DB2E81BA": 36 }));
      const [cpu, g5] = running["quota-vcpu"]!;
      assert.deepEqual([cpu!.status, g5!.status], ["ok", "warn"]);
      assert.equal(
        g5!.why,
        "on-demand 32 of 36 used, spot 0 of 64 used (G and VT); its smallest node needs 8, so " +
          "only spot capacity will come",
      );
      assert.match(g5!.todo, /EC2, L-DB2E81BA/);
      const p5 = `node_pools = { p5-gpu-karpenter = {
        instance_families = ["p5"], gpu = "H100", capacity_types = ["on-demand"] } }`;
      const onePool = await lines(moto, quotas({ "L-417A185B": 0 }), { tfvars: p5 });
      assert.deepEqual(onePool["quota-vcpu"]!.map(({ status }) => status), [
        "ok",
        "ok",
        "ok",
        "warn",
      ]);

      const none = await lines(moto, quotas({ "L-DB2E81BA": 0, "L-3819A6DF": 0 }));
      assert.deepEqual(none["quota-vcpu"]!.map(({ status }) => status), ["ok", "fail", "fail"]);
      const noCpu = await lines(moto, quotas({ "L-1216C47A": 0, "L-34B43A08": 0 }));
      assert.deepEqual(noCpu["quota-vcpu"]!.map(({ status }) => status), ["fail", "ok", "ok"]);
      const silent = await lines(
        moto,
        quotas({ "L-DB2E81BA": undefined, "L-3819A6DF": undefined }),
      );
      assert.match(texts(silent["quota-vcpu"])![1]!, /warn: AWS does not tell it/);

      const full = await lines(moto, quotas({ "L-F678F1CE": 1, "L-0263D0A3": 0 }));
      assert.deepEqual(texts(full["quota-network"]), ["fail: 1 of 1 used", "fail: 0 of 0 used"]);
    });
  },
);

Deno.test("pools: not offered here, in other zones, with reservations", relaxed, async () => {
  await withMoto(async (moto) => {
    const tfvars = `
eks_cluster_version = "1.34"
node_pools = {
  g6-gpu-karpenter = null
  p5-gpu-karpenter = {
    instance_families = ["p5"]
    capacity_types    = ["reserved"]
    gpu               = "H100"
  }
  odd-gpu-karpenter = { instance_families = ["zz9"], gpu = "none" }
}
`;
    const reservations = (free: number) =>
      xml(
        `<DescribeCapacityReservationsResponse><capacityReservationSet><item><instanceType>p5.48xlarge</instanceType><availabilityZone>us-west-2a</availabilityZone><availableInstanceCount>${free}</availableInstanceCount><totalInstanceCount>2</totalInstanceCount></item></capacityReservationSet></DescribeCapacityReservationsResponse>`,
      );
    const found = await lines(moto, { "ec2:DescribeCapacityReservations": reservations(1) }, {
      tfvars,
    });
    const types = Object.fromEntries(found["instance-types"]!.map((line) => [line.what, line]));
    assert.equal(types["Instance types of odd-gpu-karpenter"]!.status, "warn");
    assert.match(
      types["Instance types of odd-gpu-karpenter"]!.why,
      /zz9 is not offered in us-west-2/,
    );
    assert.equal(types["Instance types of g5-gpu-karpenter"]!.status, "ok");
    assert.deepEqual(texts(found["capacity-reservations"]), [
      "ok: p5.48xlarge in us-west-2a: 1 of 2 free",
    ]);
    const busy = await lines(moto, { "ec2:DescribeCapacityReservations": reservations(0) }, {
      tfvars,
    });
    assert.equal(busy["capacity-reservations"]![0]!.status, "warn");

    const elsewhere = xml(
      `<DescribeInstanceTypeOfferingsResponse><instanceTypeOfferingSet><item><instanceType>g5.2xlarge</instanceType><location>us-west-2d</location></item></instanceTypeOfferingSet></DescribeInstanceTypeOfferingsResponse>`,
    );
    const wrong = await lines(moto, { "ec2:DescribeInstanceTypeOfferings": elsewhere });
    for (const line of wrong["instance-types"]!) {
      assert.equal(line.status, "fail");
      assert.match(line.why, /offered in us-west-2d, and the network is in us-west-2a, us-west-2b/);
    }
  });
});

Deno.test("Kubernetes versions: support that ends, has ended, is not known", relaxed, async () => {
  await withMoto(async (moto) => {
    const version = async (wanted: string, now: string, answers: Record<string, AwsAnswer> = {}) =>
      (await lines(moto, answers, { now, tfvars: `eks_cluster_version = "${wanted}"\n` }))[
        "eks-version"
      ]![0]!;
    // moto does not know the call: the table steps in.
    assert.equal((await version("1.35", "2026-05-01")).status, "ok");
    assert.match((await version("1.34", "2026-11-24")).why, /2026-12-02 .*8 days/);
    assert.match((await version("1.33", "2026-11-24")).why, /0\.60 USD an hour/);
    assert.equal((await version("1.29", "2026-11-24")).status, "fail");
    assert.equal((await version("1.99", "2026-11-24")).status, "warn");
    const gone = await version("1.34", "2026-05-01", { [VERSIONS]: json({ clusterVersions: [] }) });
    assert.match(gone.why, /does not offer 1\.34/);
  });
});

Deno.test("the cluster that is there is compared with the blueprint", relaxed, async () => {
  await withMoto(async (moto) => {
    await using made = await testContext();
    await moto.cluster(made.ctx, { name: "dynamo-on-eks", version: "1.33" });
    const [line] = (await lines(moto, {}))["eks-cluster"]!;
    assert.equal(line!.status, "warn");
    assert.match(line!.why, /ACTIVE, Kubernetes 1\.33, while the blueprint wants 1\.34/);
  });
});

Deno.test("what is not installed needs no permissions", async () => {
  await using made = await testContext();
  const file = `${made.ctx.home}/a.tfvars`;
  await Deno.mkdir(made.ctx.home, { recursive: true });
  await Deno.writeTextFile(file, "enable_aws_efs_csi_driver = false\n");
  const without = installActions(await loadBlueprint(made.ctx, { path: file }));
  assert.ok(without.includes("eks:CreateCluster"));
  assert.ok(!without.some((action) => action.startsWith("elasticfilesystem:")));
});
