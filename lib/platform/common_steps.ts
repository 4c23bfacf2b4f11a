/**
 * Steps that are the same for Helm and Argo CD.
 *
 * @module
 */
import type { Step } from "../cli/plan.ts";
import { waitForNamespaceEnd } from "../kube/namespace_end.ts";
import type { Kube } from "../kube/types.ts";
import type { Decision } from "./decide.ts";
import { CHART_TIMEOUT_MS, type PlatformOptions } from "./options.ts";
import { waitPlatformReady } from "./ready.ts";
import {
  ensureHfSecret,
  ensureNgcSecret,
  HF_SECRET,
  type HfSecretOptions,
  NGC_SECRET,
} from "./secrets.ts";

const API_MS = 60_000;
/** More than the waits inside a step, so that those can say what they waited for. */
const MARGIN_MS = 30_000;

/** Deadline of a step whose own wait takes so long. */
export function stepDeadline(timeoutMs: number | undefined): number {
  return (timeoutMs ?? CHART_TIMEOUT_MS) + MARGIN_MS;
}

/**
 * Makes the namespace; one that is there already stays as it is, and stays its owner's. One that a
 * cleanup is still deleting is waited for.
 */
export async function namespaceStep(kube: Kube, namespace: string): Promise<Step> {
  const ref = { apiVersion: "v1", kind: "Namespace", name: namespace } as const;
  const found = await kube.get(ref);
  const there = found !== undefined && found.metadata.deletionTimestamp === undefined;
  return {
    id: "platform-namespace",
    title: `Namespace ${namespace}`,
    touches: [`Namespace ${namespace}`],
    deadlineMs: 2 * API_MS,
    ...(there ? { skip: "is there" } : {}),
    run: async (ctx, ui) => {
      await waitForNamespaceEnd(ctx, kube, {
        namespace,
        timeoutMs: API_MS,
        onWait: (what) => ui.update(`waits for ${what}`),
      });
      if (await kube.get(ref) !== undefined) return;
      await kube.apply({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: {
          name: namespace,
          labels: {
            "app.kubernetes.io/managed-by": "dynamo-eks",
            "app.kubernetes.io/part-of": "dynamo-eks",
          },
        },
      });
    },
  };
}

/** Makes the Secrets: the Hugging Face token, and (only when asked) the registry's key. */
export function secretSteps(
  kube: Kube,
  secret: HfSecretOptions,
  key: { readonly reveal: () => string } | undefined,
): Step[] {
  const { namespace } = secret;
  const steps: Step[] = [{
    id: "platform-hf-token",
    title: "Hugging Face token",
    touches: [`Secret ${namespace}/${HF_SECRET}`],
    deadlineMs: API_MS,
    run: (ctx) => ensureHfSecret(ctx, kube, secret),
  }];
  if (key === undefined) return steps;
  return [...steps, {
    id: "platform-pull-secret",
    title: "Pull secret for NVIDIA's registry",
    touches: [`Secret ${namespace}/${NGC_SECRET}`],
    deadlineMs: API_MS,
    run: async () => `${await ensureNgcSecret(kube, { namespace, key })} from NGC_API_KEY`,
  }];
}

/** Waits for the operator, its services and the definitions. */
export function readyStep(options: PlatformOptions, decision: Decision): Step {
  const { kube, release, namespace } = options;
  const platform = decision.actions.at(-1)!;
  return {
    id: "platform-ready",
    title: "Wait for Dynamo's operator",
    touches: ["nothing"],
    deadlineMs: stepDeadline(options.timeoutMs),
    run: async (ctx, ui) => {
      await waitPlatformReady(ctx, kube, {
        release,
        namespace,
        name: platform.name,
        timeoutMs: options.timeoutMs ?? CHART_TIMEOUT_MS,
        onWait: (what) => ui.update(what),
      });
      return `operator runs, graphs are ${release.graphApiVersion}`;
    },
  };
}
