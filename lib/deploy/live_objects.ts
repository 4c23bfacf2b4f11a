/**
 * Objects of several kinds kept up to date by watches.
 *
 * @module
 */
import type { KindRef, Kube, KubeObject } from "../kube/types.ts";

/** A kind to follow. */
export interface FollowedKind extends KindRef {
  /** Another namespace than the others'. */
  readonly namespace?: string;
  /** Only these objects of the kind, for example `involvedObject.kind=NodeClaim`. */
  readonly fieldSelector?: string;
  /** Nothing waits for it: undefined while it is not read, not served, or may not be read. */
  readonly optional?: true;
}

/** Kinds to follow, by a name of the caller's. */
export type Kinds = Readonly<Record<string, FollowedKind>>;

/** The objects of each kind at one moment. */
export type Snapshot<K extends Kinds> = {
  readonly [P in keyof K]: K[P] extends { readonly optional: true }
    ? readonly KubeObject[] | undefined
    : readonly KubeObject[];
};

/** Options of {@link followObjects}. */
export interface FollowOptions<K extends Kinds> {
  /** Kinds to follow. */
  readonly kinds: K;
  /** Namespace to look in. */
  readonly namespace: string;
  /** Ends the watches. */
  readonly signal: AbortSignal;
  /** Called when a connection is lost and tried again. */
  readonly onRetry?: (reason: string) => void;
}

/**
 * Yields the objects whenever something changed, first when every kind has been
 * listed once. Changes that come together are yielded together.
 */
export async function* followObjects<K extends Kinds>(
  kube: Kube,
  options: FollowOptions<K>,
): AsyncGenerator<Snapshot<K>> {
  const stores = new Map<string, Map<string, KubeObject>>();
  let wake: () => void = () => {};
  let changed = false;
  const note = () => {
    changed = true;
    wake();
  };
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const failures: unknown[] = [];
  const names = Object.keys(options.kinds);
  const needed = names.filter((name) => options.kinds[name]!.optional !== true);
  const watches = names.map((name) =>
    follow(name, options.kinds[name]!).catch((error) => {
      if (options.kinds[name]!.optional === true) stores.delete(name);
      else failures.push(error);
      note();
    })
  );

  async function follow(name: string, kind: FollowedKind): Promise<void> {
    // A watch of a kind that is not served asks for it again and again.
    if (kind.optional === true && !await isServed(kube, kind)) return;
    const events = kube.watch(kind, {
      namespace: kind.namespace ?? options.namespace,
      ...(kind.fieldSelector === undefined ? {} : { fieldSelector: kind.fieldSelector }),
      signal,
      ...(options.onRetry === undefined ? {} : { onRetry: options.onRetry }),
    });
    for await (const event of events) {
      if (event.type === "SYNC") {
        stores.set(name, new Map(event.items.map((item) => [keyOf(item), item])));
      } else if (event.type === "DELETED") stores.get(name)?.delete(keyOf(event.object));
      else stores.get(name)?.set(keyOf(event.object), event.object);
      note();
    }
  }

  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      if (signal.aborted) return;
      if (failures.length > 0) throw failures[0];
      if (changed && needed.every((name) => stores.has(name))) {
        changed = false;
        yield snapshot(names, stores) as Snapshot<K>;
      } else {
        await new Promise<void>((resolve) => wake = resolve);
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    stop.abort();
    await Promise.all(watches);
  }
}

// Asks for an object that cannot be there: the answer is as small as can be.
async function isServed(kube: Kube, kind: KindRef): Promise<boolean> {
  const { resourceVersion } = await kube.list(kind, { fieldSelector: "metadata.name=." });
  return resourceVersion !== "";
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

function snapshot(
  names: readonly string[],
  stores: ReadonlyMap<string, ReadonlyMap<string, KubeObject>>,
): Record<string, readonly KubeObject[] | undefined> {
  return Object.fromEntries(names.map((name) => {
    const store = stores.get(name);
    return [name, store === undefined ? undefined : [...store.values()]];
  }));
}
