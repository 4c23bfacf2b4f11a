/**
 * An account for tests of the leak sweep: what a cluster leaves behind, and a dump of everything
 * there is, made with listings of its own.
 *
 * @module
 */
import type { AwsSession } from "../../lib/aws/session.ts";

/** Tags of terraform. */
export function ownTags(cluster: string): Record<string, string> {
  return { "managed-by": "dynamo-eks", "dynamo-eks/cluster": cluster };
}

/** A seeded source of random numbers in [0, 1). */
export type Random = () => number;

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const list = (tags: Record<string, string>) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const spec = <K extends string>(ResourceType: K, tags: Record<string, string>) => [
  { ResourceType, Tags: list(tags) },
];

/** Makes an EKS cluster and all kinds of things around it; returns its VPC. */
export async function makeClusterWorld(aws: AwsSession, cluster: string): Promise<string> {
  const tags = ownTags(cluster);
  const network = await makeSurroundings(aws, cluster);
  await (await aws.classicElb()).createLoadBalancer({
    LoadBalancerName: `classic-${cluster}`,
    Subnets: network.subnets,
    SecurityGroups: [network.group],
    Listeners: [{ Protocol: "TCP", LoadBalancerPort: 80, InstancePort: 30080 }],
    Tags: list({ [`kubernetes.io/cluster/${cluster}`]: "owned" }),
  });
  const eks = await aws.eks();
  const roleArn = `arn:aws:iam::123456789012:role/${cluster}-${aws.region}-node`;
  await eks.createCluster({
    name: cluster,
    version: "1.33",
    roleArn,
    tags,
    resourcesVpcConfig: { subnetIds: network.subnets },
  });
  await eks.createNodegroup({
    clusterName: cluster,
    nodegroupName: "core",
    nodeRole: roleArn,
    subnets: network.subnets,
    tags,
  });
  return network.vpcId;
}

/** Makes all kinds of things that are around a cluster, and not the cluster. */
export async function makeSurroundings(aws: AwsSession, cluster: string): Promise<WorldNetwork> {
  const network = await makeNetwork(aws, cluster);
  await makeCompute(aws, cluster, network);
  await makeIam(aws, cluster);
  await makeServices(aws, cluster, network);
  return network;
}

/** Parts of a network. */
export interface WorldNetwork {
  /** The VPC. */
  readonly vpcId: string;
  /** Its subnets. */
  readonly subnets: string[];
  /** A security group. */
  readonly group: string;
}

/** VPC with subnets, gateways, an endpoint and two security groups that name each other. */
export async function makeNetwork(
  aws: AwsSession,
  cluster: string,
  tags: Record<string, string> = ownTags(cluster),
): Promise<WorldNetwork> {
  const ec2 = await aws.ec2();
  const vpc = await ec2.createVpc({
    CidrBlock: "10.0.0.0/16",
    TagSpecifications: spec("vpc", tags),
  });
  const VpcId = vpc.Vpc!.VpcId!;
  const subnets: string[] = [];
  for (const [index, zone] of ["a", "b"].entries()) {
    const made = await ec2.createSubnet({
      VpcId,
      CidrBlock: `10.0.${index}.0/24`,
      AvailabilityZone: `${aws.region}${zone}`,
      TagSpecifications: spec("subnet", { ...tags, "karpenter.sh/discovery": cluster }),
    });
    subnets.push(made.Subnet!.SubnetId!);
  }
  const gateway = await ec2.createInternetGateway({
    TagSpecifications: spec("internet-gateway", tags),
  });
  const InternetGatewayId = gateway.InternetGateway!.InternetGatewayId!;
  await ec2.attachInternetGateway({ InternetGatewayId, VpcId });
  const address = await ec2.allocateAddress({
    Domain: "vpc",
    TagSpecifications: spec("elastic-ip", tags),
  });
  await ec2.createNatGateway({
    SubnetId: subnets[0]!,
    AllocationId: address.AllocationId!,
    TagSpecifications: spec("natgateway", tags),
  });
  const table = await ec2.createRouteTable({ VpcId, TagSpecifications: spec("route-table", tags) });
  const RouteTableId = table.RouteTable!.RouteTableId!;
  await ec2.createRoute({
    RouteTableId,
    DestinationCidrBlock: "0.0.0.0/0",
    GatewayId: InternetGatewayId,
  });
  await ec2.associateRouteTable({ RouteTableId, SubnetId: subnets[0]! });
  await ec2.createVpcEndpoint({
    VpcId,
    ServiceName: `com.amazonaws.${aws.region}.s3`,
    VpcEndpointType: "Gateway",
    RouteTableIds: [RouteTableId],
    TagSpecifications: spec("vpc-endpoint", tags),
  });
  const groups: string[] = [];
  const owned = { [`kubernetes.io/cluster/${cluster}`]: "owned", "elbv2.k8s.aws/cluster": cluster };
  for (const [index, own] of [tags, tags === undefined ? {} : owned].entries()) {
    const made = await ec2.createSecurityGroup({
      VpcId,
      GroupName: `${cluster}-group-${index}`,
      Description: "for a test",
      TagSpecifications: spec("security-group", Object.keys(tags).length === 0 ? {} : own)
        .filter((one) => one.Tags.length > 0),
    });
    groups.push(made.GroupId!);
  }
  for (const [GroupId, other] of [[groups[0]!, groups[1]!], [groups[1]!, groups[0]!]] as const) {
    await ec2.authorizeSecurityGroupIngress({
      GroupId,
      IpPermissions: [{ IpProtocol: "-1", UserIdGroupPairs: [{ GroupId: other }] }],
    });
  }
  return { vpcId: VpcId, subnets, group: groups[0]! };
}

async function makeCompute(aws: AwsSession, cluster: string, network: WorldNetwork): Promise<void> {
  const ec2 = await aws.ec2();
  const owned = { [`kubernetes.io/cluster/${cluster}`]: "owned", KubernetesCluster: cluster };
  const karpenter = { ...owned, "eks:eks-cluster-name": cluster, "karpenter.sh/nodepool": "g6" };
  const images = await ec2.describeImages({ Owners: ["amazon"] });
  await ec2.runInstances({
    ImageId: images.Images![0]!.ImageId!,
    InstanceType: "g5.xlarge",
    MinCount: 1,
    MaxCount: 1,
    NetworkInterfaces: [{
      DeviceIndex: 0,
      SubnetId: network.subnets[0]!,
      Groups: [network.group],
      DeleteOnTermination: true,
    }],
    TagSpecifications: [...spec("instance", karpenter), ...spec("volume", karpenter)],
  });
  const volume = await ec2.createVolume({
    AvailabilityZone: `${aws.region}a`,
    Size: 50,
    VolumeType: "gp3",
    TagSpecifications: spec("volume", owned),
  });
  await ec2.createSnapshot({
    VolumeId: volume.VolumeId!,
    TagSpecifications: spec("snapshot", ownTags(cluster)),
  });
  await ec2.createNetworkInterface({
    SubnetId: network.subnets[1]!,
    TagSpecifications: spec("network-interface", { "cluster.k8s.amazonaws.com/name": cluster }),
  });
  await ec2.createLaunchTemplate({
    LaunchTemplateName: `karpenter-${cluster}`,
    LaunchTemplateData: { InstanceType: "g5.xlarge" },
    TagSpecifications: spec("launch-template", { "karpenter.k8s.aws/cluster": cluster }),
  });
}

async function makeIam(aws: AwsSession, cluster: string): Promise<void> {
  const iam = await aws.iam();
  const RoleName = `${cluster}-${aws.region}-node`;
  const PolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }],
  });
  await iam.createRole({
    RoleName,
    AssumeRolePolicyDocument: PolicyDocument,
    Tags: list(ownTags(cluster)),
  });
  const policy = await iam.createPolicy({
    PolicyName: `${cluster}-${aws.region}-extra`,
    PolicyDocument,
    Tags: list(ownTags(cluster)),
  });
  await iam.attachRolePolicy({ RoleName, PolicyArn: policy.Policy!.Arn! });
  await iam.putRolePolicy({ RoleName, PolicyName: "inline", PolicyDocument });
  const InstanceProfileName = `${cluster}_1234567890`;
  await iam.createInstanceProfile({
    InstanceProfileName,
    Tags: list({
      [`kubernetes.io/cluster/${cluster}`]: "owned",
      "topology.kubernetes.io/region": aws.region,
    }),
  });
  await iam.addRoleToInstanceProfile({ InstanceProfileName, RoleName });
  await iam.createOpenIDConnectProvider({
    Url: `https://oidc.eks.${aws.region}.amazonaws.com/id/${cluster.toUpperCase()}`,
    ThumbprintList: ["0".repeat(40)],
    ClientIDList: ["sts.amazonaws.com"],
    Tags: list(ownTags(cluster)),
  });
}

async function makeServices(
  aws: AwsSession,
  cluster: string,
  network: WorldNetwork,
): Promise<void> {
  const tags = ownTags(cluster);
  const elb = await aws.elb();
  const Tags = list({ "elbv2.k8s.aws/cluster": cluster });
  const balancer = await elb.createLoadBalancer({
    Name: `lb-${cluster}`,
    Subnets: network.subnets,
    Tags,
  });
  const group = await elb.createTargetGroup({
    Name: `tg-${cluster}`,
    Protocol: "HTTP",
    Port: 80,
    VpcId: network.vpcId,
    Tags,
  });
  await elb.createListener({
    LoadBalancerArn: balancer.LoadBalancers![0]!.LoadBalancerArn!,
    Protocol: "HTTP",
    Port: 80,
    DefaultActions: [{ Type: "forward", TargetGroupArn: group.TargetGroups![0]!.TargetGroupArn! }],
  });
  const efs = await aws.efs();
  const system = await efs.createFileSystem({ CreationToken: cluster, Tags: list(tags) });
  await efs.createMountTarget({
    FileSystemId: system.FileSystemId!,
    SubnetId: network.subnets[0]!,
  });
  await (await aws.ecr()).createRepository({
    repositoryName: `${cluster}/vllm`,
    tags: list(tags),
  });
  await (await aws.logs()).createLogGroup({
    logGroupName: `/aws/eks/${cluster}/cluster`,
    tags,
  });
  const queue = await (await aws.sqs()).createQueue({ QueueName: `${cluster}-karpenter`, tags });
  const events = await aws.events();
  const Name = `${cluster}-SpotInterrupt`;
  await events.putRule({ Name, EventPattern: '{"source":["aws.ec2"]}', Tags: list(tags) });
  await events.putTargets({
    Rule: Name,
    Targets: [{ Id: "1", Arn: `arn:aws:sqs:${aws.region}:123456789012:${queue.QueueUrl}` }],
  });
  const kms = await aws.kms();
  const key = await kms.createKey({
    Tags: Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
  });
  const TargetKeyId = key.KeyMetadata!.KeyId!;
  await kms.createAlias({ AliasName: `alias/eks/${cluster}`, TargetKeyId });
  const s3 = await aws.s3();
  const Bucket = `state-of-${cluster}`;
  await s3.createBucket({
    Bucket,
    CreateBucketConfiguration: { LocationConstraint: aws.region as "us-west-2" },
  });
  await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
  await s3.putBucketTagging({ Bucket, Tagging: { TagSet: list(tags) } });
  for (const Body of ["one", "two"]) await s3.putObject({ Bucket, Key: "a.tfstate", Body });
}

/** Everything in the account, as text by `kind/id`. */
export async function dumpAccount(aws: AwsSession): Promise<Map<string, string>> {
  const dump = new Map<string, string>();
  const put = (kind: string, items: readonly unknown[] | undefined, id: string) => {
    for (const item of items ?? []) {
      const key = (item as Record<string, unknown>)[id];
      dump.set(`${kind}/${key}`, JSON.stringify(item));
    }
  };
  await dumpEc2(aws, put);
  await dumpServices(aws, put);
  await dumpIam(aws, put);
  return dump;
}

type Put = (kind: string, items: readonly unknown[] | undefined, id: string) => void;

async function dumpEc2(aws: AwsSession, put: Put): Promise<void> {
  const ec2 = await aws.ec2();
  const reservations = (await ec2.describeInstances({})).Reservations ?? [];
  put(
    "instance",
    reservations.flatMap((one) => one.Instances ?? [])
      .filter((one) => one.State?.Name !== "terminated"),
    "InstanceId",
  );
  put("volume", (await ec2.describeVolumes({})).Volumes, "VolumeId");
  // moto has more than a thousand of its own.
  const Filters = [{ Name: "tag:managed-by", Values: ["dynamo-eks"] }];
  const snapshots = await ec2.describeSnapshots({ OwnerIds: ["self"], Filters });
  put("snapshot", snapshots.Snapshots, "SnapshotId");
  const nat = (await ec2.describeNatGateways({})).NatGateways ?? [];
  // moto forgets to take away the interfaces of deleted NAT gateways.
  const stale = nat.filter((one) => one.State === "deleted")
    .flatMap((one) => one.NatGatewayAddresses ?? []).map((one) => one.NetworkInterfaceId);
  const interfaces = (await ec2.describeNetworkInterfaces({})).NetworkInterfaces ?? [];
  put(
    "network-interface",
    interfaces.filter((one) => !stale.includes(one.NetworkInterfaceId)),
    "NetworkInterfaceId",
  );
  const templates = await ec2.describeLaunchTemplates({});
  put("launch-template", templates.LaunchTemplates, "LaunchTemplateId");
  put("vpc", (await ec2.describeVpcs({})).Vpcs, "VpcId");
  put("subnet", (await ec2.describeSubnets({})).Subnets, "SubnetId");
  put("route-table", (await ec2.describeRouteTables({})).RouteTables, "RouteTableId");
  const gateways = await ec2.describeInternetGateways({});
  put("internet-gateway", gateways.InternetGateways, "InternetGatewayId");
  const vpcs = ((await ec2.describeVpcs({})).Vpcs ?? []).map((one) => one.VpcId);
  const acls = (await ec2.describeNetworkAcls({})).NetworkAcls ?? [];
  // It also keeps the first ACLs of deleted VPCs.
  put("network-acl", acls.filter((one) => vpcs.includes(one.VpcId)), "NetworkAclId");
  put("nat-gateway", nat.filter((one) => one.State !== "deleted"), "NatGatewayId");
  put("elastic-ip", (await ec2.describeAddresses({})).Addresses, "AllocationId");
  const endpoints = (await ec2.describeVpcEndpoints({})).VpcEndpoints ?? [];
  put(
    "vpc-endpoint",
    endpoints.filter((one) => one.State?.toLowerCase() !== "deleted"),
    "VpcEndpointId",
  );
  put("security-group", (await ec2.describeSecurityGroups({})).SecurityGroups, "GroupId");
}

async function dumpServices(aws: AwsSession, put: Put): Promise<void> {
  const eks = await aws.eks();
  for (const name of (await eks.listClusters({})).clusters ?? []) {
    put("cluster", [(await eks.describeCluster({ name })).cluster], "name");
    for (const nodegroupName of (await eks.listNodegroups({ clusterName: name })).nodegroups!) {
      const found = await eks.describeNodegroup({ clusterName: name, nodegroupName });
      put("node-group", [found.nodegroup], "nodegroupArn");
    }
  }
  const elb = await aws.elb();
  put("load-balancer", (await elb.describeLoadBalancers({})).LoadBalancers, "LoadBalancerArn");
  put("target-group", (await elb.describeTargetGroups({})).TargetGroups, "TargetGroupArn");
  const classic = await (await aws.classicElb()).describeLoadBalancers({});
  put("classic-load-balancer", classic.LoadBalancerDescriptions, "LoadBalancerName");
  const efs = await aws.efs();
  for (const system of (await efs.describeFileSystems({})).FileSystems ?? []) {
    // The size comes with the time of the question.
    put("file-system", [{ ...system, SizeInBytes: system.SizeInBytes?.Value }], "FileSystemId");
    const targets = await efs.describeMountTargets({ FileSystemId: system.FileSystemId });
    put("mount-target", targets.MountTargets, "MountTargetId");
  }
  const ecr = await aws.ecr();
  put("repository", (await ecr.describeRepositories({})).repositories, "repositoryName");
  put("log-group", (await (await aws.logs()).describeLogGroups({})).logGroups, "logGroupName");
  const sqs = await aws.sqs();
  for (const QueueUrl of (await sqs.listQueues({})).QueueUrls ?? []) {
    const tags = (await sqs.listQueueTags({ QueueUrl })).Tags;
    put("queue", [{ QueueUrl, tags }], "QueueUrl");
  }
  const events = await aws.events();
  for (const rule of (await events.listRules({})).Rules ?? []) {
    const { Targets } = await events.listTargetsByRule({ Rule: rule.Name });
    put("event-rule", [{ ...rule, Targets }], "Name");
  }
  const kms = await aws.kms();
  for (const { KeyId } of (await kms.listKeys({})).Keys ?? []) {
    const { KeyMetadata } = await kms.describeKey({ KeyId });
    if (KeyMetadata?.KeyState !== "PendingDeletion") put("key", [KeyMetadata], "KeyId");
  }
  put("key-alias", (await kms.listAliases({})).Aliases, "AliasName");
  const s3 = await aws.s3();
  for (const { Name } of (await s3.listBuckets({})).Buckets ?? []) {
    const { Versions } = await s3.listObjectVersions({ Bucket: Name });
    put("bucket", [{ Name, Versions }], "Name");
  }
}

async function dumpIam(aws: AwsSession, put: Put): Promise<void> {
  const iam = await aws.iam();
  for (const { RoleName } of (await iam.listRoles({})).Roles ?? []) {
    const { Role } = await iam.getRole({ RoleName });
    const { AttachedPolicies } = await iam.listAttachedRolePolicies({ RoleName });
    const { PolicyNames } = await iam.listRolePolicies({ RoleName });
    put("role", [{ ...Role, AttachedPolicies, PolicyNames }], "RoleName");
  }
  put("policy", (await iam.listPolicies({ Scope: "Local" })).Policies, "Arn");
  for (const { InstanceProfileName } of (await iam.listInstanceProfiles({})).InstanceProfiles!) {
    const { InstanceProfile } = await iam.getInstanceProfile({ InstanceProfileName });
    put("instance-profile", [InstanceProfile], "InstanceProfileName");
  }
  for (
    const { Arn } of (await iam.listOpenIDConnectProviders({})).OpenIDConnectProviderList ?? []
  ) {
    const found = await iam.getOpenIDConnectProvider({ OpenIDConnectProviderArn: Arn });
    put("oidc-provider", [{ Arn, ...found, $metadata: undefined }], "Arn");
  }
}
