/**
 * A VPC of ours in which others have come to live: it stays, with the ways in and out of it.
 *
 * @module
 */
import type { NetworkInterface, Tag } from "@aws-sdk/client-ec2";
import type { AwsSession } from "../session.ts";
import { common } from "./find_compute.ts";
import { asLeak } from "./ownership.ts";
import { eachOf, listAll, orGone } from "./pages.ts";
import { keyOf, type Leak, type ResourceKind, type SweepScope } from "./types.ts";

/** What others in the VPC need. */
const WAYS: readonly ResourceKind[] = [
  "vpc-endpoint",
  "nat-gateway",
  "subnet",
  "route-table",
  "internet-gateway",
  "network-acl",
  "vpc",
];

/** Makes suspects of the network parts in whose VPC something is that is not the cluster's. */
export async function keepSharedNetworks(
  aws: AwsSession,
  leaks: readonly Leak[],
  scope: SweepScope,
): Promise<Leak[]> {
  const vpcs = leaks.filter((one) => one.resource.kind === "vpc" && one.belonging === "own");
  if (vpcs.length === 0) return [...leaks];
  const own = new Set(
    leaks.filter((one) => one.belonging === "own").map((one) => keyOf(one.resource)),
  );
  const foreign = new Map<string, string>();
  for (const { resource: { id } } of vpcs) {
    const found = await foreignIn(aws, id, own, scope);
    if (found !== undefined) foreign.set(id, found);
  }
  return leaks.map((leak) => {
    const { kind, vpcId = "" } = leak.resource;
    const stranger = foreign.get(vpcId);
    if (stranger === undefined || !WAYS.includes(kind)) return leak;
    return { ...leak, belonging: "suspect", why: `${leak.why}, but ${stranger} is in its VPC` };
  });
}

/** Makes suspects of all network parts: whether others are in their VPC could not be seen. */
export function keepAllNetworks(leaks: readonly Leak[], why: string): Leak[] {
  return leaks.map((leak) =>
    leak.belonging === "own" && WAYS.includes(leak.resource.kind)
      ? { ...leak, belonging: "suspect", why: `${leak.why}, but ${why}` }
      : leak
  );
}

async function foreignIn(
  aws: AwsSession,
  vpcId: string,
  own: ReadonlySet<string>,
  scope: SweepScope,
): Promise<string | undefined> {
  const ec2 = await aws.ec2();
  const Filters = [{ Name: "vpc-id", Values: [vpcId] }];
  const [reservations, subnets, groups, interfaces, gateways, endpoints] = await Promise.all([
    listAll(
      (NextToken) => ec2.describeInstances({ NextToken, Filters }),
      (a) => [a.Reservations, a.NextToken],
    ),
    listAll(
      (NextToken) => ec2.describeSubnets({ NextToken, Filters }),
      (a) => [a.Subnets, a.NextToken],
    ),
    listAll(
      (NextToken) => ec2.describeSecurityGroups({ NextToken, Filters }),
      (a) => [a.SecurityGroups, a.NextToken],
    ),
    listAll(
      (NextToken) => ec2.describeNetworkInterfaces({ NextToken, Filters }),
      (a) => [a.NetworkInterfaces, a.NextToken],
    ),
    listAll(
      (NextToken) => ec2.describeNatGateways({ NextToken, Filter: Filters }),
      (a) => [a.NatGateways, a.NextToken],
    ),
    listAll(
      (NextToken) => ec2.describeVpcEndpoints({ NextToken, Filters }),
      (a) => [a.VpcEndpoints, a.NextToken],
    ),
  ]);
  const instances = reservations.flatMap((one) => one.Instances ?? [])
    .filter((one) => one.State?.Name !== "terminated");
  // As in the inventory: what is deleted or never came to be is still listed for a while.
  const living = gateways.filter((one) => one.State !== "deleted" && one.State !== "failed");
  const doors = endpoints.filter((one) => one.State?.toLowerCase() !== "deleted");
  const ownInterfaces = new Set([
    ...instances.filter((one) => own.has(`instance/${one.InstanceId}`))
      .flatMap((one) => one.NetworkInterfaces ?? []).map((one) => one.NetworkInterfaceId),
    // Those that were just deleted are still listed, and so are their interfaces.
    ...gateways.filter((one) => isOwn("nat-gateway", one.NatGatewayId, one.Tags, scope))
      .flatMap((one) => one.NatGatewayAddresses ?? []).map((one) => one.NetworkInterfaceId),
    ...endpoints.filter((one) => isOwn("vpc-endpoint", one.VpcEndpointId, one.Tags, scope))
      .flatMap((one) => one.NetworkInterfaceIds ?? []),
    ...await mountInterfaces(aws, own),
  ]);
  const strangeInterface = (one: NetworkInterface) =>
    !own.has(`network-interface/${one.NetworkInterfaceId}`) &&
    !ownInterfaces.has(one.NetworkInterfaceId) &&
    !own.has(`instance/${one.Attachment?.InstanceId}`) &&
    !describesOwn(one.Description ?? "", own);
  return [
    instances.map((one) => `instance/${one.InstanceId}`),
    subnets.map((one) => `subnet/${one.SubnetId}`),
    groups.filter((one) => one.GroupName !== "default")
      .map((one) => `security-group/${one.GroupId}`),
    living.map((one) => `nat-gateway/${one.NatGatewayId}`),
    doors.map((one) => `vpc-endpoint/${one.VpcEndpointId}`),
    interfaces.filter(strangeInterface).map((one) => `network-interface/${one.NetworkInterfaceId}`),
  ].flat().find((key) => !own.has(key));
}

function isOwn(
  kind: ResourceKind,
  id: string | undefined,
  tags: readonly Tag[] | undefined,
  scope: SweepScope,
): boolean {
  return asLeak(common(kind, id, tags, undefined), scope)?.belonging === "own";
}

async function mountInterfaces(aws: AwsSession, own: ReadonlySet<string>): Promise<string[]> {
  const efs = await aws.efs();
  const systems = [...own].filter((key) => key.startsWith("file-system/"));
  const targets = await eachOf(
    systems,
    async (key) =>
      (await orGone(efs.describeMountTargets({ FileSystemId: key.split("/")[1]! })))
        ?.MountTargets ?? [],
  );
  return targets.flat().map((one) => one.NetworkInterfaceId ?? "");
}

// AWS makes interfaces for other things and says for which: "EFS mount target for fs-1 (fsmt-2)",
// "Interface for NAT Gateway nat-1", "VPC Endpoint Interface vpce-1", "ELB net/name/1",
// "Amazon EKS name". They go with it.
function describesOwn(description: string, own: ReadonlySet<string>): boolean {
  const words = description.split(/[\s()]+/).filter((word) => word !== "");
  if (/^Amazon EKS \S+$/.test(description)) return own.has(`cluster/${words[2]}`);
  // Classic ones have a name alone.
  if (/^ELB [^/\s]+$/.test(description)) return own.has(`classic-load-balancer/${words[1]}`);
  return words.some((word) =>
    ["file-system", "nat-gateway", "vpc-endpoint"].some((kind) => own.has(`${kind}/${word}`)) ||
    /^(app|net|gwy)\//.test(word) && [...own].some((key) => key.endsWith(`:loadbalancer/${word}`))
  );
}
