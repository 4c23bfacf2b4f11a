/**
 * Claims that our graphs brought along for their models: they outlive the graphs, so that a model
 * is downloaded once, and go only when told.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { Step } from "../cli/plan.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import type { SharedConnection } from "./session.ts";

/** A claim of ours. */
export interface GraphClaim {
  /** Name. */
  readonly name: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Graph that brought it along. */
  readonly graph: string;
  /** For example `100Gi`. */
  readonly size: string;
}

const CLAIM = { apiVersion: "v1", kind: "PersistentVolumeClaim" } as const;
const GOING_MS = 30_000;
const LOOK_MS = 100;
const OURS = "app.kubernetes.io/managed-by=dynamo-eks";

/** The claims of a namespace that our graphs brought along, by name. */
export async function listClaims(kube: Kube, namespace: string): Promise<GraphClaim[]> {
  const { items } = await kube.list(CLAIM, { namespace, labelSelector: OURS });
  return items
    .filter(({ metadata }) =>
      metadata.deletionTimestamp === undefined &&
      metadata.labels?.["app.kubernetes.io/name"] !== undefined &&
      // Those of the platform's own parts go with it.
      metadata.labels["app.kubernetes.io/instance"] === undefined
    )
    .map(({ metadata: { name, labels }, spec }) => ({
      name,
      namespace,
      graph: labels?.["app.kubernetes.io/name"] ?? "",
      size: spec?.resources?.requests?.storage ?? "of unknown size",
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** That a claim stays, and how it would go. */
export function stayingText(
  { namespace, name, size }: GraphClaim,
  bills: boolean,
): string {
  const cost = bills ? ", and its volume goes on costing" : "";
  return `Claim ${namespace}/${name} (${size}) stays with the models in it${cost}; --volumes ` +
    "removes it";
}

/** The step that removes claims; one that a pod still uses stays, and the pod is named. */
export function claimsStep(claims: readonly GraphClaim[], connection: SharedConnection): Step {
  return {
    id: "claims",
    title: "Remove claims and the models in them",
    touches: claims.map(({ namespace, name, size }) => `claim ${namespace}/${name} (${size})`),
    deadlineMs: 120_000,
    run: async (ctx) => {
      const kube = await connection.connect();
      const said: string[] = [];
      for (const { namespace, name } of claims) {
        const users = await podsWith(kube, namespace, name);
        // A claim in use would hang half deleted until its pod ends, and then take the data along.
        if (users.length > 0) said.push(`${name} stays: in use by pod ${users.join(", ")}`);
        else if (await kube.delete({ ...CLAIM, namespace, name })) {
          const gone = await isGone(ctx, kube, { namespace, name });
          said.push(gone ? `${name} is gone` : `${name} is being deleted`);
        }
        ctx.signal.throwIfAborted();
      }
      return said.length === 0 ? "were already gone" : said.join("; ");
    },
  };
}

/** Waits for the cluster to let go of a deleted claim, which it guards against pods that begin. */
async function isGone(
  { clock, signal }: Pick<Context, "clock" | "signal">,
  kube: Kube,
  claim: { readonly namespace: string; readonly name: string },
): Promise<boolean> {
  const end = clock.monotonic() + GOING_MS;
  while (await kube.get({ ...CLAIM, ...claim }) !== undefined) {
    if (clock.monotonic() > end) return false;
    await clock.sleep(LOOK_MS, signal);
  }
  return true;
}

async function podsWith(kube: Kube, namespace: string, claim: string): Promise<string[]> {
  const { items } = await kube.list({ apiVersion: "v1", kind: "Pod" }, { namespace });
  return items.filter(({ spec, status }) =>
    !["Succeeded", "Failed"].includes(status?.phase) &&
    (spec?.volumes ?? []).some((volume: KubeObject) =>
      volume["persistentVolumeClaim"]?.claimName === claim
    )
  ).map(({ metadata }) => metadata.name);
}
