/**
 * Offers v1alpha1 where v1beta1 is stored: points the definitions at the webhook and lets
 * the API server serve the older version. Without a webhook it is not served at all, since
 * the API server would then change the version and drop what does not fit.
 *
 * @module
 */
import type { Context } from "../../../cli/context.ts";
import { TaskError } from "../../../cli/errors.ts";
import type { Kube } from "../../../kube/types.ts";
import { type Crd, CRD_KIND, storageVersion } from "../crds/crd.ts";
import { GROUP } from "../names.ts";
import type { ConversionServer } from "./webhook.ts";

/** Kinds that both versions have. */
const PLURALS = [
  "dynamographdeployments",
  "dynamocomponentdeployments",
  "dynamographdeploymentscalingadapters",
];

const AGAIN_MS = 20_000;

/** Brings the definitions to this webhook; true when one was changed. */
export async function offerOldVersion(
  kube: Kube,
  server: Pick<ConversionServer, "url" | "certificate">,
): Promise<boolean> {
  let changed = false;
  for (const plural of PLURALS) {
    const ref = { ...CRD_KIND, name: `${plural}.${GROUP}` };
    const crd = await kube.get<Crd>(ref);
    const operations = crd === undefined ? [] : offerPatch(crd, server);
    if (operations.length === 0) continue;
    await kube.patch(ref, "json", operations);
    changed = true;
  }
  return changed;
}

/** JSON patch for one definition; empty when there is nothing to do. */
export function offerPatch(
  crd: Crd,
  server: Pick<ConversionServer, "url" | "certificate">,
): Record<string, unknown>[] {
  const at = crd.spec.versions.findIndex((one) => one.name === "v1alpha1");
  if (at < 0 || storageVersion(crd) !== "v1beta1") return [];
  const caBundle = btoa(server.certificate);
  const client = crd.spec.conversion?.webhook?.clientConfig;
  const settled = client?.url === server.url && client.caBundle === caBundle;
  if (settled && crd.spec.versions[at]?.served === true) return [];
  const conversion = {
    strategy: "Webhook",
    webhook: { clientConfig: { url: server.url, caBundle }, conversionReviewVersions: ["v1"] },
  };
  return [
    { op: "test", path: `/spec/versions/${at}/name`, value: "v1alpha1" },
    { op: "add", path: "/spec/conversion", value: conversion },
    { op: "replace", path: `/spec/versions/${at}/served`, value: true },
  ];
}

/** Looks again now and then, since an installation may have applied the definitions anew. */
export async function keepOffering(
  ctx: Pick<Context, "clock">,
  kube: Kube,
  server: ConversionServer,
  options: { readonly signal: AbortSignal; readonly onProblem: (error: unknown) => void },
): Promise<void> {
  while (!options.signal.aborted) {
    try {
      await ctx.clock.sleep(AGAIN_MS, options.signal);
    } catch {
      return;
    }
    try {
      await offerOldVersion(kube, server);
    } catch (error) {
      if (options.signal.aborted) return;
      if (!(error instanceof TaskError)) throw error;
      options.onProblem(error);
    }
  }
}
