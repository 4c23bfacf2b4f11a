/**
 * Deploying a user's own manifest: read, moved to the release, and watched like an example.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, usageError } from "../cli/errors.ts";
import {
  type ManifestObject,
  rewriteManifest,
  type RewrittenManifest,
} from "../graph/manifest_rewrite.ts";
import type { KubeObject } from "../kube/types.ts";
import { HF_SECRET } from "../platform/secrets.ts";
import type { Deployment } from "./deploy.ts";
import { GRAPH_KIND, wantedComponents } from "./graph_state.ts";
import type { ProbeOptions } from "./probe.ts";
import { userPath } from "./user_path.ts";

/** Options of {@link loadOwnManifest}. */
export interface OwnManifestOptions {
  /** Release that the images are moved to. */
  readonly release: Release;
  /** Namespace of objects that name none. */
  readonly namespace: string;
  /** Whether the user named that namespace on the command line. */
  readonly namespaceGiven: boolean;
  /** Leave the images as they are. */
  readonly keepImages?: boolean;
}

/** A manifest, ready to be deployed. */
export interface OwnManifest {
  /** What is deployed. */
  readonly deployment: Deployment;
  /** The objects with their text. */
  readonly objects: readonly ManifestObject[];
  /** The whole as it is applied, with comments and formatting; values of Secrets are left out. */
  readonly text: string;
  /** What became of the images, a line each. */
  readonly notes: readonly string[];
}

/**
 * Reads a manifest and moves it to the release. The file is not changed.
 *
 * @throws {TaskError} MANIFEST_MISSING, GRAPH_NONE, NAMESPACE_OTHER and those of
 * `rewriteManifest` (exit code 2); API_VERSION (exit code 3) when the release does not serve it.
 */
export async function loadOwnManifest(
  ctx: Context,
  path: string,
  options: OwnManifestOptions,
): Promise<OwnManifest> {
  const manifest = rewriteManifest(await readManifest(ctx, path), {
    file: path,
    release: options.release,
    namespace: options.namespace,
    keepImages: options.keepImages ?? false,
  });
  const objects = manifest.objects.map((one) => one.object);
  const graphs = objects.filter((object) => object.kind === GRAPH_KIND);
  if (graphs.length === 0) {
    throw usageError(
      "GRAPH_NONE",
      `${path} holds no ${GRAPH_KIND} (it holds ${objects.map((o) => o.kind).join(", ")})`,
      "Use kubectl for objects that are no graphs.",
    );
  }
  for (const object of objects) checkPlace(object, path, options);
  const tokenSecret = needsToken(objects) ? HF_SECRET : undefined;
  return {
    objects: manifest.objects,
    text: manifestText(manifest.objects),
    notes: imageNotes(manifest, options.release),
    deployment: {
      name: graphs.map((graph) => graph.metadata.name).join(", "),
      namespace: graphs[0]!.metadata.namespace ?? options.namespace,
      objects,
      graphs: graphs.map(probeOf),
      ...(tokenSecret === undefined ? {} : { tokenSecret }),
      warnings: [
        ...new Set(manifest.images.map((image) => image.note).filter((note) => note !== undefined)),
      ],
    },
  };
}

async function readManifest(ctx: Context, path: string): Promise<string> {
  try {
    return await ctx.fs.readTextFile(userPath(ctx, path));
  } catch (error) {
    throw usageError(
      "MANIFEST_MISSING",
      `The manifest ${path} cannot be read: ${messageOf(error)}`,
      "deno task examples lists the examples, which are deployed by their name.",
    );
  }
}

function checkPlace(object: KubeObject, path: string, options: OwnManifestOptions): void {
  const { release, namespace } = options;
  const about = `${object.kind}/${object.metadata.name} in ${path}`;
  if (object.apiVersion === "nvidia.com/v1beta1" && !atLeast(release, 1, 2)) {
    throw preconditionError(
      "API_VERSION",
      `${about} is of ${object.apiVersion}, which Dynamo ${release.version} does not serve`,
      `Write it for ${release.graphApiVersion}, or install 1.2.0 or later.`,
    );
  }
  const own = object.metadata.namespace;
  if (options.namespaceGiven && own !== undefined && own !== namespace) {
    throw usageError(
      "NAMESPACE_OTHER",
      `${about} names the namespace ${own}, but --namespace is ${namespace}`,
      "Leave --namespace out, or the namespace in the manifest.",
    );
  }
}

function probeOf(graph: KubeObject): ProbeOptions {
  const { name, namespace } = graph.metadata;
  const components = wantedComponents(graph);
  const frontend = components.find((one) => one.type === "frontend") ??
    components.find((one) => one.type === undefined && /^frontend$/i.test(one.name));
  return {
    name,
    namespace: namespace ?? "",
    apiVersion: graph.apiVersion,
    ...(frontend === undefined
      ? { ask: "nothing" as const }
      : { ask: "chat" as const, service: `${name}-${frontend.name.toLowerCase()}` }),
  };
}

// The name that the blueprint and Dynamo's own examples use; other Secrets are the user's affair.
function needsToken(objects: readonly KubeObject[]): boolean {
  if (objects.some((o) => o.kind === "Secret" && o.metadata.name === HF_SECRET)) return false;
  const graphs = objects.filter((object) => object.kind === GRAPH_KIND);
  return mentions(graphs.map((graph) => graph.spec), HF_SECRET);
}

function mentions(value: unknown, text: string): boolean {
  if (value === text) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some((inner) => mentions(inner, text));
}

function manifestText(objects: readonly ManifestObject[]): string {
  return objects.map(({ object, text }, index) => {
    const shown = object.kind === "Secret"
      ? `# Secret ${object.metadata.name} is applied too, and not shown\n`
      : text;
    const marked = index === 0 || shown.startsWith("---") ? shown : `---\n${shown}`;
    return marked.endsWith("\n") ? marked : `${marked}\n`;
  }).join("");
}

function imageNotes(manifest: RewrittenManifest, release: Release): string[] {
  if (manifest.images.every((image) => image.outcome === "kept")) {
    return ["The images stay as they are"];
  }
  const moved = manifest.images.filter((image) => image.outcome === "rewritten");
  if (moved.length > 0) return moved.map((image) => `${image.from} → ${image.image}`);
  return [`All Dynamo images are of ${release.version} already`];
}
