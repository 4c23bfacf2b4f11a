/**
 * IAM: roles, policies, instance profiles and identity providers. They belong to the account, so
 * each is told with the region of its cluster, where something says which.
 *
 * @module
 */
import type { AwsSession } from "../session.ts";
import { clusterNames, shortName } from "./names.ts";
import { eachOf, listAll, orGone, tagsOf } from "./pages.ts";
import type { Resource, SweepScope } from "./types.ts";

/** Tags that name the region. */
const REGION_TAGS = ["dynamo-eks/region", "topology.kubernetes.io/region"];

/** Roles with names of the cluster. */
export async function findRoles(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const iam = await aws.iam();
  const names = clusterNames(scope);
  const roles = await listAll(
    (Marker) => iam.listRoles({ Marker }),
    (answer) => [answer.Roles, answer.IsTruncated ? answer.Marker : undefined],
  );
  const ours = roles.filter((one) => names.isRole(one.RoleName ?? ""));
  const found = await eachOf(ours, async ({ RoleName }): Promise<Resource | undefined> => {
    const role = (await orGone(iam.getRole({ RoleName })))?.Role;
    const tags = tagsOf(role?.Tags);
    return role && {
      kind: "role",
      id: RoleName ?? "",
      name: RoleName ?? "",
      tags,
      created: role.CreateDate?.getTime(),
      region: names.isRegionalRole(RoleName ?? "") ? scope.region : regionOf(tags),
      named: true,
    };
  });
  return found.filter((one) => one !== undefined);
}

/** The account's own policies whose names begin with the cluster's; only tags tell whose. */
export async function findPolicies(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const iam = await aws.iam();
  const policies = await listAll(
    (Marker) => iam.listPolicies({ Marker, Scope: "Local" }),
    (answer) => [answer.Policies, answer.IsTruncated ? answer.Marker : undefined],
  );
  const start = `${shortName(scope.cluster)}-`;
  const maybe = policies.filter((one) => one.PolicyName?.startsWith(start));
  const found = await eachOf(maybe, async (one): Promise<Resource | undefined> => {
    const answer = await orGone(iam.listPolicyTags({ PolicyArn: one.Arn ?? "" }));
    const tags = tagsOf(answer?.Tags);
    return answer && {
      kind: "policy",
      id: one.Arn ?? "",
      name: one.PolicyName ?? "",
      tags,
      created: one.CreateDate?.getTime(),
      region: one.PolicyName?.startsWith(`${start}${scope.region}-`)
        ? scope.region
        : regionOf(tags),
    };
  });
  return found.filter((one) => one !== undefined);
}

/** Instance profiles that Karpenter makes: `<cluster>_…`, or below `/karpenter/<region>/<cluster>/`. */
export async function findProfiles(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const iam = await aws.iam();
  const profiles = await listAll(
    (Marker) => iam.listInstanceProfiles({ Marker }),
    (answer) => [answer.InstanceProfiles, answer.IsTruncated ? answer.Marker : undefined],
  );
  const folder = `/karpenter/${scope.region}/${scope.cluster}/`;
  const maybe = profiles.filter((one) =>
    one.Path?.startsWith(folder) || one.InstanceProfileName?.startsWith(`${scope.cluster}_`)
  );
  const found = await eachOf(maybe, async (one): Promise<Resource | undefined> => {
    const InstanceProfileName = one.InstanceProfileName ?? "";
    const found = (await orGone(iam.getInstanceProfile({ InstanceProfileName })))?.InstanceProfile;
    const tags = tagsOf(found?.Tags);
    return found && {
      kind: "instance-profile",
      id: InstanceProfileName,
      name: InstanceProfileName,
      tags,
      created: one.CreateDate?.getTime(),
      region: one.Path?.startsWith(folder) ? scope.region : regionOf(tags),
    };
  });
  return found.filter((one) => one !== undefined);
}

/** Identity providers of EKS clusters in the region. */
export async function findProviders(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const iam = await aws.iam();
  const { OpenIDConnectProviderList: all = [] } = await iam.listOpenIDConnectProviders({});
  const here = all.filter((one) => one.Arn?.includes(`/oidc.eks.${scope.region}.`));
  const found = await eachOf(here, async ({ Arn = "" }): Promise<Resource | undefined> => {
    const answer = await orGone(
      iam.getOpenIDConnectProvider({ OpenIDConnectProviderArn: Arn }),
    );
    return answer && {
      kind: "oidc-provider",
      id: Arn,
      name: Arn.split("/").at(-1) ?? Arn,
      tags: tagsOf(answer.Tags),
      created: answer.CreateDate?.getTime(),
      region: scope.region,
    };
  });
  return found.filter((one) => one !== undefined);
}

function regionOf(tags: Readonly<Record<string, string>>): string | undefined {
  return REGION_TAGS.map((key) => tags[key]).find((value) => value !== undefined);
}
