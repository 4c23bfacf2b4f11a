/**
 * Deleting roles, policies, instance profiles and identity providers.
 *
 * @module
 */
import { listAll, orGone } from "./pages.ts";
import { refuse, type Removal, whenUnused } from "./removal.ts";
import type { Resource } from "./types.ts";

/** An instance profile; its role stays. */
export async function removeProfile(job: Removal, { id }: Resource): Promise<void> {
  const iam = await job.aws.iam();
  const profile = (await orGone(iam.getInstanceProfile({ InstanceProfileName: id })))
    ?.InstanceProfile;
  for (const { RoleName } of profile?.Roles ?? []) {
    const link = { InstanceProfileName: id, RoleName };
    await orGone(iam.removeRoleFromInstanceProfile(link));
  }
  await whenUnused(job, () => iam.deleteInstanceProfile({ InstanceProfileName: id }));
}

/** A policy, after its links to roles of the cluster. One that others use stays. */
export async function removePolicy(job: Removal, resource: Resource): Promise<void> {
  const iam = await job.aws.iam();
  const PolicyArn = resource.id;
  const users = await orGone(iam.listEntitiesForPolicy({ PolicyArn }));
  if (users === undefined) return;
  const roles = (users.PolicyRoles ?? []).map((one) => one.RoleName ?? "");
  const strangers = [
    ...roles.filter((name) => !job.own.has(`role/${name}`)),
    ...(users.PolicyUsers ?? []).map((one) => one.UserName ?? ""),
    ...(users.PolicyGroups ?? []).map((one) => one.GroupName ?? ""),
  ];
  if (strangers.length > 0) throw refuse(resource, `${strangers.join(", ")} uses it`);
  for (const RoleName of roles) await orGone(iam.detachRolePolicy({ RoleName, PolicyArn }));
  const { Versions = [] } = await orGone(iam.listPolicyVersions({ PolicyArn })) ?? {};
  for (const { VersionId, IsDefaultVersion } of Versions) {
    if (IsDefaultVersion !== true) await orGone(iam.deletePolicyVersion({ PolicyArn, VersionId }));
  }
  await whenUnused(job, () => iam.deletePolicy({ PolicyArn }));
}

/** A role, after what is attached to it. */
export async function removeRole(job: Removal, { id: RoleName }: Resource): Promise<void> {
  const iam = await job.aws.iam();
  const attached = await orGone(listAll(
    (Marker) => iam.listAttachedRolePolicies({ RoleName, Marker }),
    (answer) => [answer.AttachedPolicies, answer.IsTruncated ? answer.Marker : undefined],
  ));
  if (attached === undefined) return;
  for (const { PolicyArn } of attached) await orGone(iam.detachRolePolicy({ RoleName, PolicyArn }));
  const { PolicyNames = [] } = await orGone(iam.listRolePolicies({ RoleName })) ?? {};
  for (const PolicyName of PolicyNames) {
    await orGone(iam.deleteRolePolicy({ RoleName, PolicyName }));
  }
  const { InstanceProfiles = [] } = await orGone(iam.listInstanceProfilesForRole({ RoleName })) ??
    {};
  for (const { InstanceProfileName } of InstanceProfiles) {
    await orGone(iam.removeRoleFromInstanceProfile({ InstanceProfileName, RoleName }));
  }
  await whenUnused(job, () => iam.deleteRole({ RoleName }));
}

/** An identity provider. */
export async function removeProvider(job: Removal, { id }: Resource): Promise<void> {
  const iam = await job.aws.iam();
  await orGone(iam.deleteOpenIDConnectProvider({ OpenIDConnectProviderArn: id }));
}
