/**
 * Which path of the API server a kind has.
 *
 * @module
 */
import { TaskError } from "../cli/errors.ts";
import type { ApiClient } from "./request.ts";
import type { KindRef } from "./types.ts";

/** How a kind is served. */
export interface Resource {
  /** For example `/apis/apps/v1`. */
  readonly base: string;
  /** For example `deployments`. */
  readonly plural: string;
  /** Whether its objects live in namespaces. */
  readonly namespaced: boolean;
}

/** Finds resources; what was found is kept. */
export interface Discovery {
  /** The resource, or undefined when the server does not serve the kind. Kinds not known yet are looked up anew. */
  find(kind: KindRef): Promise<Resource | undefined>;
  /** Forgets the kind's group and version, when the server no longer knows the resource. */
  forget(kind: KindRef): void;
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }[];
}

/** Discovery by group and version, as each kind is asked for. */
export function discovery(api: Pick<ApiClient, "json">): Discovery {
  const known = new Map<string, Promise<Map<string, Resource>>>();

  function load(apiVersion: string): Promise<Map<string, Resource>> {
    const loading = loadResources(api, apiVersion);
    known.set(apiVersion, loading);
    loading.catch(() => {
      if (known.get(apiVersion) === loading) known.delete(apiVersion);
    });
    return loading;
  }

  return {
    async find({ apiVersion, kind }) {
      const cached = known.get(apiVersion);
      const resource = (await (cached ?? load(apiVersion))).get(kind);
      if (resource !== undefined || cached === undefined) return resource;
      // A CRD may have been installed since; callers that wait side by side share one look.
      const latest = known.get(apiVersion);
      return (await (latest === undefined || latest === cached ? load(apiVersion) : latest))
        .get(kind);
    },
    forget: ({ apiVersion }) => void known.delete(apiVersion),
  };
}

/** Path of a resource, of one of its objects, or of a part of one. */
export function resourcePath(
  resource: Resource,
  namespace?: string,
  name?: string,
  subresource?: string,
): string {
  const parts = [
    ...(resource.namespaced && namespace !== undefined ? ["namespaces", namespace] : []),
    resource.plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return `${resource.base}/${parts.map(encodeURIComponent).join("/")}`;
}

async function loadResources(
  api: Pick<ApiClient, "json">,
  apiVersion: string,
): Promise<Map<string, Resource>> {
  const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const resources = new Map<string, Resource>();
  try {
    const list = await api.json<ResourceList>({
      verb: "discover",
      about: apiVersion,
      path: base,
    });
    for (const { name, kind, namespaced } of list.resources ?? []) {
      // Names with a slash are subresources; two resources of one kind would be a server's mistake.
      if (!name.includes("/") && !resources.has(kind)) {
        resources.set(kind, { base, plural: name, namespaced });
      }
    }
  } catch (error) {
    if (!(error instanceof TaskError) || error.code !== "KUBE_NOTFOUND") throw error;
  }
  return resources;
}
