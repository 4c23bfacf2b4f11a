/**
 * What Karpenter does about a pod without a node: a node that is on its way, or why none comes.
 * Texts as karpenter and its AWS provider write them (v1 API; EKS Auto Mode writes the same).
 *
 * @module
 */
import { eventTime } from "../../kube/events.ts";
import type { KubeObject } from "../../kube/types.ts";
import {
  conditionIs,
  conditionOf,
  eventsAbout,
  type Make,
  makerFor,
  oneLine,
  podPool,
} from "./objects.ts";
import type { ClusterFacts, ComponentObjects, Diagnosis } from "./types.ts";

// Karpenter looks again at a pod after at most that.
const REFUSED_GRACE_MS = 30_000;
// It leaves an instance type alone for 3 minutes after EC2 had none: then it was refused twice.
const CAPACITY_GRACE_MS = 240_000;

/** Facts of a cluster with Karpenter. */
export type KarpenterFacts = ClusterFacts & { readonly nodePools: readonly KubeObject[] };

/** What Karpenter says about the pod. */
export function diagnoseKarpenter(
  facts: KarpenterFacts,
  component: ComponentObjects,
  pod: KubeObject,
): Diagnosis {
  const make = makerFor(component.name);
  const said = eventsAbout(facts.events, pod).filter(isKarpenters);
  const nominated = said.findLast((event) => event["reason"] === "Nominated");
  const refused = said.findLast((event) => event["reason"] === "FailedScheduling");
  const claimName = /nodeclaim\/(\S+?)(?:,|$)/.exec(nominated?.["message"] ?? "")?.[1];
  const claims = facts.nodeClaims ?? [];
  const pool = podPool(pod) ??
    claims.find((claim) => claim.metadata.name === claimName)?.metadata.labels
      ?.["karpenter.sh/nodepool"];
  const failure = launchFailure(facts, pod, pool, claimName);
  if (failure !== undefined) return launchDiagnosis(failure, pool, make);
  const notReady = facts.nodePools.find((one) =>
    one.metadata.name === pool && conditionIs(one, "Ready", "False")
  );
  if (notReady !== undefined) {
    const condition = conditionOf(notReady, "Ready");
    const why = [condition?.["reason"], condition?.["message"]].filter(Boolean).join(", ");
    return make(
      "NODE_POOL_NOT_READY",
      `node pool ${pool} is not ready: ${oneLine(why)}`,
      `kubectl describe nodepool ${pool} and its ec2nodeclass say what is missing.`,
      REFUSED_GRACE_MS,
    );
  }
  const coming = claims.find((claim) => claim.metadata.name === claimName) ??
    claims.find((claim) => poolOf(claim) === pool && !conditionIs(claim, "Initialized", "True"));
  if (
    refused !== undefined &&
    (nominated === undefined || eventTime(refused) > eventTime(nominated))
  ) {
    return refusal(refused["message"] ?? "", pool, make);
  }
  if (coming !== undefined) return make("NODE_STARTING", claimWords(coming), STARTING);
  const named = pool === undefined ? "a node" : `a node of pool ${pool}`;
  return nominated === undefined
    ? make(
      "NODE_WANTED",
      `there is no node yet, and Karpenter has not ordered ${named}`,
      "kubectl logs -n kube-system -l app.kubernetes.io/name=karpenter says why when this lasts.",
    )
    : make("NODE_STARTING", `Karpenter has ordered ${named}`, STARTING);
}

const STARTING = "Nodes with GPUs take some minutes.";

function isKarpenters(event: KubeObject): boolean {
  const who: string = event["reportingComponent"] || event["source"]?.component || "";
  return /karpenter|eks-auto-mode/.test(who);
}

function poolOf(claim: KubeObject): string | undefined {
  return claim.metadata.labels?.["karpenter.sh/nodepool"];
}

/** How far an ordered node is, in plain words. */
export function claimWords(claim: KubeObject): string {
  const type = claim.metadata.labels?.["node.kubernetes.io/instance-type"];
  const what = type ?? `a node of pool ${poolOf(claim) ?? "?"}`;
  const node: string = claim["status"]?.nodeName ?? "";
  if (conditionIs(claim, "Initialized", "True")) return `${what} is there as ${node}`;
  if (conditionIs(claim, "Registered", "True")) {
    const missing = conditionOf(claim, "Initialized")?.["message"];
    return `${what} has joined as ${node} and is getting ready` +
      (missing ? ` (${oneLine(missing, 80)})` : "");
  }
  if (conditionIs(claim, "Launched", "True")) {
    return `EC2 has started ${what}, which has not joined the cluster yet`;
  }
  return `Karpenter asks EC2 for ${what}`;
}

/** Karpenter deletes a NodeClaim that EC2 refused, so its events tell more than what is left. */
function launchFailure(
  facts: KarpenterFacts,
  pod: KubeObject,
  pool: string | undefined,
  claimName: string | undefined,
): string | undefined {
  const since = pod.metadata.creationTimestamp ?? "";
  const mine = (name: string) =>
    name === claimName ||
    (name.startsWith(`${pool}-`) && /^[a-z0-9]{5}$/.test(name.slice(`${pool}-`.length)));
  const claims = (facts.nodeClaims ?? []).filter((claim) => mine(claim.metadata.name));
  const launched = claims.filter((claim) => conditionIs(claim, "Launched", "True"));
  const failed = claims.map((claim) => conditionOf(claim, "Launched")).find((condition) =>
    condition?.["status"] !== "True" && /fail|error|capacity/i.test(condition?.["reason"] ?? "")
  );
  if (failed !== undefined) return failed["message"] ?? failed["reason"];
  if (launched.length > 0) return undefined;
  return facts.events.filter((event) =>
    event["involvedObject"]?.kind === "NodeClaim" && event["type"] === "Warning" &&
    mine(event["involvedObject"].name) && eventTime(event) >= since &&
    /launch|capacity|fleet|creating instance|LimitExceeded/i.test(
      `${event["reason"]} ${event["message"]}`,
    )
  ).sort((a, b) => eventTime(a).localeCompare(eventTime(b))).at(-1)?.["message"];
}

function launchDiagnosis(message: string, pool: string | undefined, make: Make): Diagnosis {
  const text = oneLine(message.replace(/\s*\(aws-error-code=.*?\)/g, ""));
  const where = pool === undefined ? "" : ` for pool ${pool}`;
  if (/LimitExceeded|MaxSpotInstanceCountExceeded/.test(message)) {
    return make(
      "NODE_QUOTA",
      `the account's quota allows no more nodes${where}: ${text}`,
      "Ask for more in Service Quotas (deno task doctor --target eks shows quotas and their use), " +
        "or end other instances.",
      REFUSED_GRACE_MS,
    );
  }
  if (/capacity|SpotMaxPriceTooLow|UnfulfillableCapacity/i.test(message)) {
    return make(
      "NODE_CAPACITY",
      `EC2 has no such instances free${where}: ${text}`,
      "Karpenter goes on trying. Other instance types, zones or capacity types in the node pool " +
        "help, or --node-pool.",
      CAPACITY_GRACE_MS,
    );
  }
  const denied = /Unauthorized|AccessDenied|AuthFailure|OptInRequired|PendingVerification|Blocked/;
  return make(
    "NODE_LAUNCH",
    `EC2 starts no node${where}: ${text}`,
    "kubectl describe nodeclaim says more.",
    denied.test(message) ? REFUSED_GRACE_MS : undefined,
  );
}

/** Karpenter names a reason for each pool: that of the pod's own pool counts. */
function refusal(message: string, pool: string | undefined, make: Make): Diagnosis {
  const parts = message.split(/;\s*(?=incompatible with|all available)/);
  const own = pool === undefined ? parts : parts.filter((part) => part.includes(`"${pool}"`));
  const text = oneLine((own.length > 0 ? own : parts).join("; "));
  const where = pool === undefined ? "any pool" : `pool ${pool}`;
  const [, taint] = /did not tolerate (?:taint )?([^;,\s]+)/.exec(text) ?? [];
  if (taint !== undefined) {
    return make(
      "TAINT",
      `it does not tolerate the taint ${taint} of ${where}`,
      "Give the component that toleration.",
      REFUSED_GRACE_MS,
    );
  }
  if (/exceed limits/.test(text)) {
    return make(
      "NODE_POOL_LIMIT",
      `${where} has reached its limits: ${text}`,
      "Raise limits of the node pool in terraform/blueprint.tfvars, or remove other graphs.",
      REFUSED_GRACE_MS,
    );
  }
  const unfit = /no instance type/.test(text);
  return make(
    unfit ? "NODE_UNFIT" : "NODE_SELECTOR",
    unfit
      ? `no instance type of ${where} is large enough: ${text}`
      : `Karpenter has no pool for it: ${text}`,
    "Compare the component's GPUs, cpu, memory and node selector with the node pool's instance types.",
    REFUSED_GRACE_MS,
  );
}
