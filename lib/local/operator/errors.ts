/**
 * Errors of a reconcile: what the operator reports in an object's status.
 *
 * @module
 */
import { TaskError } from "../../cli/errors.ts";

/** A graph or component that cannot be realised as written. */
export function specError(message: string): TaskError {
  return new TaskError({ code: "OPERATOR_SPEC", message });
}

/** A reconcile error with another reason than the usual one in the Ready condition. */
export function specErrorWithReason(reason: string, message: string): TaskError {
  return new TaskError({ code: `OPERATOR_${reason.toUpperCase()}`, message });
}
