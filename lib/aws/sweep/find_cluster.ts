/**
 * The cluster itself, and what carries the tag without a row of its own.
 *
 * @module
 */
import type { AwsSession } from "../session.ts";
import { listAll, orGone, tagsOf } from "./pages.ts";
import type { Resource, SweepScope } from "./types.ts";

/** The EKS cluster of that name and its node groups. */
export async function findCluster(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const eks = await aws.eks();
  const cluster = (await orGone(eks.describeCluster({ name: scope.cluster })))?.cluster;
  if (cluster === undefined) return [];
  const groups = await orGone(listAll(
    (nextToken) => eks.listNodegroups({ nextToken, clusterName: scope.cluster }),
    (answer) => [answer.nodegroups, answer.nextToken],
  ));
  // The cluster went between the two calls.
  if (groups === undefined) return [];
  const version = cluster.version ?? "";
  return [
    {
      kind: "cluster",
      id: scope.cluster,
      name: scope.cluster,
      tags: cluster.tags ?? {},
      created: cluster.createdAt?.getTime(),
      detail: `Kubernetes ${version} ${cluster.status}`,
      bill: { of: "control-plane", version },
      named: true,
    },
    ...groups.map((name): Resource => ({
      kind: "node-group",
      id: name,
      name,
      // A node group is whose its cluster is.
      tags: cluster.tags ?? {},
      named: true,
    })),
  ];
}

/** What carries the tag and is of a kind that `known` does not have, as ARNs tell it. */
export async function findOthers(
  aws: AwsSession,
  scope: SweepScope,
  known: readonly Resource[],
): Promise<Resource[]> {
  const tagging = await aws.tagging();
  const mappings = await listAll(
    (PaginationToken) =>
      tagging.getResources({
        PaginationToken,
        TagFilters: [{ Key: "dynamo-eks/cluster", Values: [scope.cluster] }],
      }),
    (answer) => [answer.ResourceTagMappingList, answer.PaginationToken],
  );
  const ids = new Set(known.flatMap(({ id }) => [id, id.split("/").at(-1) ?? id]));
  return mappings.filter(({ ResourceARN: arn = "" }) => {
    const [, , service = "", , , ...rest] = arn.split(":");
    const path = rest.join(":");
    if (isSeen(service, path)) return false;
    return !ids.has(arn) && !ids.has(path) && !ids.has(path.replace(/^[\w-]+[/:]/, "")) &&
      !ids.has(path.split(/[/:]/).at(-1) ?? path);
  }).map((one) => ({
    kind: "other",
    id: one.ResourceARN ?? "",
    name: one.ResourceARN ?? "",
    tags: tagsOf(one.Tags),
    bill: { of: "unknown", note: "not known here" },
  }));
}

// Listings of ours tell all of these kinds; the tagging service still knows them for a while
// after they are gone, or has what goes with its parent.
function isSeen(service: string, path: string): boolean {
  if (service === "ec2") {
    return /^(instance|volume|snapshot|network-interface|launch-template|vpc|subnet|route-table|internet-gateway|network-acl|natgateway|elastic-ip|vpc-endpoint|security-group|security-group-rule)\//
      .test(path);
  }
  return ["eks", "elasticloadbalancing", "elasticfilesystem", "iam"].includes(service) ||
    (service === "kms" && path.startsWith("key/"));
}
