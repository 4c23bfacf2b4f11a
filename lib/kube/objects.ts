/**
 * Objects of any kind: read, list, write, delete.
 *
 * @module
 */
import { EXIT, TaskError } from "../cli/errors.ts";
import { type Discovery, type Resource, resourcePath } from "./discovery.ts";
import type { ApiCall, ApiClient } from "./request.ts";
import type { KindRef, Kube, KubeObject, ListOptions, ObjectList, ObjectRef } from "./types.ts";

/** What the calls need. */
export interface ObjectsOptions {
  /** Calls of the API server. */
  readonly api: ApiClient;
  /** Paths of kinds. */
  readonly discovery: Discovery;
  /** Namespace of objects that name none. */
  readonly namespace: string;
  /** Who owns the fields that are written. */
  readonly fieldManager: string;
}

/** The calls on objects. */
export type Objects = Pick<
  Kube,
  "get" | "list" | "apply" | "create" | "replace" | "patch" | "delete"
>;

const PATCH_TYPES = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
} as const;

/** Builds the calls. */
export function objectCalls({ api, discovery, namespace, fieldManager }: ObjectsOptions): Objects {
  const describe = (ref: ObjectRef, resource: Resource) =>
    nameOf(ref, resource.namespaced ? ref.namespace ?? namespace : undefined);

  /** Resource and path of an object that is written; its kind has to be served. */
  async function target(
    verb: string,
    ref: ObjectRef,
  ): Promise<{ collection: string; path: string; about: string }> {
    const resource = await discovery.find(ref);
    if (resource === undefined) throw unknownKind(verb, ref);
    const about = describe(ref, resource);
    const place = ref.namespace ?? namespace;
    return {
      about,
      collection: resourcePath(resource, place),
      path: resourcePath(resource, place, ref.name),
    };
  }

  return {
    async get<T extends KubeObject>(ref: ObjectRef) {
      const resource = await discovery.find(ref);
      if (resource === undefined) return undefined;
      const path = resourcePath(resource, ref.namespace ?? namespace, ref.name);
      const about = describe(ref, resource);
      return await unlessGone(api.json<T>({ verb: "get", about, path }));
    },

    async list<T extends KubeObject>(kind: KindRef, options: ListOptions = {}) {
      const resource = await discovery.find(kind);
      if (resource === undefined) return { items: [], resourceVersion: "" };
      return await listObjects<T>(api, discovery, resource, kind, options);
    },

    async apply<T extends KubeObject>(
      object: KubeObject,
      options: Parameters<Kube["apply"]>[1] = {},
    ) {
      const { about, path } = await target("apply", refOf(object));
      return await api.json<T>({
        verb: "apply",
        about,
        method: "PATCH",
        path,
        query: {
          fieldManager,
          force: options.force ?? true,
          fieldValidation: options.fieldValidation ?? "Strict",
          dryRun: options.dryRun ? "All" : undefined,
        },
        // JSON is YAML.
        contentType: "application/apply-patch+yaml",
        body: withoutManagedFields(object),
        idempotent: true,
      });
    },

    async create<T extends KubeObject>(object: KubeObject) {
      const { about, collection } = await target("create", refOf(object));
      const query = { fieldManager };
      return await api.json<T>({
        verb: "create",
        about,
        method: "POST",
        path: collection,
        query,
        body: object,
      });
    },

    async replace<T extends KubeObject>(object: KubeObject) {
      const { about, path } = await target("replace", refOf(object));
      const query = { fieldManager };
      return await api.json<T>({
        verb: "replace",
        about,
        method: "PUT",
        path,
        query,
        body: object,
        // With a resource version, the second of two equal tries would be a conflict.
        idempotent: object.metadata.resourceVersion === undefined,
      });
    },

    async patch<T extends KubeObject>(
      ref: ObjectRef,
      type: keyof typeof PATCH_TYPES,
      body: unknown,
      subresource?: string,
    ) {
      const { about, path } = await target("patch", ref);
      return await api.json<T>({
        verb: "patch",
        about: subresource === undefined ? about : `${subresource} of ${about}`,
        method: "PATCH",
        path: subresource === undefined ? path : `${path}/${subresource}`,
        query: { fieldManager },
        contentType: PATCH_TYPES[type],
        body,
        idempotent: type === "merge",
      });
    },

    async delete(ref, options = {}) {
      const resource = await discovery.find(ref);
      if (resource === undefined) return false;
      const call: ApiCall = {
        verb: "delete",
        about: describe(ref, resource),
        method: "DELETE",
        path: resourcePath(resource, ref.namespace ?? namespace, ref.name),
        body: {
          kind: "DeleteOptions",
          apiVersion: "v1",
          propagationPolicy: options.propagation,
          gracePeriodSeconds: options.gracePeriodSeconds,
          preconditions: options.uid === undefined ? undefined : { uid: options.uid },
        },
        idempotent: true,
      };
      try {
        await api.text(call);
        return true;
      } catch (error) {
        // A conflict says that an object of that name has another uid: the one meant is gone.
        if (isCode(error, "KUBE_NOTFOUND")) return false;
        if (options.uid !== undefined && isCode(error, "KUBE_CONFLICT")) return false;
        throw error;
      }
    },
  };
}

const PAGE = 500;

/**
 * Lists in pages of 500. When the list's version expires between two pages, it is read anew in one piece.
 */
export async function listObjects<T extends KubeObject>(
  api: Pick<ApiClient, "json">,
  discovery: Discovery,
  resource: Resource,
  kind: KindRef,
  options: ListOptions & { readonly signal?: AbortSignal },
): Promise<ObjectList<T>> {
  const call: ApiCall = {
    verb: "list",
    about: options.namespace === undefined ? kind.kind : `${kind.kind} in ${options.namespace}`,
    path: resourcePath(resource, options.namespace),
    signal: options.signal,
  };
  const query = { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector };
  const items: T[] = [];
  let next: string | undefined;
  let limit: number | undefined = PAGE;
  try {
    for (;;) {
      const page = await api.json<ListPage<T>>({
        ...call,
        query: { ...query, limit, continue: next },
      }).catch((error) => {
        if (next === undefined || !isCode(error, "KUBE_EXPIRED", "KUBE_GONE")) throw error;
        return undefined;
      });
      if (page === undefined) {
        items.length = 0;
        next = limit = undefined;
        continue;
      }
      // Items of a list do not repeat what they are.
      for (const item of page.items ?? []) {
        items.push(Object.assign(item, { apiVersion: kind.apiVersion, kind: kind.kind }));
      }
      next = page.metadata.continue || undefined;
      if (next === undefined) return { items, resourceVersion: page.metadata.resourceVersion };
    }
  } catch (error) {
    if (!isCode(error, "KUBE_NOTFOUND")) throw error;
    discovery.forget(kind);
    return { items: [], resourceVersion: "" };
  }
}

interface ListPage<T> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items?: T[];
}

/** Whether an error is a TaskError of one of these codes. */
export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof TaskError && codes.includes(error.code);
}

function refOf(object: KubeObject): ObjectRef {
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
}

function nameOf(ref: ObjectRef, namespace: string | undefined): string {
  return `${ref.kind} ${namespace === undefined ? "" : `${namespace}/`}${ref.name}`;
}

async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isCode(error, "KUBE_NOTFOUND")) return undefined;
    throw error;
  }
}

function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _fields, ...metadata } = object.metadata as KubeObject["metadata"] & {
    managedFields?: unknown;
  };
  return { ...object, metadata };
}

function unknownKind(verb: string, ref: ObjectRef): TaskError {
  return new TaskError({
    code: "KUBE_KIND_UNKNOWN",
    message:
      `Cannot ${verb} ${nameOf(ref, ref.namespace)}: the cluster does not know ${ref.kind} ` +
      `of ${ref.apiVersion}`,
    hint: "Its CRD is not installed, or in another version: deno task install installs them.",
    exitCode: EXIT.precondition,
  });
}
