/**
 * A cluster bears one operator for all namespaces. Pure.
 *
 * @module
 */
import { EXIT, TaskError } from "../cli/errors.ts";
import type { FoundOperator } from "./operators.ts";
import type { PlatformState } from "./state.ts";

/**
 * Refuses a second operator for the whole cluster: two would undo each other's work.
 * Returns warnings about operators that may stay.
 *
 * @throws {TaskError} PLATFORM_ELSEWHERE (exit code 3) that names where the other one is.
 */
export function requireNoOtherOperator(
  state: Pick<PlatformState, "operators" | "releases" | "applications">,
  request: { readonly namespace: string },
): string[] {
  const warnings: string[] = [];
  for (const other of state.operators) {
    if (other.namespace === request.namespace) continue;
    if (!other.namespaceExists) {
      warnings.push(
        `Namespace ${other.namespace} is gone, but rights or webhooks of its Dynamo operator are ` +
          `left: ${other.evidence.join(", ")}; delete them`,
      );
      continue;
    }
    if (other.clusterWide) throw elsewhere(other, request.namespace);
    if (other.deployment === undefined) continue;
    warnings.push(
      `Another Dynamo operator, for its namespace only, runs in ${other.namespace}; it shares the ` +
        "definitions, so keep both at the same version",
    );
  }
  return warnings;
}

function elsewhere(other: FoundOperator, namespace: string): TaskError {
  const traces = other.deployment === undefined;
  return new TaskError({
    code: "PLATFORM_ELSEWHERE",
    message: traces
      ? `Namespace ${other.namespace} still holds the rights or webhooks of a Dynamo operator for ` +
        `the whole cluster; a second one in ${namespace} would fight it`
      : `A Dynamo operator for the whole cluster runs in ${other.namespace} already; a second one ` +
        `in ${namespace} would fight it`,
    hint: traces
      ? "If that operator is gone for good, delete what is listed above; else use " +
        `--namespace ${other.namespace}.`
      : `Use it: --namespace ${other.namespace}. Or remove it first: ${removal(other)}`,
    exitCode: EXIT.precondition,
    evidence: other.evidence,
  });
}

function removal(operator: FoundOperator): string {
  if (operator.application !== undefined) {
    return `delete Argo CD's Application ${operator.application}.`;
  }
  if (operator.helmRelease !== undefined) {
    return `helm uninstall ${operator.helmRelease} --namespace ${operator.namespace}.`;
  }
  return "the way it was installed.";
}
