/**
 * Does this endpoint do what a Dynamo frontend should? The checks, chosen by what is behind it.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { usageError } from "../cli/errors.ts";
import { didYouMean } from "../cli/suggest.ts";
import { basicChecks } from "./checks_basic.ts";
import { errorChecks } from "./checks_errors.ts";
import { featureChecks } from "./checks_features.ts";
import { CheckWorld, type ServedTraits } from "./check_world.ts";
import { type Check, type CheckResult, runChecks } from "./check_run.ts";
import type { CheckRunOptions } from "./check_run.ts";
import type { Endpoint } from "./endpoint.ts";

export type { CheckResult } from "./check_run.ts";
export { METRIC_PREFIXES } from "./checks_basic.ts";

/** Identifiers of all checks, in their order. */
export const CHECK_IDS = [
  "health",
  "live",
  "models",
  "chat",
  "chat-stream",
  "completion",
  "completion-stream",
  "wrong-model",
  "malformed-json",
  "missing-field",
  "json-output",
  "tools",
  "long-context",
  "shared-prefix",
  "lora",
  "multimodal",
  "usage",
  "metrics",
] as const;

/** Options of {@link runEndpointChecks}. */
export interface EndpointCheckOptions extends Endpoint, Omit<CheckRunOptions, "endpoint"> {
  /** Model to ask; the first that is listed unless given. */
  readonly model?: string | undefined;
  /** Models that have to be listed. */
  readonly expectedModels?: readonly string[] | undefined;
  /** What is behind the endpoint. */
  readonly traits?: ServedTraits | undefined;
  /** Identifiers of the checks to run; all unless given. */
  readonly only?: readonly string[] | undefined;
}

/**
 * Runs the checks. Failures are results; only interruption, a malformed URL and an unknown
 * identifier throw.
 */
export async function runEndpointChecks(
  ctx: Context,
  options: EndpointCheckOptions,
): Promise<CheckResult[]> {
  checkIds(options.only ?? [], CHECK_IDS);
  const { apiKey, headers, timeoutMs, traits = {} } = options;
  const endpoint: Endpoint = {
    // It may change while the checks run.
    get url() {
      return options.url;
    },
    apiKey,
    headers,
    timeoutMs,
  };
  const model = options.model ?? options.expectedModels?.[0];
  const world = new CheckWorld(ctx, endpoint, traits, model);
  const expected = options.expectedModels ?? (model === undefined ? [] : [model]);
  const all = [...basicChecks(world, expected), ...errorChecks(world), ...featureChecks(world)];
  const only = options.only ?? CHECK_IDS;
  const needsModel = all.some((check) => check.phase > 0 && only.includes(check.id));
  // What is left out may be what finds the model, and why there is none must be seen.
  const lost = needsModel && !only.includes("models") && await world.findModel() === undefined;
  const chosen = CHECK_IDS.filter((id) => only.includes(id) || (lost && id === "models"))
    .map((id): Check => all.find((check) => check.id === id)!);
  return await runChecks(ctx, chosen, { ...options, endpoint });
}

/**
 * Checks that all are known.
 *
 * @throws {TaskError} CHECK_UNKNOWN (exit code 2)
 */
export function checkIds(wanted: readonly string[], known: readonly string[]): void {
  for (const id of wanted) {
    if (known.includes(id)) continue;
    throw usageError(
      "CHECK_UNKNOWN",
      `There is no check "${id}"`,
      `${didYouMean(id, known)} The checks are ${known.join(", ")}.`.trim(),
    );
  }
}
