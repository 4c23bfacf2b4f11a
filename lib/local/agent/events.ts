/**
 * Kubernetes events about pods, as a kubelet makes them: the same one again only counts up.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { messageOf } from "../../cli/errors.ts";
import type { Kube } from "../../kube/types.ts";
import { type Pod, podUid } from "./pod_types.ts";

/** Name under which events are reported. */
export const EVENT_SOURCE = "dynamo-eks-node-agent";

/** One event about a pod. */
export interface PodEvent {
  /** Whether all is well. */
  readonly type: "Normal" | "Warning";
  /** A word for machines: `Started`, `BackOff`, … */
  readonly reason: string;
  /** A sentence for people. */
  readonly message: string;
  /** Container that it is about. */
  readonly container?: string;
}

/** Reports events. Nobody waits for them, and one that fails is only logged. */
export interface EventRecorder {
  /** Reports one. */
  report(pod: Pod, event: PodEvent): void;
  /** Waits until all have been sent. */
  flush(): Promise<void>;
  /** Forgets a pod's events. */
  forget(uid: string): void;
}

interface Sent {
  readonly name: string;
  count: number;
}

/** Makes a recorder. */
export function eventRecorder(ctx: Context, kube: Kube): EventRecorder {
  const sent = new Map<string, Map<string, Sent>>();
  let last: Promise<void> = Promise.resolve();
  const send = async (pod: Pod, event: PodEvent) => {
    const key = `${event.type}/${event.reason}/${event.container}/${event.message}`;
    const ofPod = sent.get(podUid(pod)) ?? new Map<string, Sent>();
    sent.set(podUid(pod), ofPod);
    const namespace = pod.metadata.namespace ?? "default";
    const now = new Date(ctx.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const before = ofPod.get(key);
    if (before !== undefined) {
      before.count++;
      await kube.patch(
        { apiVersion: "v1", kind: "Event", name: before.name, namespace },
        "merge",
        { count: before.count, lastTimestamp: now },
      );
      return;
    }
    const name = `${pod.metadata.name}.${crypto.randomUUID().slice(0, 16).replace("-", "")}`;
    await kube.create({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: {
        apiVersion: "v1",
        kind: "Pod",
        name: pod.metadata.name,
        namespace,
        uid: podUid(pod),
        ...(event.container === undefined
          ? {}
          : { fieldPath: `spec.containers{${event.container}}` }),
      },
      type: event.type,
      reason: event.reason,
      message: event.message.slice(0, 1000),
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: EVENT_SOURCE, host: pod.spec.nodeName ?? "" },
      reportingComponent: EVENT_SOURCE,
      reportingInstance: pod.spec.nodeName ?? "",
    });
    ofPod.set(key, { name, count: 1 });
  };
  return {
    report(pod, event) {
      // One after the other, so that they are in the order in which things happened.
      last = last.then(() => send(pod, event)).catch((error) => {
        ctx.ui.debug(`event ${event.reason} of ${pod.metadata.name}: ${messageOf(error)}`);
      });
    },
    flush: () => last,
    forget: (uid) => void sent.delete(uid),
  };
}
