/**
 * Everything in the account and region that belongs to a cluster.
 *
 * @module
 */
import { messageOf, TaskError } from "../../cli/errors.ts";
import type { AwsSession } from "../session.ts";
import { findClassicBalancers } from "./classic_balancers.ts";
import { findBuckets } from "./find_buckets.ts";
import { findCluster, findOthers } from "./find_cluster.ts";
import {
  findInstances,
  findInterfaces,
  findLaunchTemplates,
  findSnapshots,
  findVolumes,
} from "./find_compute.ts";
import { findPolicies, findProfiles, findProviders, findRoles } from "./find_iam.ts";
import { findGateways, findNetwork, findSecurityGroups } from "./find_network.ts";
import {
  findFileSystems,
  findKeys,
  findLoadBalancers,
  findLogGroups,
  findQueues,
  findRepositories,
  findRules,
} from "./find_services.ts";
import { keepAllNetworks, keepSharedNetworks } from "./shared_network.ts";
import { asLeak } from "./ownership.ts";
import { keyOf, KINDS, type Leak, type Resource, type SweepScope } from "./types.ts";

/** What was found. */
export interface Inventory {
  /** Cluster and region. */
  readonly scope: SweepScope;
  /** Resources of the cluster, in the order in which they may be deleted. */
  readonly leaks: readonly Leak[];
  /** Listings that failed, as `what: why`; what they would have told is unknown. */
  readonly blind: readonly string[];
}

type Finder = (aws: AwsSession, scope: SweepScope) => Promise<Resource[]>;

const FINDERS: Readonly<Record<string, Finder>> = {
  "the cluster": findCluster,
  "instances": findInstances,
  "volumes": findVolumes,
  "snapshots": findSnapshots,
  "network interfaces": findInterfaces,
  "launch templates": findLaunchTemplates,
  "networks": findNetwork,
  "gateways and addresses": findGateways,
  "security groups": findSecurityGroups,
  "load balancers": findLoadBalancers,
  "classic load balancers": findClassicBalancers,
  "file systems": findFileSystems,
  "image repositories": findRepositories,
  "log groups": findLogGroups,
  "queues": findQueues,
  "event rules": findRules,
  "keys": findKeys,
  "roles": findRoles,
  "policies": findPolicies,
  "instance profiles": findProfiles,
  "identity providers": findProviders,
  "buckets": findBuckets,
};

/** What ends the sweep at once: every other listing would fail in the same way. */
const HOPELESS = ["AWS_NO_CREDENTIALS", "AWS_EXPIRED", "AWS_BAD_CREDENTIALS"];

/**
 * Looks through the account and region, changing nothing. A listing that fails is told in
 * `blind`; credentials that do not work end it.
 *
 * @throws {TaskError} AWS_NO_CREDENTIALS, AWS_EXPIRED, AWS_BAD_CREDENTIALS.
 */
export async function takeInventory(aws: AwsSession, cluster: string): Promise<Inventory> {
  const scope: SweepScope = { cluster, region: aws.region };
  const blind: string[] = [];
  const looked = async (what: string, find: () => Promise<Resource[]>): Promise<Resource[]> => {
    try {
      return await find();
    } catch (error) {
      blind.push(blindText(what, error));
      return [];
    }
  };
  const settled = await Promise.allSettled(
    Object.entries(FINDERS).map(([what, find]) => looked(what, () => find(aws, scope))),
  );
  const failed = settled.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  const known = settled.flatMap((one) => one.status === "fulfilled" ? one.value : []);
  const others = await looked("other tagged things", () => findOthers(aws, scope, known));
  const leaks = [...known, ...others].map((one) => asLeak(one, scope))
    .filter((one) => one !== undefined);
  const before = keepForeignCluster(leaks, blind);
  const kept = await keepSharedNetworks(aws, before, scope).catch((error) => {
    blind.push(blindText("who else is in its network", error));
    return keepAllNetworks(before, "who else is in its VPC is not known");
  });
  return { scope, leaks: kept.sort(byOrder), blind: blind.sort() };
}

/** While a cluster of that name lives that is not ours, tags with its name may be its own. */
function keepForeignCluster(leaks: readonly Leak[], blind: readonly string[]): readonly Leak[] {
  const cluster = leaks.find((one) => one.resource.kind === "cluster");
  const unseen = blind.some((one) => one.startsWith("the cluster:"));
  if (!unseen && (cluster === undefined || cluster.belonging === "own")) return leaks;
  const why = unseen
    ? "whether a cluster of that name lives is not known"
    : "a cluster of that name lives that was not made here";
  return leaks.map((one) =>
    one.belonging === "kept" ? one : { ...one, belonging: "suspect", why: `${one.why}, but ${why}` }
  );
}

function byOrder(a: Leak, b: Leak): number {
  const order = KINDS.indexOf(a.resource.kind) - KINDS.indexOf(b.resource.kind);
  return order !== 0 ? order : keyOf(a.resource) < keyOf(b.resource) ? -1 : 1;
}

/** `what: why`; throws what is no matter of one listing alone. */
function blindText(what: string, error: unknown): string {
  if (!(error instanceof TaskError) || HOPELESS.includes(error.code)) throw error;
  return `${what}: ${messageOf(error)}`;
}
