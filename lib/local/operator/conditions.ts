/**
 * Conditions of a status: set with a true transition time.
 *
 * @module
 */
import type { Condition } from "./types.ts";

/** A condition before it has a time. */
export type NewCondition = Omit<Condition, "lastTransitionTime">;

/** Time as Kubernetes writes it: seconds, UTC. */
export function timestamp(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
}

/** The list with these conditions set; the time changes only when the status does. */
export function setConditions(
  old: readonly Condition[] | undefined,
  set: readonly NewCondition[],
  now: number,
): Condition[] {
  const byType = new Map((old ?? []).map((one) => [one.type, one]));
  for (const condition of set) {
    const before = byType.get(condition.type);
    const lastTransitionTime = before?.status === condition.status
      ? before.lastTransitionTime
      : timestamp(now);
    byType.set(condition.type, { ...condition, lastTransitionTime });
  }
  return [...byType.values()];
}

/** Status of a condition; undefined when it is not there. */
export function conditionStatus(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition["status"] | undefined {
  return conditions?.find((one) => one.type === type)?.status;
}

/** A message within the length that the schema of a condition allows. */
export function cutMessage(text: string): string {
  return text.length <= 32_000 ? text : `${text.slice(0, 32_000)}…`;
}
