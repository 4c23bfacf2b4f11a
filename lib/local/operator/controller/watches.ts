/**
 * The watches: what they see goes into the stores, and asks for the owners to be looked at.
 *
 * @module
 */
import type { KubeObject, WatchEvent } from "../../../kube/types.ts";
import { hashOf } from "../json.ts";
import { LABEL } from "../names.ts";
import { controllerName } from "../owner.ts";
import { type Component, type Deployment, type Graph, namespaceOf } from "../types.ts";
import type { OperatorParts } from "./parts.ts";
import { keyOf, type Store } from "./store.ts";

interface WatchSpec<T extends KubeObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly labelSelector?: string;
  readonly store: Store<T>;
  /** Called for an object that appeared or changed. */
  readonly changed: (object: T) => void;
  /** Called for an object that is gone. */
  readonly gone: (object: T) => void;
}

/**
 * Starts the watches. `synced` resolves when each has its first list; `ended` when all have
 * ended after the signal, and rejects when one cannot go on.
 */
export function startWatches(
  parts: OperatorParts,
  signal: AbortSignal,
): { readonly synced: Promise<void>; readonly ended: Promise<void> } {
  const api = parts.settings.features.graphApiVersion;
  const { stores, enqueue } = parts;
  const owner = (kind: string, as: "graph" | "component") => (object: KubeObject) => {
    const name = controllerName(object, kind);
    if (name !== undefined) enqueue(as, `${namespaceOf(object)}/${name}`);
  };
  const graphOf = owner("DynamoGraphDeployment", "graph");
  const componentOf = owner("DynamoComponentDeployment", "component");
  const graphs = changeDetector();
  const components = changeDetector();
  const watches = [
    watchKind<Graph>(parts, signal, {
      apiVersion: api,
      kind: "DynamoGraphDeployment",
      store: stores.graphs,
      changed: (graph) => {
        if (graphs.isNew(graph)) enqueue("graph", keyOf(graph));
      },
      gone: graphs.forget,
    }),
    watchKind<Component>(parts, signal, {
      apiVersion: api,
      kind: "DynamoComponentDeployment",
      store: stores.components,
      changed: (component) => {
        if (components.isNew(component)) enqueue("component", keyOf(component));
        graphOf(component);
      },
      gone: (component) => {
        components.forget(component);
        graphOf(component);
      },
    }),
    watchKind<Deployment>(parts, signal, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      labelSelector: LABEL.component,
      store: stores.deployments,
      changed: componentOf,
      gone: componentOf,
    }),
    watchKind<KubeObject>(parts, signal, {
      apiVersion: "v1",
      kind: "Service",
      labelSelector: LABEL.component,
      store: stores.services,
      changed: componentOf,
      gone: componentOf,
    }),
  ];
  return {
    synced: Promise.all(watches.map((one) => one.synced)).then(() => {}),
    ended: Promise.all(watches.map((one) => one.ended)).then(() => {}),
  };
}

function watchKind<T extends KubeObject>(
  parts: OperatorParts,
  signal: AbortSignal,
  spec: WatchSpec<T>,
): { synced: Promise<void>; ended: Promise<void> } {
  const { promise: synced, resolve } = Promise.withResolvers<void>();
  const { apiVersion, kind, labelSelector } = spec;
  const namespace = parts.settings.restrictNamespace;
  const run = async () => {
    const events = parts.kube.watch<T>({ apiVersion, kind }, {
      signal,
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(namespace === undefined ? {} : { namespace }),
      onRetry: (reason) => parts.log("warn", `watch of ${kind} lost: ${reason}`),
    });
    for await (const event of events) {
      handle(spec, event);
      resolve();
    }
  };
  return { synced, ended: run() };
}

function handle<T extends KubeObject>(spec: WatchSpec<T>, event: WatchEvent<T>): void {
  if (event.type === "SYNC") {
    spec.store.replaceAll(event.items).forEach(spec.gone);
    event.items.forEach(spec.changed);
  } else if (event.type === "DELETED") {
    if (spec.store.remove(event.object)) spec.gone(event.object);
  } else {
    spec.store.put(event.object);
    spec.changed(event.object);
  }
}

/**
 * Tells whether an object has changed in more than its status since it was last asked about:
 * a status is written here, and another look would answer it for nothing.
 */
function changeDetector(): {
  isNew(object: KubeObject): boolean;
  forget(object: KubeObject): void;
} {
  const last = new Map<string, string>();
  return {
    isNew(object) {
      const { uid, generation, deletionTimestamp, annotations, finalizers } = object.metadata;
      const print = hashOf([uid, generation, deletionTimestamp, annotations, finalizers]);
      const key = keyOf(object);
      if (last.get(key) === print) return false;
      last.set(key, print);
      return true;
    },
    forget(object) {
      last.delete(keyOf(object));
    },
  };
}
