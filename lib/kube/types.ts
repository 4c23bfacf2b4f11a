/**
 * The Kubernetes interface the rest of the project is written against.
 * The implementation (`client.ts`) loads `@kubernetes/client-node` lazily,
 * so that importing this file costs nothing.
 *
 * @module
 */

/** Reference from an object to its owner. */
export interface OwnerReference {
  /** Group and version of the owner. */
  readonly apiVersion: string;
  /** Kind of the owner. */
  readonly kind: string;
  /** Name of the owner, in the same namespace. */
  readonly name: string;
  /** Uid of the owner. */
  readonly uid: string;
  /** Whether it is the one managing owner. */
  readonly controller?: boolean;
  /** Whether a foreground deletion of the owner waits for the object. */
  readonly blockOwnerDeletion?: boolean;
}

/** Metadata of an object, the parts that are read here. */
export interface ObjectMeta {
  /** Name, unique in kind and namespace. */
  name: string;
  /** Namespace; absent for cluster-wide kinds. */
  namespace?: string;
  /** Unique over time, unlike the name. */
  uid?: string;
  /** Changes with every write. */
  resourceVersion?: string;
  /** Counts changes of the spec. */
  generation?: number;
  /** RFC 3339. */
  creationTimestamp?: string;
  /** RFC 3339; set while the object is being deleted. */
  deletionTimestamp?: string;
  /** Seconds given to end. */
  deletionGracePeriodSeconds?: number;
  /** For selectors. */
  labels?: Record<string, string>;
  /** For everything else. */
  annotations?: Record<string, string>;
  /** What has to happen before the object may go. */
  finalizers?: string[];
  /** Owners; the object goes with them. */
  ownerReferences?: OwnerReference[];
  /** Who wrote fields of it. */
  managedFields?: { manager?: string }[];
}

/** Any Kubernetes object. */
export interface KubeObject {
  /** Group and version, or the version alone for the core group. */
  apiVersion: string;
  /** Kind. */
  kind: string;
  /** Metadata. */
  metadata: ObjectMeta;
  /** Everything else; callers narrow it with types of their own. */
  // deno-lint-ignore no-explicit-any -- objects of any kind
  [key: string]: any;
}

/** Names a kind. */
export interface KindRef {
  /** Group and version, or the version alone for the core group. */
  readonly apiVersion: string;
  /** Kind. */
  readonly kind: string;
}

/** Names one object. */
export interface ObjectRef extends KindRef {
  /** Name. */
  readonly name: string;
  /** Namespace; that of the kubeconfig context when absent. */
  readonly namespace?: string | undefined;
}

/** Which objects of a kind. */
export interface ListOptions {
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  /** For example `app=web,tier!=cache`. */
  readonly labelSelector?: string | undefined;
  /** For example `status.phase=Running`. */
  readonly fieldSelector?: string | undefined;
}

/** Objects of one list call. */
export interface ObjectList<T extends KubeObject = KubeObject> {
  /** The objects, with apiVersion and kind. */
  readonly items: T[];
  /** Version of the list; empty when the kind is not served. */
  readonly resourceVersion: string;
}

/**
 * What a watch yields. `SYNC` carries the complete list and comes first, and again
 * whenever the watch had to start over (expired resource version, API server gone).
 * While the kind is not served the list is empty.
 */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: "SYNC"; readonly items: T[] }
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T };

/** Options of {@link Kube.watch}. */
export interface WatchOptions extends ListOptions {
  /** Ends the iteration without an error. */
  readonly signal: AbortSignal;
  /** Called when the connection is lost and tried again; for progress lines. */
  readonly onRetry?: (reason: string) => void;
}

/** Options of {@link Kube.apply}. */
export interface ApplyOptions {
  /** Server-side dry run: validated and defaulted, not stored. */
  readonly dryRun?: boolean;
  /** Take over fields of other managers; true unless given. */
  readonly force?: boolean;
  /** `Strict` refuses unknown fields; that is the default. */
  readonly fieldValidation?: "Strict" | "Warn" | "Ignore";
}

/** Options of {@link Kube.delete}. */
export interface DeleteOptions {
  /** What happens to dependents; the kind's default when absent. */
  readonly propagation?: "Background" | "Foreground" | "Orphan";
  /** Seconds to end in; the object's own when absent, 0 kills. */
  readonly gracePeriodSeconds?: number;
  /** Delete only this very object. */
  readonly uid?: string;
}

/** Options of {@link Kube.logs}. */
export interface LogOptions {
  /** Name; may be left out for pods of one container. */
  readonly container?: string;
  /** Goes on until the container ends. */
  readonly follow?: boolean;
  /** Of the container before the last restart. */
  readonly previous?: boolean;
  /** Only so many lines of what is there. */
  readonly tailLines?: number;
  /** Only lines of the last seconds. */
  readonly sinceSeconds?: number;
  /** Only lines from this moment on, RFC 3339 in whole seconds. */
  readonly sinceTime?: string;
  /** Each line starts with its RFC 3339 time. */
  readonly timestamps?: boolean;
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal;
}

/** Kinds of patch. */
export type PatchType = "merge" | "json";

/** A byte stream in both directions to a port of a pod. */
export interface PodConnection {
  /**
   * The next bytes from the pod, or null when it has ended; one call at a time.
   *
   * @throws {TaskError} KUBE_PORT_FORWARD when the pod's node reports an error, KUBE_UNREACHABLE
   * when the API server is gone.
   */
  read(): Promise<Uint8Array | null>;
  /** Sends bytes to the pod; they may be changed when it resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /** The same as {@link PodConnection.read}, as a stream. */
  readonly readable: ReadableStream<Uint8Array>;
  /** The same as {@link PodConnection.write}. Closing it does not reach the pod; {@link PodConnection.close} does. */
  readonly writable: WritableStream<Uint8Array>;
  /** Closes both directions; never throws. */
  close(): void;
}

/** A local TCP listener whose connections go to a pod. */
export interface PortForwarder {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Stops listening and closes all connections. */
  close(): Promise<void>;
}

/** One cluster. Every call throws a TaskError whose message names verb, object and server answer. */
export interface Kube {
  /** URL of the API server. */
  readonly server: string;
  /** Name of the kubeconfig context. */
  readonly contextName: string;
  /** Server version such as `v1.36.3`. */
  version(): Promise<string>;
  /** The object, or undefined when it (or its kind) is not there. */
  get<T extends KubeObject = KubeObject>(ref: ObjectRef): Promise<T | undefined>;
  /** The objects; an empty list when the kind is not served. */
  list<T extends KubeObject = KubeObject>(
    kind: KindRef,
    options?: ListOptions,
  ): Promise<ObjectList<T>>;
  /** Server-side apply as field manager `dynamo-eks` (or the manager given when the client was made). */
  apply<T extends KubeObject = KubeObject>(object: KubeObject, options?: ApplyOptions): Promise<T>;
  /** Creates; an object that exists is an error with code `KUBE_ALREADYEXISTS`. */
  create<T extends KubeObject = KubeObject>(object: KubeObject): Promise<T>;
  /** Replaces; with a resourceVersion in it a concurrent change is `KUBE_CONFLICT`. */
  replace<T extends KubeObject = KubeObject>(object: KubeObject): Promise<T>;
  /** Patches the object or, with `subresource`, its status or scale. */
  patch<T extends KubeObject = KubeObject>(
    ref: ObjectRef,
    type: PatchType,
    body: unknown,
    subresource?: "status" | "scale",
  ): Promise<T>;
  /** Deletes; false when it was not there. */
  delete(ref: ObjectRef, options?: DeleteOptions): Promise<boolean>;
  /** All changes until the signal is aborted; restarts itself after time-outs, 410 and lost connections. */
  watch<T extends KubeObject = KubeObject>(
    kind: KindRef,
    options: WatchOptions,
  ): AsyncIterable<WatchEvent<T>>;
  /** Log lines of a pod. */
  logs(pod: { name: string; namespace: string }, options?: LogOptions): AsyncIterable<string>;
  /** One connection to a port of a pod. */
  connect(pod: { name: string; namespace: string }, port: number): Promise<PodConnection>;
  /** Raw GET of a path of the API server, for example `/readyz`. */
  raw(path: string): Promise<string>;
  /** Frees connections. */
  close(): void;
}
