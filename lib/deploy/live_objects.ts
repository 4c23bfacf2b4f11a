/**
 * Objects of several kinds kept up to date by watches.
 *
 * @module
 */
import type { KindRef, Kube, KubeObject } from "../kube/types.ts";

/** Kinds to follow, by a name of the caller's. */
export type Kinds = Readonly<Record<string, KindRef>>;

/** The objects of each kind at one moment. */
export type Snapshot<K extends Kinds> = { readonly [P in keyof K]: readonly KubeObject[] };

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
  const watches = names.map((name) =>
    follow(name).catch((error) => {
      failures.push(error);
      note();
    })
  );

  async function follow(name: string): Promise<void> {
    const events = kube.watch(options.kinds[name]!, {
      namespace: options.namespace,
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
      if (changed && stores.size === names.length) {
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

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

function snapshot(
  names: readonly string[],
  stores: ReadonlyMap<string, ReadonlyMap<string, KubeObject>>,
): Record<string, readonly KubeObject[]> {
  return Object.fromEntries(names.map((name) => [name, [...(stores.get(name)?.values() ?? [])]]));
}
