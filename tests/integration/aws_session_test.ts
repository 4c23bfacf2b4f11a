import assert from "node:assert/strict";
import { testContext } from "../../lib/cli/testing.ts";
import { identity, openAws } from "../../lib/aws/session.ts";
import { fault, startAwsFront } from "../support/aws_front.ts";
import { awsEnvironment, withMoto } from "../support/moto.ts";

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };

Deno.test("moto: identity, clusters, buckets, and faults in front of it", relaxed, async () => {
  await withMoto(async (moto) => {
    await using made = await testContext();
    const { ctx } = made;
    const aws = await moto.aws(ctx);
    assert.equal((await identity(aws)).account, "123456789012");

    const { vpcId } = await moto.cluster(ctx, { name: "dynamo-test", version: "1.33" });
    const eks = await aws.eks();
    const { cluster } = await eks.describeCluster({ name: "dynamo-test" });
    assert.equal(cluster?.version, "1.33");
    const subnets = await (await aws.ec2()).describeSubnets({
      Filters: [{ Name: "vpc-id", Values: [vpcId] }],
    });
    assert.equal(subnets.Subnets?.length, 2);
    await assert.rejects(eks.describeCluster({ name: "nobody" }), { code: "AWS_NOT_FOUND" });

    const s3 = await aws.s3();
    await s3.createBucket({
      Bucket: "states-of-test",
      CreateBucketConfiguration: { LocationConstraint: "us-west-2" },
    });
    await s3.putObject({ Bucket: "states-of-test", Key: "a b/c", Body: "hello" });
    const read = await s3.getObject({ Bucket: "states-of-test", Key: "a b/c" });
    assert.equal(await read.Body?.transformToString(), "hello");

    await using front = startAwsFront({
      behind: moto.url,
      answers: {
        "ec2:DescribeVpcs": fault("UnauthorizedOperation", 403),
        "eks:*": (call, n) => n > 1 ? fault("ExpiredTokenException", 403)(call, n) : undefined,
      },
    });
    await using other = await testContext({ env: awsEnvironment(front.url) });
    const behind = await openAws(other.ctx, { region: "us-west-2", maxAttempts: 1 });
    await assert.rejects((await behind.ec2()).describeVpcs({}), { code: "AWS_DENIED" });
    const clusters = await behind.eks();
    assert.deepEqual((await clusters.listClusters({})).clusters, ["dynamo-test"]);
    await assert.rejects(clusters.listClusters({}), { code: "AWS_EXPIRED" });
    assert.deepEqual(front.calls, ["ec2:DescribeVpcs", "eks:GET /clusters", "eks:GET /clusters"]);

    await moto.reset();
    assert.deepEqual((await eks.listClusters({})).clusters, []);
  });
});
