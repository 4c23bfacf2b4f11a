/**
 * Deleting the network.
 *
 * @module
 */
import { TaskError } from "../../cli/errors.ts";
import { orGone } from "./pages.ts";
import { type Removal, untilGone, whenUnused } from "./removal.ts";
import type { Resource } from "./types.ts";

/** A NAT gateway; its address is free once it is gone. */
export async function removeNatGateway(job: Removal, resource: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  await orGone(ec2.deleteNatGateway({ NatGatewayId: resource.id }));
  await untilGone(job, resource, async () => {
    const { NatGateways = [] } = await ec2.describeNatGateways({ NatGatewayIds: [resource.id] });
    const state = NatGateways[0]?.State;
    return state === "deleted" ? undefined : state;
  });
}

/** A public address. */
export async function removeAddress(job: Removal, { id }: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  await whenUnused(job, () => ec2.releaseAddress({ AllocationId: id }));
}

/** A VPC endpoint. */
export async function removeEndpoint(job: Removal, resource: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  const VpcEndpointIds = [resource.id];
  const answer = await orGone(ec2.deleteVpcEndpoints({ VpcEndpointIds }));
  // A refusal comes in the answer, not as an error.
  const refusal = answer?.Unsuccessful?.[0]?.Error;
  if (refusal !== undefined && !/NotFound/.test(refusal.Code ?? "")) {
    throw new TaskError({ code: "AWS_FAILED", message: `${refusal.Code}: ${refusal.Message}` });
  }
  await untilGone(job, resource, async () => {
    const { VpcEndpoints = [] } = await ec2.describeVpcEndpoints({ VpcEndpointIds });
    const state = VpcEndpoints[0]?.State;
    return state?.toLowerCase() === "deleted" ? undefined : state;
  });
}

/** A security group, after its own rules: groups that name each other could never go. */
export async function removeSecurityGroup(job: Removal, { id }: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  const found = await orGone(ec2.describeSecurityGroups({ GroupIds: [id] }));
  const group = found?.SecurityGroups?.[0];
  if (group === undefined) return;
  const { IpPermissions = [], IpPermissionsEgress = [] } = group;
  if (IpPermissions.length > 0) {
    await orGone(ec2.revokeSecurityGroupIngress({ GroupId: id, IpPermissions }));
  }
  if (IpPermissionsEgress.length > 0) {
    const rules = { GroupId: id, IpPermissions: IpPermissionsEgress };
    await orGone(ec2.revokeSecurityGroupEgress(rules));
  }
  await whenUnused(job, () => ec2.deleteSecurityGroup({ GroupId: id }));
}

/** A subnet. */
export async function removeSubnet(job: Removal, { id }: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  await whenUnused(job, () => ec2.deleteSubnet({ SubnetId: id }));
}

/** A route table, after its links to subnets. */
export async function removeRouteTable(job: Removal, { id }: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  const found = await orGone(ec2.describeRouteTables({ RouteTableIds: [id] }));
  for (const link of found?.RouteTables?.[0]?.Associations ?? []) {
    if (link.Main === true || link.RouteTableAssociationId === undefined) continue;
    await orGone(ec2.disassociateRouteTable({ AssociationId: link.RouteTableAssociationId }));
  }
  await whenUnused(job, () => ec2.deleteRouteTable({ RouteTableId: id }));
}

/** An internet gateway, after its link to the VPC. */
export async function removeInternetGateway(job: Removal, { id }: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  const found = await orGone(ec2.describeInternetGateways({ InternetGatewayIds: [id] }));
  for (const { VpcId } of found?.InternetGateways?.[0]?.Attachments ?? []) {
    const link = { InternetGatewayId: id, VpcId };
    await whenUnused(job, () => ec2.detachInternetGateway(link));
  }
  await whenUnused(job, () => ec2.deleteInternetGateway({ InternetGatewayId: id }));
}

/** A network ACL. */
export async function removeAcl(job: Removal, { id }: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  await whenUnused(job, () => ec2.deleteNetworkAcl({ NetworkAclId: id }));
}

/** A VPC, with its first security group, main route table and first ACL. */
export async function removeVpc(job: Removal, { id }: Resource): Promise<void> {
  const ec2 = await job.aws.ec2();
  await whenUnused(job, () => ec2.deleteVpc({ VpcId: id }));
}
