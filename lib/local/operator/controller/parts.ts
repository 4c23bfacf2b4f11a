/**
 * What the reconcilers share.
 *
 * @module
 */
import type { Context } from "../../../cli/context.ts";
import { messageOf, TaskError } from "../../../cli/errors.ts";
import type { Kube, KubeObject, ObjectRef } from "../../../kube/types.ts";
import type { OperatorFeatures } from "../features.ts";
import { FINALIZER } from "../names.ts";
import { type Component, type Deployment, type Graph, namespaceOf } from "../types.ts";
import { keyOf, type Store } from "./store.ts";
import { mergePatch } from "./sync.ts";

/** Settings of an operator process. */
export interface OperatorSettings {
  /** What the release does. */
  readonly features: OperatorFeatures;
  /** Namespace of the platform. */
  readonly namespace: string;
  /** The only namespace to serve; all when absent. */
  readonly restrictNamespace?: string | undefined;
  /** `nats://host:port` handed to pods. */
  readonly natsAddress?: string | undefined;
  /** `host:port` handed to pods. */
  readonly etcdAddress?: string | undefined;
}

/** A line of the log. */
export type Log = (
  level: "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;

/** Objects seen by the watches. */
export interface Stores {
  /** Graphs. */
  readonly graphs: Store<Graph>;
  /** Components. */
  readonly components: Store<Component>;
  /** Deployments of components. */
  readonly deployments: Store<Deployment>;
  /** Services of components. */
  readonly services: Store<KubeObject>;
}

/** What the reconcilers work with. */
export interface OperatorParts {
  /** Side effects. */
  readonly ctx: Context;
  /** The cluster. */
  readonly kube: Kube;
  /** Settings of the process. */
  readonly settings: OperatorSettings;
  /** What the watches have seen. */
  readonly stores: Stores;
  /** Writes a line. */
  readonly log: Log;
  /** Asks for a graph or component to be looked at, by `namespace/name`. */
  readonly enqueue: (kind: "graph" | "component", key: string) => void;
}

/** Reference to an object. */
export function refOf(object: KubeObject): ObjectRef {
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name: object.metadata.name,
    namespace: namespaceOf(object),
  };
}

/** Whether an error only means that the view was old or the server busy: look again, say nothing. */
export function isPassing(error: unknown): boolean {
  return error instanceof TaskError &&
    ["KUBE_CONFLICT", "KUBE_ALREADYEXISTS", "KUBE_UNREACHABLE", "KUBE_TIMEOUT"]
      .includes(error.code);
}

/** Whether the object is not there (any more). */
export function isNotFound(error: unknown): boolean {
  return error instanceof TaskError && error.code === "KUBE_NOTFOUND";
}

/** Adds the finalizer and annotations when they are missing, and returns the object as it is then. */
export async function claimObject<T extends KubeObject>(
  parts: OperatorParts,
  object: T,
  store: Store<T>,
  annotations: Record<string, string> = {},
): Promise<T> {
  const finalizers = object.metadata.finalizers ?? [];
  if (finalizers.includes(FINALIZER)) return object;
  const claimed = await parts.kube.patch<T>(refOf(object), "merge", {
    metadata: {
      resourceVersion: object.metadata.resourceVersion,
      finalizers: [...finalizers, FINALIZER],
      annotations,
    },
  });
  store.put(claimed);
  return claimed;
}

/**
 * Takes the finalizer off an object that is being deleted, its children first. The garbage
 * collector would delete them too, but it learns of a new kind only up to 30 s after its
 * definition was made.
 */
export async function releaseObject(
  parts: OperatorParts,
  object: KubeObject,
  children: readonly KubeObject[],
): Promise<void> {
  const finalizers = object.metadata.finalizers ?? [];
  if (!finalizers.includes(FINALIZER)) return;
  // `kubectl delete --cascade=orphan`: they are to stay.
  const kept = finalizers.includes("orphan");
  for (const child of kept ? [] : children) await deleteOwned(parts, child);
  try {
    await parts.kube.patch(refOf(object), "merge", {
      metadata: {
        resourceVersion: object.metadata.resourceVersion,
        finalizers: finalizers.filter((one) => one !== FINALIZER),
      },
    });
    parts.log("info", `released ${object.kind}`, { object: keyOf(object) });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Deletes that very object in the background, unless it is on its way already. */
export async function deleteOwned(parts: OperatorParts, object: KubeObject): Promise<void> {
  const { uid, deletionTimestamp } = object.metadata;
  if (deletionTimestamp !== undefined) return;
  const options = { propagation: "Background", ...(uid === undefined ? {} : { uid }) } as const;
  if (await parts.kube.delete(refOf(object), options)) {
    parts.log("info", `deleted ${object.kind}`, { object: keyOf(object) });
  }
}

/** Writes a status when it differs. An object that is gone meanwhile is no error. */
export async function writeStatus<T extends KubeObject>(
  parts: OperatorParts,
  object: T,
  status: object,
  store: Store<T>,
): Promise<T> {
  const patch = mergePatch(object["status"], status as Record<string, unknown>);
  if (patch === undefined) return object;
  try {
    const written = await parts.kube.patch<T>(refOf(object), "merge", { status: patch }, "status");
    store.put(written);
    return written;
  } catch (error) {
    if (isNotFound(error)) return object;
    throw error;
  }
}

/** One line about an error. */
export function errorLine(error: unknown): string {
  return messageOf(error).split("\n")[0] ?? "";
}
