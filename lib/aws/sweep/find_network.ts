/**
 * The network: VPC, subnets, gateways, addresses, endpoints, security groups. What a VPC brings
 * along and takes with it (its first security group, main route table, first ACL) is left out.
 *
 * @module
 */
import type { AwsSession } from "../session.ts";
import { common } from "./find_compute.ts";
import { listAll } from "./pages.ts";
import type { Resource } from "./types.ts";

/** VPCs, subnets, route tables, internet gateways and ACLs. */
export async function findNetwork(aws: AwsSession): Promise<Resource[]> {
  const ec2 = await aws.ec2();
  const [vpcs, subnets, tables, gateways, acls] = await Promise.all([
    listAll((NextToken) => ec2.describeVpcs({ NextToken }), (a) => [a.Vpcs, a.NextToken]),
    listAll(
      (NextToken) => ec2.describeSubnets({ NextToken }),
      (a) => [a.Subnets, a.NextToken],
    ),
    listAll(
      (NextToken) => ec2.describeRouteTables({ NextToken }),
      (a) => [a.RouteTables, a.NextToken],
    ),
    listAll(
      (NextToken) => ec2.describeInternetGateways({ NextToken }),
      (a) => [a.InternetGateways, a.NextToken],
    ),
    listAll(
      (NextToken) => ec2.describeNetworkAcls({ NextToken }),
      (a) => [a.NetworkAcls, a.NextToken],
    ),
  ]);
  return [
    ...vpcs.filter((one) => one.IsDefault !== true).map((one) => ({
      ...common("vpc", one.VpcId, one.Tags, undefined),
      vpcId: one.VpcId,
      detail: one.CidrBlock ?? "",
    })),
    ...subnets.map((one) => ({
      ...common("subnet", one.SubnetId, one.Tags, undefined),
      vpcId: one.VpcId,
      detail: `${one.CidrBlock} ${one.AvailabilityZone}`,
    })),
    ...tables.filter((one) => !(one.Associations ?? []).some((link) => link.Main === true))
      .map((one) => ({
        ...common("route-table", one.RouteTableId, one.Tags, undefined),
        vpcId: one.VpcId,
      })),
    ...gateways.map((one) => ({
      ...common("internet-gateway", one.InternetGatewayId, one.Tags, undefined),
      vpcId: one.Attachments?.[0]?.VpcId,
    })),
    ...acls.filter((one) => one.IsDefault !== true).map((one) => ({
      ...common("network-acl", one.NetworkAclId, one.Tags, undefined),
      vpcId: one.VpcId,
    })),
  ];
}

/** NAT gateways, addresses and endpoints. */
export async function findGateways(aws: AwsSession): Promise<Resource[]> {
  const ec2 = await aws.ec2();
  const [gateways, addresses, endpoints] = await Promise.all([
    listAll(
      (NextToken) => ec2.describeNatGateways({ NextToken }),
      (a) => [a.NatGateways, a.NextToken],
    ),
    ec2.describeAddresses({}),
    listAll(
      (NextToken) => ec2.describeVpcEndpoints({ NextToken }),
      (a) => [a.VpcEndpoints, a.NextToken],
    ),
  ]);
  return [
    ...gateways.filter((one) => one.State !== "deleted" && one.State !== "failed").map((one) => ({
      ...common("nat-gateway", one.NatGatewayId, one.Tags, one.CreateTime),
      vpcId: one.VpcId,
      detail: one.State ?? "",
      bill: { of: "nat-gateway" } as const,
    })),
    ...(addresses.Addresses ?? []).map((one) => ({
      ...common("elastic-ip", one.AllocationId, one.Tags, undefined),
      detail: `${one.PublicIp}${one.AssociationId === undefined ? ", unused" : ""}`,
      bill: { of: "public-ipv4" } as const,
    })),
    ...endpoints.filter((one) => one.State?.toLowerCase() !== "deleted").map((one) => ({
      ...common("vpc-endpoint", one.VpcEndpointId, one.Tags, one.CreationTimestamp),
      vpcId: one.VpcId,
      detail: `${one.VpcEndpointType} ${one.ServiceName}`,
      ...(one.VpcEndpointType === "Interface"
        ? { bill: { of: "endpoint", zones: one.SubnetIds?.length || 1 } as const }
        : {}),
    })),
  ];
}

/** Security groups. */
export async function findSecurityGroups(aws: AwsSession): Promise<Resource[]> {
  const ec2 = await aws.ec2();
  const groups = await listAll(
    (NextToken) => ec2.describeSecurityGroups({ NextToken }),
    (answer) => [answer.SecurityGroups, answer.NextToken],
  );
  return groups.filter((one) => one.GroupName !== "default").map((one) => ({
    ...common("security-group", one.GroupId, one.Tags, undefined),
    name: one.GroupName ?? "",
    vpcId: one.VpcId,
  }));
}
