/**
 * Shared storage of the embedded cluster: a claim of the storage class for it gets a folder below
 * the cluster's own, as a file system in the network would give it. The folder is there for all
 * pods of the claim, one after the other and side by side, and goes with the claim.
 *
 * The steps are those of an external provisioner: a volume that names the claim is made here, the
 * volume controller binds the two, and says Released when the claim is gone
 * (https://kubernetes.io/docs/concepts/storage/persistent-volumes/).
 *
 * @module
 */
import { messageOf, TaskError } from "../../cli/errors.ts";
import { removeAll } from "../../cli/files.ts";
import type { Kube, KubeObject, WatchEvent } from "../../kube/types.ts";
import { FOLDER_PROVISIONER, SHARED_CLASS } from "../storage_classes.ts";
import type { AgentParts } from "./agent_parts.ts";

const CLAIM = { apiVersion: "v1", kind: "PersistentVolumeClaim" } as const;
const VOLUME = { apiVersion: "v1", kind: "PersistentVolume" } as const;
const BY = "pv.kubernetes.io/provisioned-by";
const RETRY_MS = 1_000;

type Parts = Pick<AgentParts, "ctx" | "kube" | "config">;

/** Makes volumes for claims and takes them away again, until the context's signal is aborted. */
export async function provideFolders(
  parts: Pick<AgentParts, "ctx" | "kube" | "config">,
): Promise<void> {
  await Promise.all([
    follow(parts, CLAIM, (claim) => provide(parts, claim)),
    follow(parts, VOLUME, (volume) => takeBack(parts, volume)),
  ]);
}

/**
 * The folder of a claim that was bound to one of these volumes; undefined for other claims.
 *
 * @throws {TaskError} as `Kube.get`.
 */
export async function claimFolder(
  kube: Pick<Kube, "get">,
  claim: { readonly namespace: string | undefined; readonly name: string },
): Promise<string | undefined> {
  const found = await kube.get({ ...CLAIM, ...claim });
  const name: string | undefined = found?.["spec"]?.volumeName;
  if (name === undefined) return undefined;
  const volume = await kube.get({ ...VOLUME, name });
  return volume !== undefined && isOurs(volume) ? volume["spec"]?.hostPath?.path : undefined;
}

async function follow(
  { ctx, kube }: Parts,
  kind: typeof CLAIM | typeof VOLUME,
  see: (object: KubeObject) => Promise<void>,
): Promise<void> {
  // What failed is tried again with the next change, and with the list that a new watch begins with.
  const handle = async (event: WatchEvent) => {
    if (event.type === "DELETED") return;
    for (const object of event.type === "SYNC" ? event.items : [event.object]) await see(object);
  };
  while (!ctx.signal.aborted) {
    try {
      for await (const event of kube.watch(kind, { signal: ctx.signal })) await handle(event);
    } catch (error) {
      if (ctx.signal.aborted) return;
      ctx.ui.warn(`${kind.kind}: ${messageOf(error)}`);
      await ctx.clock.sleep(RETRY_MS, ctx.signal).catch(() => {});
    }
  }
}

async function provide({ ctx, kube, config }: Parts, claim: KubeObject): Promise<void> {
  const { metadata: { name, namespace, uid = "", deletionTimestamp }, spec } = claim;
  if (spec?.storageClassName !== SHARED_CLASS || spec.volumeName || deletionTimestamp) return;
  const path = `${config.layout.volumes}/${uid}`;
  await ctx.fs.mkdir(path, { recursive: true, mode: 0o700 });
  try {
    await kube.create(folderVolume(claim, path));
    ctx.ui.info(`${namespace}/${name}: volume in ${path}`);
  } catch (error) {
    if (!(error instanceof TaskError) || error.code !== "KUBE_ALREADYEXISTS") throw error;
  }
}

/** The volume of a claim; bound to it from the start. */
export function folderVolume(claim: KubeObject, path: string): KubeObject {
  const { name, namespace, uid = "" } = claim.metadata;
  return {
    ...VOLUME,
    metadata: {
      name: `pvc-${uid}`,
      labels: { "app.kubernetes.io/managed-by": "dynamo-eks" },
      annotations: { [BY]: FOLDER_PROVISIONER },
    },
    spec: {
      storageClassName: SHARED_CLASS,
      persistentVolumeReclaimPolicy: "Delete",
      accessModes: ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
      capacity: { storage: claim["spec"]?.resources?.requests?.storage ?? "1Gi" },
      claimRef: { apiVersion: "v1", kind: CLAIM.kind, namespace, name, uid },
      hostPath: { path, type: "" },
    },
  };
}

async function takeBack({ ctx, kube, config }: Parts, volume: KubeObject): Promise<void> {
  if (!isOurs(volume) || !["Released", "Failed"].includes(volume["status"]?.phase)) return;
  const { name, uid = "" } = volume.metadata;
  const path: string = volume["spec"]?.hostPath?.path ?? "";
  // Whoever may write volumes must not be able to have another folder removed.
  const folder = `${config.layout.volumes}/${volume["spec"]?.claimRef?.uid ?? "?"}`;
  if (path === folder && /^[\w-]+$/.test(folder.slice(folder.lastIndexOf("/") + 1))) {
    await removeAll(ctx, path);
  }
  await kube.delete({ ...VOLUME, name }, { uid });
  ctx.ui.info(`${name}: gone`);
}

function isOurs(volume: KubeObject): boolean {
  return volume.metadata.annotations?.[BY] === FOLDER_PROVISIONER;
}
