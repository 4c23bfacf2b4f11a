/**
 * What a watch has seen last, by namespace and name.
 *
 * @module
 */
import type { KubeObject } from "../../../kube/types.ts";
import { namespaceOf } from "../types.ts";

/** Objects of one kind. */
export interface Store<T extends KubeObject> {
  /** The object of that key, `namespace/name`. */
  get(key: string): T | undefined;
  /** All objects. */
  all(): IterableIterator<T>;
  /** Keeps an object unless a newer version of it is here. */
  put(object: T): void;
  /** Forgets an object; false when it was not here. */
  remove(object: KubeObject): boolean;
  /** Keeps exactly these objects and returns those that are gone. */
  replaceAll(objects: readonly T[]): T[];
}

/** `namespace/name`. */
export function keyOf(object: KubeObject): string {
  return `${namespaceOf(object)}/${object.metadata.name}`;
}

const MOST_GONE = 500;

/** An empty store. */
export function makeStore<T extends KubeObject>(): Store<T> {
  let objects = new Map<string, T>();
  // An answer to an earlier write can come after the news that the object is gone.
  const gone = new Set<string>();
  const bury = (object: T | KubeObject) => {
    const { uid } = object.metadata;
    if (uid === undefined) return;
    gone.add(uid);
    if (gone.size > MOST_GONE) gone.delete(gone.values().next().value!);
  };
  return {
    get: (key) => objects.get(key),
    all: () => objects.values(),
    put(object) {
      if (gone.has(object.metadata.uid ?? "")) return;
      const key = keyOf(object);
      const known = objects.get(key);
      if (known === undefined || !isOlder(object, known)) objects.set(key, trimmed(object));
    },
    remove(object) {
      bury(object);
      const known = objects.get(keyOf(object));
      // The event of an object that was replaced by another of the same name.
      if (known === undefined || known.metadata.uid !== object.metadata.uid) return false;
      return objects.delete(keyOf(object));
    },
    replaceAll(list) {
      const before = objects;
      objects = new Map(list.map((object) => [keyOf(object), trimmed(object)]));
      const missing = [...before.values()].filter((one) =>
        objects.get(keyOf(one))?.metadata.uid !== one.metadata.uid
      );
      missing.forEach(bury);
      return missing;
    },
  };
}

/** Whether `object` is an older version than `known`; versions of one object can be compared. */
function isOlder(object: KubeObject, known: KubeObject): boolean {
  if (object.metadata.uid !== known.metadata.uid) return false;
  const version = (one: KubeObject) => BigInt(one.metadata.resourceVersion ?? "0");
  return version(object) < version(known);
}

/** Without the notes on who set which field: half of an object's size, and never read here. */
function trimmed<T extends KubeObject>(object: T): T {
  const { managedFields: _managed, ...metadata } = object.metadata as KubeObject["metadata"] & {
    managedFields?: unknown;
  };
  return { ...object, metadata };
}
