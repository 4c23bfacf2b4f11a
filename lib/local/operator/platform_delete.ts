/**
 * Removes the platform from the embedded cluster.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { preconditionError, timeoutError } from "../../cli/errors.ts";
import type { Kube, KubeObject } from "../../kube/types.ts";
import { type Crd, CRD_KIND, storageVersion } from "./crds/crd.ts";
import { GROUP } from "./names.ts";
import { PLATFORM_KINDS, PLATFORM_SELECTOR } from "./platform_names.ts";

/** Options of {@link deletePlatform}. */
export interface DeletePlatformOptions {
  /** Namespace of the platform. */
  readonly namespace: string;
  /**
   * Remove the definitions too. The chart keeps them, and so does this unless told: the API
   * server can be minutes over the end of one that was made just before.
   */
  readonly definitions?: boolean;
  /** Leave the namespace, which others may have things in. */
  readonly keepNamespace?: boolean;
  /** Milliseconds to wait for components to go; 30 s unless given. */
  readonly timeoutMs?: number;
}

const CLUSTER_WIDE: readonly [string, string][] = [
  ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding"],
  ["rbac.authorization.k8s.io/v1", "ClusterRole"],
];

/**
 * Removes the platform: only what carries our labels, the operator last of those that graphs
 * need. The namespace goes when it is ours. Run again, it removes what is left.
 *
 * @throws {TaskError} PLATFORM_IN_USE while there are graphs, PLATFORM_BUSY (exit code 4) when
 * their components do not go.
 */
export async function deletePlatform(
  ctx: Context,
  kube: Kube,
  options: DeletePlatformOptions,
): Promise<string[]> {
  await requireUnused(ctx, kube, options.timeoutMs ?? 30_000);
  const { namespace } = options;
  const deleted: string[] = [];
  const remove = async (object: KubeObject) => {
    const { name, uid, deletionTimestamp } = object.metadata;
    if (deletionTimestamp !== undefined) return;
    const ref = { apiVersion: object.apiVersion, kind: object.kind, name };
    const place = object.metadata.namespace === undefined
      ? {}
      : { namespace: object.metadata.namespace };
    const done = await kube.delete({ ...ref, ...place }, {
      propagation: "Background",
      ...(uid === undefined ? {} : { uid }),
    });
    if (done) deleted.push(`${object.kind} ${name}`);
  };
  for (const kind of PLATFORM_KINDS) {
    const { items } = await kube.list(kind, {
      namespace,
      labelSelector: PLATFORM_SELECTOR,
    });
    for (const object of items) await remove(object);
  }
  for (const [apiVersion, kind] of CLUSTER_WIDE) {
    const { items } = await kube.list({ apiVersion, kind }, { labelSelector: PLATFORM_SELECTOR });
    for (const object of items) await remove(object);
  }
  if (options.definitions === true) {
    for (const object of await ourDefinitions(kube)) await remove(object);
  }
  if (options.keepNamespace === true) return deleted;
  const space = await kube.get({ apiVersion: "v1", kind: "Namespace", name: namespace });
  if (space?.metadata.labels?.["app.kubernetes.io/managed-by"] === "dynamo-eks") {
    await remove(space);
  }
  return deleted;
}

async function ourDefinitions(kube: Kube): Promise<Crd[]> {
  const { items } = await kube.list<Crd>(CRD_KIND, {
    labelSelector: "app.kubernetes.io/managed-by=dynamo-eks",
  });
  return items.filter((one) => one.spec.group === GROUP);
}

async function requireUnused(ctx: Context, kube: Kube, timeoutMs: number): Promise<void> {
  const definitions = await ourDefinitions(kube);
  const served = definitions.find((one) =>
    one.metadata.name === `dynamographdeployments.${GROUP}` &&
    one.metadata.deletionTimestamp === undefined
  );
  if (served === undefined) return;
  const apiVersion = `${GROUP}/${storageVersion(served)}`;
  const graphs = await kube.list({ apiVersion, kind: "DynamoGraphDeployment" });
  const running = graphs.items.filter((one) => one.metadata.deletionTimestamp === undefined);
  if (running.length > 0) {
    throw preconditionError(
      "PLATFORM_IN_USE",
      `The platform still serves ${running.length} graph(s): ${
        running.map((one) => `${one.metadata.namespace}/${one.metadata.name}`).join(", ")
      }`,
      "Remove the graphs first; without the operator they could not be removed any more.",
    );
  }
  const end = ctx.clock.monotonic() + timeoutMs;
  for (;;) {
    const left = await kube.list({ apiVersion, kind: "DynamoComponentDeployment" });
    const going = await kube.list({ apiVersion, kind: "DynamoGraphDeployment" });
    const names = [...going.items, ...left.items].map((one) => one.metadata.name);
    if (names.length === 0) return;
    if (ctx.clock.monotonic() >= end) {
      throw timeoutError(
        "PLATFORM_BUSY",
        `${names.length} object(s) of removed graphs are still there: ${names.join(", ")}`,
        { hint: "The operator has to run for them to go: deno task install starts it." },
      );
    }
    await ctx.clock.sleep(200, ctx.signal);
  }
}
