/**
 * Deleting what belongs to a cluster, in the order of dependencies. Everything is looked up again
 * before it is deleted, so that it can be stopped anywhere and run again, and never deletes more
 * than was agreed to.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { interruptedError, messageOf, TaskError } from "../../cli/errors.ts";
import type { AwsSession } from "../session.ts";
import { removeClassicBalancer } from "./classic_balancers.ts";
import { type Inventory, takeInventory } from "./inventory.ts";
import { eachOf } from "./pages.ts";
import type { Removal, Remover } from "./removal.ts";
import {
  removeCluster,
  removeInstance,
  removeInterface,
  removeLaunchTemplate,
  removeNodeGroup,
  removeSnapshot,
  removeVolume,
} from "./remove_compute.ts";
import { removePolicy, removeProfile, removeProvider, removeRole } from "./remove_iam.ts";
import {
  removeAcl,
  removeAddress,
  removeEndpoint,
  removeInternetGateway,
  removeNatGateway,
  removeRouteTable,
  removeSecurityGroup,
  removeSubnet,
  removeVpc,
} from "./remove_network.ts";
import {
  removeAlias,
  removeBucket,
  removeFileSystem,
  removeKey,
  removeLoadBalancer,
  removeLogGroup,
  removeQueue,
  removeRepository,
  removeRule,
  removeTargetGroup,
} from "./remove_services.ts";
import { keyOf, type Resource, type ResourceKind } from "./types.ts";

const REMOVERS: Readonly<Partial<Record<ResourceKind, Remover>>> = {
  "node-group": removeNodeGroup,
  "cluster": removeCluster,
  "load-balancer": removeLoadBalancer,
  "classic-load-balancer": removeClassicBalancer,
  "instance": removeInstance,
  "target-group": removeTargetGroup,
  "launch-template": removeLaunchTemplate,
  "file-system": removeFileSystem,
  "vpc-endpoint": removeEndpoint,
  "nat-gateway": removeNatGateway,
  "elastic-ip": removeAddress,
  "volume": removeVolume,
  "snapshot": removeSnapshot,
  "network-interface": removeInterface,
  "security-group": removeSecurityGroup,
  "subnet": removeSubnet,
  "route-table": removeRouteTable,
  "internet-gateway": removeInternetGateway,
  "network-acl": removeAcl,
  "vpc": removeVpc,
  "instance-profile": removeProfile,
  "policy": removePolicy,
  "role": removeRole,
  "oidc-provider": removeProvider,
  "event-rule": removeRule,
  "queue": removeQueue,
  "repository": removeRepository,
  "log-group": removeLogGroup,
  "key-alias": removeAlias,
  "key": removeKey,
  "bucket": removeBucket,
};

/** What is deleted side by side; each wave needs the ones before it gone. */
const WAVES: readonly (readonly ResourceKind[])[] = [
  // The controllers in the cluster would make load balancers and instances again.
  ["node-group"],
  ["cluster"],
  ["load-balancer", "classic-load-balancer", "instance"],
  [
    "target-group",
    "launch-template",
    "file-system",
    "vpc-endpoint",
    "nat-gateway",
    "volume",
    "snapshot",
    "event-rule",
    "queue",
    "repository",
    "log-group",
    "oidc-provider",
    "instance-profile",
  ],
  ["elastic-ip", "network-interface", "policy"],
  ["security-group", "role"],
  ["subnet", "route-table", "internet-gateway", "network-acl", "key-alias"],
  ["vpc", "key"],
  // The state of terraform, when nothing is left that it could tell of.
  ["bucket"],
];

const PATIENCE_MS = 15 * 60_000;
/** After a failure the rest is tried, but not waited for at length: it may depend on what failed. */
const SHORT_PATIENCE_MS = 15_000;
const POLL_MS = 3_000;

/** What makes further attempts useless. */
const HOPELESS = ["AWS_NO_CREDENTIALS", "AWS_EXPIRED", "AWS_BAD_CREDENTIALS", "AWS_UNREACHABLE"];

/** Options of {@link deleteLeaks}. */
export interface DeleteLeaksOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  /** Keys (kind/id) that were agreed to; only these are deleted. */
  readonly agreed: ReadonlySet<string>;
  /** Milliseconds that one resource may take; 15 minutes unless given. */
  readonly patienceMs?: number;
  /** Milliseconds between looks; 3 seconds unless given. */
  readonly pollMs?: number;
  /** Told what is being deleted. */
  readonly onProgress?: (text: string) => void;
}

/** Keys (kind/id) of what may be deleted. */
export function deletable(inventory: Inventory): Set<string> {
  return new Set(
    inventory.leaks.filter((one) => one.belonging === "own").map((one) => keyOf(one.resource)),
  );
}

/**
 * Deletes what carries the cluster's own tags and was agreed to. Returns how many resources went.
 *
 * @throws {TaskError} SWEEP_INCOMPLETE with what could not be deleted and why; INTERRUPTED.
 */
export async function deleteLeaks(
  ctx: Context,
  aws: AwsSession,
  options: DeleteLeaksOptions,
): Promise<number> {
  const inventory = await takeInventory(aws, options.cluster);
  const own = deletable(inventory);
  const wanted = inventory.leaks.map((one) => one.resource)
    .filter((one) => own.has(keyOf(one)) && options.agreed.has(keyOf(one)));
  const failures: string[] = [];
  let gone = 0;
  for (const wave of WAVES) {
    const batch = wanted.filter((one) => wave.includes(one.kind));
    if (batch.length === 0) continue;
    if (wave.includes("bucket") && failures.length > 0) break;
    const patienceMs = Math.min(
      options.patienceMs ?? PATIENCE_MS,
      failures.length > 0 ? SHORT_PATIENCE_MS : Infinity,
    );
    const { scope } = inventory;
    const job = { ctx, aws, scope, own, patienceMs, pollMs: options.pollMs ?? POLL_MS };
    await eachOf(batch, async (resource) => {
      options.onProgress?.(`${resource.kind} ${resource.name}`);
      const failure = await attempt(job, resource);
      if (failure === undefined) gone++;
      else failures.push(failure);
    });
    // With the control plane alive, everything else would be made again.
    if (failures.length > 0 && (wave.includes("node-group") || wave.includes("cluster"))) break;
  }
  if (failures.length > 0) {
    throw new TaskError({
      code: "SWEEP_INCOMPLETE",
      message: `${failures.length} resources of ${options.cluster} could not be deleted`,
      hint: "Run the same task again; what is gone is skipped.",
      evidence: failures,
    });
  }
  return gone;
}

/** Deletes a resource; returns why it could not be, and throws what ends everything. */
async function attempt(job: Removal, resource: Resource): Promise<string | undefined> {
  const remove = REMOVERS[resource.kind];
  if (remove === undefined) return `${keyOf(resource)}: its kind is not deleted here`;
  if (job.ctx.signal.aborted) throw interruptedError();
  try {
    await remove(job, resource);
    return undefined;
  } catch (error) {
    if (job.ctx.signal.aborted) throw interruptedError();
    if (error instanceof TaskError && HOPELESS.includes(error.code)) throw error;
    return `${keyOf(resource)}: ${messageOf(error)}`;
  }
}
