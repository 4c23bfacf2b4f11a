/**
 * Deleting one resource: what deleters work with, and waiting within limits.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { TaskError, timeoutError } from "../../cli/errors.ts";
import { awsErrorName } from "../errors.ts";
import type { AwsSession } from "../session.ts";
import { isGone } from "./pages.ts";
import type { Resource, SweepScope } from "./types.ts";

/** What a deleter works with. */
export interface Removal {
  /** Clock and interruption. */
  readonly ctx: Context;
  /** AWS. */
  readonly aws: AwsSession;
  /** Cluster and region. */
  readonly scope: SweepScope;
  /** Keys (kind/id) of everything that may be deleted. */
  readonly own: ReadonlySet<string>;
  /** Milliseconds that a resource may be in use, or take to go. */
  readonly patienceMs: number;
  /** Milliseconds between looks. */
  readonly pollMs: number;
}

/** Deletes one resource; returns when it is gone. One that is not there any more is no error. */
export type Remover = (job: Removal, resource: Resource) => Promise<void>;

/** AWS's names for "something that is about to go still uses it". */
const IN_USE =
  /DependencyViolation|InUse|DeleteConflict|Conflict|ResourceNotReady|FileSystemInUse|IncorrectState|InvalidParameterValue/;

/** Calls until the resource is not in use any more; one that is gone counts as deleted. */
export async function whenUnused(
  { ctx, patienceMs, pollMs }: Removal,
  call: () => Promise<unknown>,
): Promise<void> {
  const end = ctx.clock.monotonic() + patienceMs;
  for (;;) {
    try {
      await call();
      return;
    } catch (error) {
      if (isGone(error)) return;
      if (!IN_USE.test(awsErrorName(error) ?? "") || ctx.clock.monotonic() >= end) throw error;
    }
    await ctx.clock.sleep(pollMs, ctx.signal);
  }
}

/**
 * Looks until there is no such thing; `look` returns its state, or undefined when it is gone.
 *
 * @throws {TaskError} SWEEP_SLOW (exit code 4) with the last state.
 */
export async function untilGone(
  { ctx, patienceMs, pollMs }: Removal,
  { kind, id }: Resource,
  look: () => Promise<string | undefined>,
): Promise<void> {
  const end = ctx.clock.monotonic() + patienceMs;
  for (;;) {
    const state = await look().catch((error) => {
      if (isGone(error)) return undefined;
      throw error;
    });
    if (state === undefined) return;
    if (ctx.clock.monotonic() >= end) {
      const seconds = Math.round(patienceMs / 1000);
      throw timeoutError("SWEEP_SLOW", `${kind} ${id} is still ${state} after ${seconds} s`);
    }
    await ctx.clock.sleep(pollMs, ctx.signal);
  }
}

/** Refuses what would reach beyond the cluster. */
export function refuse({ kind, id }: Resource, why: string): TaskError {
  return new TaskError({ code: "SWEEP_SHARED", message: `${kind} ${id} stays: ${why}` });
}
