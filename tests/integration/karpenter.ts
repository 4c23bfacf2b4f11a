/**
 * Karpenter for tests: its definitions, as small as they can be, and what its controller does when
 * pools, nodes and classes go.
 *
 * @module
 */
import { NODE_KINDS } from "../../lib/cleanup/holdings.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/kube/types.ts";

/** The finalizer of pools and claims. */
export const TERMINATION = "karpenter.sh/termination";
/** Annotation by which a test says how a node behaves. */
export const EXAMPLE = "example.com/drains";

const TIMESTAMP = "karpenter.sh/nodeclaim-termination-timestamp";
const OURS = [TERMINATION, "karpenter.k8s.aws/termination"];

/** The three definitions; their schemas let everything through. */
export function karpenterDefinitions(): KubeObject[] {
  return Object.values(NODE_KINDS).map(({ apiVersion, kind }) => {
    const [group, version] = apiVersion.split("/");
    const singular = kind.toLowerCase();
    const plural = kind.endsWith("Class") ? `${singular}es` : `${singular}s`;
    return {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.${group}` },
      spec: {
        group,
        scope: "Cluster",
        names: { kind, plural, singular },
        versions: [{
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
          },
        }],
      },
    };
  });
}

/**
 * The controller: a pool that stays has its nodes made again; a claim that goes drains and is let
 * go, one with a budget against it only at the time that it is told; pools and classes go after
 * their claims. It takes away no finalizer but its own.
 */
export async function playKarpenter(kube: Kube, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const [pools, claims, classes] = await Promise.all(
      Object.values(NODE_KINDS).map(async (kind) => (await kube.list(kind)).items),
    );
    for (const one of claims!.filter(isGoing)) {
      const time = one.metadata.annotations?.[TIMESTAMP];
      const budget = one.metadata.annotations?.[EXAMPLE] === "budget";
      if (!budget || (time !== undefined && Date.parse(time) <= Date.now())) await letGo(kube, one);
    }
    for (const one of pools!) {
      const left = claims!.filter((claim) =>
        claim.metadata.labels?.["karpenter.sh/nodepool"] === one.metadata.name
      );
      if (isGoing(one)) {
        if (left.length === 0) await letGo(kube, one);
      } else if (left.length > 0 && left.every(isGoing)) await makeAgain(kube, left[0]!);
    }
    for (const one of classes!.filter(isGoing)) {
      const used = claims!.some((claim) =>
        claim["spec"]?.nodeClassRef?.name === one.metadata.name && !isGoing(claim)
      );
      if (!used) await letGo(kube, one);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function isGoing({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

async function makeAgain(kube: Kube, { metadata, spec, ...kind }: KubeObject): Promise<void> {
  const name = `${metadata.name}-again`;
  await kube.create({
    ...kind,
    metadata: { name, labels: metadata.labels ?? {}, finalizers: [TERMINATION] },
    spec,
  });
}

async function letGo(kube: Kube, { apiVersion, kind, metadata }: KubeObject): Promise<void> {
  const { name, finalizers = [] } = metadata;
  if (!finalizers.some((one) => OURS.includes(one))) return;
  const ref: ObjectRef = { apiVersion, kind, name };
  const left = finalizers.filter((one) => !OURS.includes(one));
  await kube.patch(ref, "merge", { metadata: { finalizers: left } }).catch((error) => {
    // Somebody else let it go.
    if (error.code !== "KUBE_NOTFOUND") throw error;
  });
}
