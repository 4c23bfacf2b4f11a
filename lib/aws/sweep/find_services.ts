/**
 * What other services hold for the cluster: load balancers, file systems, queues, rules, images,
 * logs, keys.
 *
 * @module
 */
import type { AwsSession } from "../session.ts";
import { clusterNames } from "./names.ts";
import { eachOf, listAll, orGone, tagsOf } from "./pages.ts";
import type { Resource, SweepScope } from "./types.ts";

/** Load balancers and target groups. AWS tells their tags for twenty at a time. */
export async function findLoadBalancers(aws: AwsSession): Promise<Resource[]> {
  const elb = await aws.elb();
  const [balancers, groups] = await Promise.all([
    listAll((Marker) => elb.describeLoadBalancers({ Marker }), (a) => [
      a.LoadBalancers,
      a.NextMarker,
    ]),
    listAll((Marker) => elb.describeTargetGroups({ Marker }), (a) => [
      a.TargetGroups,
      a.NextMarker,
    ]),
  ]);
  const arns = [
    ...balancers.map((one) => one.LoadBalancerArn ?? ""),
    ...groups.map((one) => one.TargetGroupArn ?? ""),
  ];
  const tags = new Map<string, Record<string, string>>();
  const batches = Array.from(
    { length: Math.ceil(arns.length / 20) },
    (_, index) => arns.slice(index * 20, index * 20 + 20),
  );
  await eachOf(batches, async (ResourceArns) => {
    for (const one of (await elb.describeTags({ ResourceArns })).TagDescriptions ?? []) {
      tags.set(one.ResourceArn ?? "", tagsOf(one.Tags));
    }
  });
  return [
    ...balancers.map((one) => ({
      kind: "load-balancer" as const,
      id: one.LoadBalancerArn ?? "",
      name: one.LoadBalancerName ?? "",
      tags: tags.get(one.LoadBalancerArn ?? "") ?? {},
      created: one.CreatedTime?.getTime(),
      vpcId: one.VpcId,
      detail: `${one.Type} ${one.Scheme}`,
      bill: { of: "unknown", note: "billed by the hour and by capacity units" } as const,
    })),
    ...groups.map((one) => ({
      kind: "target-group" as const,
      id: one.TargetGroupArn ?? "",
      name: one.TargetGroupName ?? "",
      tags: tags.get(one.TargetGroupArn ?? "") ?? {},
      vpcId: one.VpcId,
    })),
  ];
}

/** File systems; their mount targets go with them. */
export async function findFileSystems(aws: AwsSession): Promise<Resource[]> {
  const efs = await aws.efs();
  const systems = await listAll(
    (Marker) => efs.describeFileSystems({ Marker }),
    (answer) => [answer.FileSystems, answer.NextMarker],
  );
  return systems.map((one) => {
    const gigabytes = (one.SizeInBytes?.Value ?? 0) / 2 ** 30;
    return {
      kind: "file-system",
      id: one.FileSystemId ?? "",
      name: one.Name ?? one.FileSystemId ?? "",
      tags: tagsOf(one.Tags),
      created: one.CreationTime?.getTime(),
      detail: `${gigabytes.toFixed(1)} GB of data`,
      bill: { of: "file-system", gigabytes },
    };
  });
}

/** Image repositories in the cluster's folder. */
export async function findRepositories(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const ecr = await aws.ecr();
  const folder = clusterNames(scope).repositoryFolder;
  const all = await listAll(
    (nextToken) => ecr.describeRepositories({ nextToken }),
    (answer) => [answer.repositories, answer.nextToken],
  );
  const ours = all.filter((one) => one.repositoryName?.startsWith(folder));
  const found = await eachOf(ours, async (one): Promise<Resource | undefined> => {
    const resourceArn = one.repositoryArn ?? "";
    const answer = await orGone(ecr.listTagsForResource({ resourceArn }));
    return answer === undefined ? undefined : {
      kind: "repository",
      id: one.repositoryName ?? "",
      name: one.repositoryName ?? "",
      tags: tagsOf(answer.tags),
      created: one.createdAt?.getTime(),
      detail: "with its images",
      bill: { of: "unknown", note: "billed by what is stored" },
      // Names are lower case: two clusters may share one folder.
      named: scope.cluster === scope.cluster.toLowerCase(),
    };
  });
  return found.filter((one) => one !== undefined);
}

/** The control plane's log group, which EKS makes again as long as it writes. */
export async function findLogGroups(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const logs = await aws.logs();
  const name = clusterNames(scope).logGroup;
  const groups = await listAll(
    (nextToken) => logs.describeLogGroups({ nextToken, logGroupNamePrefix: name }),
    (answer) => [answer.logGroups, answer.nextToken],
  );
  const ours = groups.filter((one) => one.logGroupName === name);
  const found = await eachOf(ours, async (one): Promise<Resource | undefined> => {
    const resourceArn = (one.logGroupArn ?? one.arn ?? "").replace(/:\*$/, "");
    const answer = await orGone(logs.listTagsForResource({ resourceArn }));
    return answer === undefined ? undefined : {
      kind: "log-group",
      id: name,
      name,
      tags: answer.tags ?? {},
      created: one.creationTime,
      detail: `${((one.storedBytes ?? 0) / 2 ** 30).toFixed(2)} GB`,
      bill: { of: "unknown", note: "billed by what is stored" },
      named: true,
    };
  });
  return found.filter((one) => one !== undefined);
}

/** The queue of interruption notices. */
export async function findQueues(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const sqs = await aws.sqs();
  const name = clusterNames(scope).queue;
  const urls = await listAll(
    (NextToken) => sqs.listQueues({ NextToken, QueueNamePrefix: name, MaxResults: 1000 }),
    (answer) => [answer.QueueUrls, answer.NextToken],
  );
  const ours = urls.filter((url) => url.split("/").at(-1) === name);
  const found = await eachOf(ours, async (QueueUrl): Promise<Resource | undefined> => {
    const tags = await orGone(sqs.listQueueTags({ QueueUrl }));
    return tags && {
      kind: "queue",
      id: QueueUrl,
      name,
      tags: tags.Tags ?? {},
      named: true,
    };
  });
  return found.filter((one) => one !== undefined);
}

/** Rules that fill the queue. Their names begin with the cluster's, cut: only tags tell whose. */
export async function findRules(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const events = await aws.events();
  const NamePrefix = clusterNames(scope).ruleStart;
  const rules = await listAll(
    (NextToken) => events.listRules({ NextToken, NamePrefix }),
    (answer) => [answer.Rules, answer.NextToken],
  );
  const found = await eachOf(rules, async (one): Promise<Resource | undefined> => {
    const answer = await orGone(events.listTagsForResource({ ResourceARN: one.Arn ?? "" }));
    return answer && {
      kind: "event-rule",
      id: one.Name ?? "",
      name: one.Name ?? "",
      tags: tagsOf(answer.Tags),
    };
  });
  return found.filter((one) => one !== undefined);
}

/** Keys that carry the tag, and the alias of the key for Kubernetes secrets. */
export async function findKeys(aws: AwsSession, scope: SweepScope): Promise<Resource[]> {
  const kms = await aws.kms();
  const tagging = await aws.tagging();
  const name = clusterNames(scope).keyAlias;
  const [aliases, tagged] = await Promise.all([
    listAll((Marker) => kms.listAliases({ Marker }), (a) => [a.Aliases, a.NextMarker]),
    listAll(
      (PaginationToken) =>
        tagging.getResources({
          PaginationToken,
          ResourceTypeFilters: ["kms:key"],
          TagFilters: [{ Key: "dynamo-eks/cluster", Values: [scope.cluster] }],
        }),
      (a) => [a.ResourceTagMappingList, a.PaginationToken],
    ),
  ]);
  const alias = aliases.find((one) => one.AliasName === name);
  const ids = new Set(tagged.map((one) => one.ResourceARN?.split("/").at(-1) ?? ""));
  if (alias?.TargetKeyId !== undefined) ids.add(alias.TargetKeyId);
  const keys = (await eachOf([...ids], (id) => findKey(kms, id))).filter((one) =>
    one !== undefined
  );
  return [
    ...(alias === undefined ? [] : [{
      kind: "key-alias" as const,
      id: name,
      name,
      // An alias has no tags; it is whose its key is.
      tags: keys.find(({ key }) => key.id === alias.TargetKeyId)?.key.tags ?? {},
      created: alias.CreationDate?.getTime(),
      named: true,
    }]),
    // Keys that wait for their deletion cost nothing.
    ...keys.filter(({ state }) => state !== "PendingDeletion").map(({ key }) => key),
  ];
}

async function findKey(
  kms: Awaited<ReturnType<AwsSession["kms"]>>,
  KeyId: string,
): Promise<{ readonly key: Resource; readonly state: string } | undefined> {
  const found = (await orGone(kms.describeKey({ KeyId })))?.KeyMetadata;
  const tags = await orGone(kms.listResourceTags({ KeyId }));
  if (found === undefined || tags === undefined) return undefined;
  const state = found.KeyState ?? "";
  const key: Resource = {
    kind: "key",
    id: KeyId,
    name: KeyId,
    tags: Object.fromEntries(
      (tags.Tags ?? []).map((one) => [one.TagKey ?? "", one.TagValue ?? ""]),
    ),
    created: found.CreationDate?.getTime(),
    detail: state,
    bill: { of: "key" },
  };
  return { key, state };
}
