/**
 * Waiting for the platform: definitions served, operator and its services ready.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { TaskError, timeoutError } from "../cli/errors.ts";
import { evidence } from "../kube/events.ts";
import { isRolledOut } from "../kube/rolled_out.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { OPERATOR_SUFFIX } from "./charts.ts";
import { findCrds } from "./state.ts";

/** Options of {@link waitPlatformReady}. */
export interface WaitReadyOptions {
  /** Dynamo version. */
  readonly release: Release;
  /** Namespace of the platform. */
  readonly namespace: string;
  /** Name of the Helm release, which is the `instance` label of the workloads. */
  readonly name: string;
  /** Milliseconds to wait. */
  readonly timeoutMs: number;
  /** Told what is waited for. */
  readonly onWait?: (what: string) => void;
}

/** Definitions that graphs need, in every release. */
const NEEDED = ["dynamographdeployments.nvidia.com", "dynamocomponentdeployments.nvidia.com"];
const EVERY_MS = 500;
const KINDS = ["Deployment", "StatefulSet"] as const;

/**
 * Waits until the operator, what the chart installed beside it, and the definitions are ready.
 *
 * @throws {TaskError} PLATFORM_NOT_READY (exit code 4) with conditions, events and log lines.
 */
export async function waitPlatformReady(
  ctx: Context,
  kube: Kube,
  options: WaitReadyOptions,
): Promise<void> {
  const { namespace, release, name } = options;
  await waitUntil(ctx, options, async () => {
    const workloads = await workloadsOf(kube, namespace, name);
    const operator = workloads.find((one) => one.metadata.name.endsWith(OPERATOR_SUFFIX));
    if (operator === undefined) return `the operator's Deployment is not in ${namespace}`;
    for (const workload of workloads) {
      if (!isRolledOut(workload)) return `${workload.kind} ${workload.metadata.name} is not ready`;
    }
    return await missingDefinition(kube, release);
  }, async () => {
    const objects = (await workloadsOf(kube, namespace, name)).filter((one) => !isRolledOut(one))
      .map(({ apiVersion, kind, metadata }) => ({
        apiVersion,
        kind,
        namespace,
        name: metadata.name,
      }));
    const labelSelector = `app.kubernetes.io/instance=${name}`;
    return await evidence(kube, { namespace, labelSelector, objects });
  });
}

/**
 * Waits until the definitions of a release are served, which has to be before the operator.
 *
 * @throws {TaskError} PLATFORM_NOT_READY (exit code 4).
 */
export async function waitDefinitions(
  ctx: Context,
  kube: Kube,
  options: Omit<WaitReadyOptions, "name">,
): Promise<void> {
  await waitUntil(ctx, options, () => missingDefinition(kube, options.release), async () => {
    const crds = await findCrds(kube);
    return crds.map((crd) =>
      `${crd.name}: ${crd.established ? "established" : "not established"}, serves ${
        crd.served.join(", ")
      }`
    );
  });
}

async function waitUntil(
  ctx: Context,
  options: Omit<WaitReadyOptions, "name">,
  missing: () => Promise<string | undefined>,
  why: () => Promise<string[]>,
): Promise<void> {
  const end = ctx.clock.monotonic() + options.timeoutMs;
  for (;;) {
    const reason = await missing();
    if (reason === undefined) return;
    options.onWait?.(reason);
    if (ctx.clock.monotonic() >= end) {
      throw timeoutError(
        "PLATFORM_NOT_READY",
        `Dynamo's platform in ${options.namespace} is not ready after ` +
          `${Math.round(options.timeoutMs / 1000)} s: ${reason}`,
        {
          hint: "Look at what is above; then run the task again, it goes on where it stopped.",
          evidence: await why(),
        },
      );
    }
    await ctx.clock.sleep(EVERY_MS, ctx.signal);
  }
}

async function missingDefinition(kube: Kube, release: Release): Promise<string | undefined> {
  const crds = await findCrds(kube);
  const version = release.graphApiVersion.split("/")[1]!;
  for (const name of NEEDED) {
    const crd = crds.find((one) => one.name === name);
    if (crd === undefined) return `the definition ${name} is not there`;
    if (!crd.established) return `the definition ${name} is not established`;
    if (!crd.served.includes(version)) return `the definition ${name} does not serve ${version}`;
  }
  // The API server serves a kind a moment after it calls the definition established.
  const served = await servedNames(kube, release.graphApiVersion);
  const late = NEEDED.find((name) => !served.has(name.split(".")[0]!));
  return late === undefined ? undefined : `the API server does not serve ${late} yet`;
}

async function servedNames(kube: Kube, apiVersion: string): Promise<Set<string>> {
  try {
    const list: { resources?: { name: string }[] } = JSON.parse(
      await kube.raw(`/apis/${apiVersion}`),
    );
    return new Set((list.resources ?? []).map((one) => one.name));
  } catch (error) {
    if (error instanceof TaskError && error.code === "KUBE_NOTFOUND") return new Set();
    throw error;
  }
}

async function workloadsOf(kube: Kube, namespace: string, name: string): Promise<KubeObject[]> {
  const lists = await Promise.all(
    KINDS.map((kind) => kube.list({ apiVersion: "apps/v1", kind }, { namespace })),
  );
  return lists.flatMap(({ items }) => items).filter(({ metadata }) =>
    metadata.labels?.["app.kubernetes.io/instance"] === name ||
    metadata.annotations?.["meta.helm.sh/release-name"] === name ||
    metadata.name.endsWith(OPERATOR_SUFFIX)
  );
}
