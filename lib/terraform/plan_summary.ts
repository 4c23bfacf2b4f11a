/**
 * What a plan of terraform is going to change.
 *
 * @module
 */
import type { PlannedResource } from "../aws/infrastructure_cost.ts";
import type { ResourceAction } from "./stream.ts";

/** One resource that changes. */
export interface PlannedChange {
  /** `module.vpc.aws_vpc.this[0]`. */
  readonly address: string;
  /** `aws_vpc`. */
  readonly type: string;
  /** What is done. */
  readonly action: Exclude<ResourceAction, "read" | "other">;
  /** Why it is replaced or deleted, in terraform's words: `tainted`, `replace_because_cannot_update`. */
  readonly reason?: string;
}

/** How many of each. */
export type ChangeCounts = Readonly<Record<PlannedChange["action"], number>>;

/** A plan that was made. */
export interface PlanSummary {
  /** What changes, in terraform's order. */
  readonly changes: readonly PlannedChange[];
  /** How many of each. */
  readonly counts: ChangeCounts;
  /** Whether applying it does anything (new outputs count). */
  readonly applyable: boolean;
  /** All resources that will exist after it. */
  readonly resources: readonly PlannedResource[];
  /** All resources that were in the state before it. */
  readonly before: readonly PlannedResource[];
}

interface RawPlan {
  readonly resource_changes?: readonly {
    readonly address: string;
    readonly mode: string;
    readonly type: string;
    readonly action_reason?: string;
    readonly change: { readonly actions: readonly string[] };
  }[];
  readonly applyable?: boolean;
  readonly output_changes?: Readonly<Record<string, { readonly actions: readonly string[] }>>;
  readonly planned_values?: { readonly root_module?: RawModule };
  readonly prior_state?: { readonly values?: { readonly root_module?: RawModule } };
}

interface RawModule {
  readonly resources?: readonly {
    readonly mode: string;
    readonly type: string;
    readonly values?: Readonly<Record<string, unknown>>;
  }[];
  readonly child_modules?: readonly RawModule[];
}

/** Reads what `terraform show -json PLAN` writes. It holds sensitive values: never print it. */
export function readPlan(json: string): PlanSummary {
  const raw: RawPlan = JSON.parse(json);
  const changes: PlannedChange[] = [];
  for (const { address, mode, type, action_reason, change } of raw.resource_changes ?? []) {
    const action = mode === "managed" ? actionOf(change.actions) : undefined;
    if (action === undefined) continue;
    changes.push({
      address,
      type,
      action,
      ...(action_reason === undefined ? {} : { reason: action_reason }),
    });
  }
  const outputs = Object.values(raw.output_changes ?? {})
    .some(({ actions }) => actions.some((action) => action !== "no-op"));
  return {
    changes,
    counts: countChanges(changes),
    applyable: changes.length > 0 || outputs || raw.applyable === true,
    resources: resourcesOf(raw.planned_values?.root_module),
    before: resourcesOf(raw.prior_state?.values?.root_module),
  };
}

/** Counts changes by what is done. */
export function countChanges(changes: readonly PlannedChange[]): ChangeCounts {
  const counts = { create: 0, update: 0, replace: 0, delete: 0 };
  for (const { action } of changes) counts[action]++;
  return counts;
}

/** `61 to create, 1 to change`; `nothing to change` without any. */
export function countsText(counts: ChangeCounts): string {
  const words = [
    [counts.create, "to create"],
    [counts.update, "to change"],
    [counts.replace, "to replace"],
    [counts.delete, "to delete"],
  ] as const;
  return words.filter(([n]) => n > 0).map(([n, word]) => `${n} ${word}`).join(", ") ||
    "nothing to change";
}

/**
 * The changes as lines: what is lost by address, what is changed by address, what is new by
 * type, the most numerous first.
 */
export function changeLines(changes: readonly PlannedChange[], mostTypes = 12): string[] {
  const lines: string[] = [];
  for (const { address, action, reason } of changes) {
    const why = reason === undefined ? "" : ` (${reason.replaceAll("_", " ")})`;
    if (action === "delete") lines.push(`delete   ${address}${why}`);
    if (action === "replace") lines.push(`replace  ${address}${why}`);
  }
  for (const { address, action } of changes) {
    if (action === "update") lines.push(`change   ${address}`);
  }
  const types = new Map<string, number>();
  for (const { type, action } of changes) {
    if (action === "create") types.set(type, (types.get(type) ?? 0) + 1);
  }
  const sorted = [...types].sort(([a, n], [b, m]) => m - n || a.localeCompare(b));
  for (const [type, n] of sorted.slice(0, mostTypes)) lines.push(`create   ${n} × ${type}`);
  const rest = sorted.slice(mostTypes);
  if (rest.length > 0) {
    const n = rest.reduce((sum, [, count]) => sum + count, 0);
    lines.push(`create   ${n} of ${rest.length} other types`);
  }
  return lines;
}

/** Addresses that a plan destroys (or replaces) and an agreed one did not. */
export function unexpectedLosses(agreed: PlanSummary, now: PlanSummary): string[] {
  const known = new Set(agreed.changes.filter(isLoss).map(({ address }) => address));
  return now.changes.filter(isLoss).map(({ address }) => address)
    .filter((address) => !known.has(address));
}

function isLoss({ action }: PlannedChange): boolean {
  return action === "delete" || action === "replace";
}

function actionOf(actions: readonly string[]): PlannedChange["action"] | undefined {
  if (actions.length === 2) return "replace";
  const [only] = actions;
  return only === "create" || only === "update" || only === "delete" ? only : undefined;
}

function resourcesOf(module: RawModule | undefined): PlannedResource[] {
  if (module === undefined) return [];
  const own = (module.resources ?? []).filter(({ mode }) => mode === "managed")
    .map(({ type, values }) => ({ type, values: values ?? {} }));
  return [...own, ...(module.child_modules ?? []).flatMap(resourcesOf)];
}
