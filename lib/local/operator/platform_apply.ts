/**
 * Applies the platform to the embedded cluster.
 *
 * @module
 */
import type { Release } from "../../blueprint/types.ts";
import type { Context } from "../../cli/context.ts";
import { preconditionError, timeoutError } from "../../cli/errors.ts";
import { waitForNamespaceEnd } from "../../kube/namespace_end.ts";
import type { Kube, KubeObject } from "../../kube/types.ts";
import type { OperatorChoice } from "../agent_config.ts";
import { type Crd, CRD_KIND, storageVersion } from "./crds/crd.ts";
import { crdsFor, type CrdSource } from "./crds/source.ts";
import { waitServed } from "./crds/served.ts";
import { hashOf } from "./json.ts";
import { PLATFORM_KINDS, PLATFORM_SELECTOR } from "./platform_names.ts";
import { platformObjects } from "./platform_objects.ts";

/** Options of {@link applyPlatform}. */
export interface PlatformOptions {
  /** Dynamo version and what it needs. */
  readonly release: Release;
  /** Namespace of the platform. */
  readonly namespace: string;
  /** Which operator is going to run; the stand-in unless given. */
  readonly operator?: OperatorChoice;
}

/** What {@link applyPlatform} did. */
export interface AppliedPlatform {
  /** Where the CustomResourceDefinitions come from. */
  readonly crds: CrdSource;
  /** All objects applied, `Kind name`. */
  readonly objects: readonly string[];
}

/**
 * Applies the definitions and all objects of the platform. What is there already is brought
 * up to date; a namespace that a cleanup is still deleting is waited for. Waits until the
 * definitions are served, not until the operator runs.
 *
 * @throws {TaskError} CRDS_DIR; CRDS_IN_USE when graphs of a release with another storage
 * version are there; CRDS_STUCK, NAMESPACE_STUCK
 * (exit code 4) when an old definition or the namespace does not go, CRDS_NOT_SERVED.
 */
export async function applyPlatform(
  ctx: Context,
  kube: Kube,
  options: PlatformOptions,
): Promise<AppliedPlatform> {
  const { release, namespace } = options;
  const crds = await crdsFor(ctx, release, { realOperator: options.operator?.kind === "binary" });
  const [first, ...rest] = platformObjects(release, namespace);
  await waitForNamespaceEnd(ctx, kube, { namespace });
  if (first !== undefined) await kube.apply(first);
  const definitions = crds.objects as readonly Crd[];
  await requireReplaceable(kube, definitions, release.version);
  await Promise.all(definitions.map((crd) => applyDefinition(ctx, kube, crd)));
  for (const object of rest) await kube.apply(object);
  await removeUnneeded(kube, namespace, rest);
  await waitServed(ctx, kube, definitions);
  const all = [first, ...crds.objects, ...rest].filter((one) => one !== undefined);
  return {
    crds: crds.source,
    objects: all.map((one) => `${one.kind} ${one.metadata.name}`),
  };
}

/** Removes what another release needed and this one does not: etcd, NATS, accounts. */
async function removeUnneeded(
  kube: Kube,
  namespace: string,
  wanted: readonly KubeObject[],
): Promise<void> {
  const names = new Set(wanted.map((one) => `${one.kind} ${one.metadata.name}`));
  for (const kind of PLATFORM_KINDS) {
    const { items } = await kube.list(kind, { namespace, labelSelector: PLATFORM_SELECTOR });
    for (const { metadata: { name, uid } } of items) {
      if (names.has(`${kind.kind} ${name}`)) continue;
      await kube.delete({ ...kind, name, namespace }, {
        propagation: "Background",
        ...(uid === undefined ? {} : { uid }),
      });
    }
  }
}

/**
 * Objects stored in one version cannot be read through a definition that stores another
 * until somebody converts them, and nobody does while the platform changes.
 */
async function requireReplaceable(
  kube: Kube,
  wanted: readonly Crd[],
  release: string,
): Promise<void> {
  const objects = await Promise.all(wanted.map(async (crd) => {
    const existing = await kube.get<Crd>({ ...CRD_KIND, name: crd.metadata.name });
    if (existing === undefined || storageVersion(existing) === storageVersion(crd)) return [];
    const apiVersion = `${existing.spec.group}/${storageVersion(existing)}`;
    return (await kube.list({ apiVersion, kind: existing.spec.names.kind })).items;
  }));
  const left = objects.flat();
  if (left.length === 0) return;
  // Components are made from graphs, which is what a person knows.
  const graphs = left.filter((one) => one.kind === "DynamoGraphDeployment");
  const names = (graphs.length > 0 ? graphs : left)
    .map((one) => `${one.metadata.namespace}/${one.metadata.name}`);
  throw preconditionError(
    "CRDS_IN_USE",
    `Dynamo ${release} keeps graphs in another form than the release installed here, and ` +
      `there are some: ${names.slice(0, 5).join(", ")}${names.length > 5 ? " …" : ""}`,
    "Remove the graphs (deno task cleanup), then install again.",
  );
}

const DEFINITION_HASH = "dynamo-eks.local/definition-hash";
const GONE_MS = 60_000;

/**
 * A definition that says the same already is left alone: applying it would take the older
 * version's conversion away until the operator notices. None is deleted to be replaced: the
 * API server can be minutes over that.
 */
async function applyDefinition(ctx: Context, kube: Kube, object: Crd): Promise<void> {
  const hash = hashOf(object).slice(0, 16);
  const name = object.metadata.name;
  const existing = await kube.get<Crd>({ ...CRD_KIND, name });
  if (existing?.metadata.deletionTimestamp !== undefined) await untilGone(ctx, kube, existing);
  else if (existing?.metadata.annotations?.[DEFINITION_HASH] === hash) return;
  else if (existing !== undefined) await forgetStoredVersions(kube, existing, object);
  const annotations = { ...object.metadata.annotations, [DEFINITION_HASH]: hash };
  const wanted: KubeObject = { ...object, metadata: { ...object.metadata, annotations } };
  await kube.apply(wanted);
}

/**
 * The API server refuses a definition that lacks a version in which objects were ever stored.
 * There are none any more, so it may forget that: first it has to store in another version.
 */
async function forgetStoredVersions(kube: Kube, existing: Crd, wanted: Crd): Promise<void> {
  const known = new Set(wanted.spec.versions.map((one) => one.name));
  const stored = existing.status?.storedVersions ?? [];
  if (stored.every((name) => known.has(name))) return;
  const ref = { ...CRD_KIND, name: existing.metadata.name };
  const storage = storageVersion(wanted);
  const operations = existing.spec.versions.map((one, index) => ({
    op: "replace",
    path: `/spec/versions/${index}/storage`,
    value: one.name === storage,
  }));
  await kube.patch(ref, "json", operations);
  await kube.patch(ref, "merge", { status: { storedVersions: [storage] } }, "status");
}

/** Waits for a definition that is being deleted. */
async function untilGone(ctx: Context, kube: Kube, crd: Crd): Promise<void> {
  const { name, uid } = crd.metadata;
  const end = ctx.clock.monotonic() + GONE_MS;
  while ((await kube.get({ ...CRD_KIND, name }))?.metadata.uid === uid) {
    if (ctx.clock.monotonic() >= end) {
      throw timeoutError(
        "CRDS_STUCK",
        `The definition ${name} is being deleted, and is not gone after ${GONE_MS / 1000} s`,
        { hint: "Run deno task install again in a minute, or deno task cleanup first." },
      );
    }
    await ctx.clock.sleep(100, ctx.signal);
  }
}
