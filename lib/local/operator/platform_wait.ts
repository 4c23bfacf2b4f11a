/**
 * Waits for the platform on the embedded cluster.
 *
 * @module
 */
import type { Release } from "../../blueprint/types.ts";
import type { Context } from "../../cli/context.ts";
import { timeoutError } from "../../cli/errors.ts";
import { evidence } from "../../kube/events.ts";
import type { Kube, KubeObject, ObjectRef } from "../../kube/types.ts";
import { servedPlurals } from "./crds/served.ts";
import { featuresOf } from "./features.ts";
import { OPERATOR_NAME, PLATFORM_SELECTOR } from "./platform_names.ts";

/** Options of {@link waitPlatform}. */
export interface WaitPlatformOptions {
  /** Dynamo version. */
  readonly release: Pick<Release, "version" | "rules">;
  /** Namespace of the platform. */
  readonly namespace: string;
  /** Milliseconds to wait; one minute unless given. */
  readonly timeoutMs?: number;
  /** Told what is waited for. */
  readonly onWait?: (what: string) => void;
}

/**
 * Waits until the definitions are established and the operator's Deployment is available.
 *
 * @throws {TaskError} PLATFORM_NOT_READY (exit code 4) with conditions, events and log lines.
 */
export async function waitPlatform(
  ctx: Context,
  kube: Kube,
  options: WaitPlatformOptions,
): Promise<void> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const end = ctx.clock.monotonic() + timeoutMs;
  for (;;) {
    const missing = await whatIsMissing(kube, options);
    if (missing === undefined) return;
    options.onWait?.(missing);
    if (ctx.clock.monotonic() >= end) {
      throw timeoutError(
        "PLATFORM_NOT_READY",
        `Dynamo's platform in ${options.namespace} is not ready after ${
          timeoutMs / 1000
        } s: ${missing}`,
        {
          hint: "Run deno task install again; what is done already is not done twice.",
          evidence: await evidence(kube, {
            namespace: options.namespace,
            labelSelector: PLATFORM_SELECTOR,
            objects: [operatorRef(options.namespace)],
          }),
        },
      );
    }
    await ctx.clock.sleep(200, ctx.signal);
  }
}

async function whatIsMissing(
  kube: Kube,
  { namespace, release }: WaitPlatformOptions,
): Promise<string | undefined> {
  const apiVersion = featuresOf(release).graphApiVersion;
  const served = await servedPlurals(kube, apiVersion);
  for (const plural of ["dynamographdeployments", "dynamocomponentdeployments"]) {
    if (!served.has(plural)) return `${plural} of ${apiVersion} are not served`;
  }
  const operator = await kube.get(operatorRef(namespace));
  if (operator === undefined) return `the Deployment ${OPERATOR_NAME} is not there`;
  const current = operator["status"]?.observedGeneration === operator.metadata.generation;
  if (current && hasCondition(operator, "Available")) return undefined;
  return `the Deployment ${OPERATOR_NAME} is not available`;
}

function operatorRef(namespace: string): ObjectRef {
  return { apiVersion: "apps/v1", kind: "Deployment", name: OPERATOR_NAME, namespace };
}

function hasCondition(object: KubeObject, type: string): boolean {
  const conditions: { type: string; status: string }[] = object["status"]?.conditions ?? [];
  return conditions.some((one) => one.type === type && one.status === "True");
}
