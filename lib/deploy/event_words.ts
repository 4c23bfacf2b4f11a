/**
 * Kubernetes events about a graph in plain words. Pure.
 *
 * @module
 */
import { eventTime } from "../kube/events.ts";
import type { KubeObject } from "../kube/types.ts";
import { claimWords } from "./diagnosis/karpenter.ts";
import { oneLine } from "./diagnosis/objects.ts";
import type { ClusterFacts } from "./diagnosis/types.ts";

/** The newest event that says something. */
export interface CurrentEvent {
  /** For example `VllmDecodeWorker: pulling its image (vllm-runtime:1.6.1)`. */
  readonly text: string;
  /** When it was seen, RFC 3339. */
  readonly time: string;
  /** Whether the counts of the components do not say the same already. */
  readonly telling: boolean;
}

type Words = (message: string) => string | undefined;

const shortImage = (message: string): string => {
  const image = /image "([^"]+)"/.exec(message)?.[1];
  return image === undefined ? "" : ` ${image.slice(image.lastIndexOf("/") + 1)}`;
};

// By reason; those that are not here are noise, or said by the counts.
const QUIET: Readonly<Record<string, Words>> = {
  Scheduled: (message) => `placed on ${/ to (\S+)$/.exec(message)?.[1] ?? "a node"}`,
  Created: () => "container made",
  Started: () => "process started",
  Pulled: (message) => {
    const took = / in ([\d.hms]+)/.exec(message)?.[1];
    return /already present/.test(message)
      ? `image${shortImage(message)} was on the node`
      : took === undefined
      ? "image is there"
      : `image${shortImage(message)} pulled in ${took}`;
  },
  SuccessfulAttachVolume: () => "volume attached",
};
const TELLING: Readonly<Record<string, Words>> = {
  Pulling: (message) => `pulling image${shortImage(message)}`,
  Nominated: () => "a node has been ordered for it",
  TriggeredScaleUp: () => "a node is being started for it",
  Unhealthy: (message) => `does not answer yet: ${message}`,
  BackOff: (message) => /pulling/.test(message) ? "waits to pull again" : "waits to start again",
  // "Error: ErrImagePull" comes right after the event that says why.
  Failed: (message) => /^Error: \w+$/.test(message) ? undefined : message,
  FailedMount: (message) => `volume not mounted: ${message}`,
  FailedAttachVolume: (message) => `volume not attached: ${message}`,
  FailedScheduling: (message) =>
    `no node yet: ${message.split(/\.?\s+(?:no new claims|preempt)/)[0]}`,
  Preempted: () => "put off its node by a pod of higher priority",
  Evicted: (message) => `put off its node: ${message}`,
  TaintManagerEviction: (message) => `has to leave its node: ${message}`,
  NodeNotReady: () => "its node is not ready",
  Killing: (message) => /restarted/.test(message) ? message : "stopping",
  ProvisioningFailed: (message) => `no volume yet: ${message}`,
  Provisioning: () => "its volume is being made",
  ProvisioningSucceeded: () => "its volume is made",
};

/** The newest event of the graph's own objects and of the nodes that are on their way to it. */
export function currentEvent(facts: ClusterFacts): CurrentEvent | undefined {
  const owners = new Map<string, string>();
  for (const component of facts.components) {
    for (const pod of component.pods) {
      owners.set(`Pod/${pod.metadata.name}`, component.name);
      for (const volume of pod["spec"]?.volumes ?? []) {
        const claim = volume.persistentVolumeClaim?.claimName;
        if (claim !== undefined) owners.set(`PersistentVolumeClaim/${claim}`, component.name);
      }
    }
  }
  let latest: CurrentEvent | undefined;
  for (const event of facts.events) {
    const { kind, name } = event["involvedObject"] ?? {};
    const owner = owners.get(`${kind}/${name}`);
    const words = owner === undefined ? undefined : eventWords(event);
    const time = eventTime(event);
    if (words === undefined || (latest !== undefined && time < latest.time)) continue;
    latest = { text: `${owner}: ${oneLine(words)}`, time, telling: event["reason"] in TELLING };
  }
  return latest;
}

function eventWords(event: KubeObject): string | undefined {
  const words = TELLING[event["reason"]] ?? QUIET[event["reason"]];
  return words?.(event["message"] ?? "");
}

/** A line for each node that Karpenter is making for the pools of the graph. */
export function nodesOnTheirWay(facts: ClusterFacts): { key: string; text: string }[] {
  const pools = new Set(
    facts.components.flatMap((component) => component.pods).filter((pod) =>
      pod["spec"]?.nodeName === undefined
    ).map((pod) => pod["spec"]?.nodeSelector?.["karpenter.sh/nodepool"]),
  );
  return (facts.nodeClaims ?? []).filter(({ metadata, status }) =>
    pools.has(metadata.labels?.["karpenter.sh/nodepool"]) &&
    !(status?.conditions ?? []).some((one: KubeObject) =>
      one["type"] === "Initialized" && one["status"] === "True"
    )
  ).map((claim) => ({
    key: `node/${claim.metadata.name}`,
    text: `${claim.metadata.labels?.["karpenter.sh/nodepool"]}: ${claimWords(claim)}`,
  }));
}
