/**
 * The lock that a killed terraform of ours left behind in S3. Locks of files go with their process;
 * those in S3 stay, and would stop every later run until somebody takes them away by hand.
 *
 * A lock is taken away here only when it is proven to be that run's: the run's log says that it
 * held the state's lock, this one was made after the run began and before that word in the log, and
 * on this machine. Nobody else can have made a lock in that time that is still there.
 *
 * @module
 */
import type { AwsSession } from "../aws/session.ts";
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { readIfThere } from "../cli/files.ts";
import type { Backend } from "./backend.ts";
import { type EarlierRun, lostRun } from "./run.ts";
import { type Stack, unlockStack } from "./stack.ts";

/** A lock as terraform's S3 backend writes it (`use_lockfile`, 1.10 and later). */
export interface LockFile {
  /** Id. */
  readonly ID: string;
  /** `user@host`. */
  readonly Who: string;
  /** ISO 8601. */
  readonly Created: string;
}

/**
 * Takes away the lock of a run of this work folder that was killed. Returns its id, or undefined
 * when there is none that is surely that run's.
 */
export async function releaseLostLock(
  ctx: Context,
  aws: AwsSession,
  stack: Stack,
): Promise<string | undefined> {
  const { backend, folder } = stack;
  if (backend.kind !== "s3") return undefined;
  const lost = await lostRun(ctx, folder);
  if (lost === undefined) return undefined;
  const lock = await readLock(aws, backend);
  if (lock === undefined) return undefined;
  const log = await readIfThere(ctx, lost.logFile) ?? "";
  if (!isLockOf(lock, { lost, log, host: await hostName(ctx) })) return undefined;
  await unlockStack(ctx, stack, lock.ID);
  ctx.ui.info(
    `terraform ${lost.command} of ${lost.since} was killed: the lock that it left is taken away`,
  );
  return lock.ID;
}

/** Whether the lock is surely that of the run. */
export function isLockOf(
  lock: LockFile,
  { lost, log, host }: {
    /** The run. */
    readonly lost: Pick<EarlierRun, "since">;
    /** Its output. */
    readonly log: string;
    /** Name of this machine; empty when it is not known. */
    readonly host: string;
  },
): boolean {
  const held = heldSince(log);
  const created = Date.parse(lock.Created);
  return held !== undefined && host !== "" && lock.Who.endsWith(`@${host}`) &&
    created >= Date.parse(lost.since) && created <= held;
}

/** Events that terraform sends only while it holds the lock. */
const HOLDING = /^(refresh_start|planned_change|apply_start)$/;

/** When the log first says that the lock is held, in milliseconds since the epoch. */
function heldSince(log: string): number | undefined {
  for (const line of log.split("\n")) {
    if (!line.startsWith("{")) continue;
    try {
      const event = JSON.parse(line);
      if (HOLDING.test(event.type)) return Date.parse(event["@timestamp"]);
    } catch {
      // The last line of a run that was killed.
    }
  }
  return undefined;
}

async function readLock(
  aws: AwsSession,
  { bucket, key }: Extract<Backend, { kind: "s3" }>,
): Promise<LockFile | undefined> {
  try {
    const { Body } = await (await aws.s3()).getObject({ Bucket: bucket, Key: `${key}.tflock` });
    const lock = JSON.parse(await Body?.transformToString() ?? "{}");
    const isWhole = [lock.ID, lock.Who, lock.Created].every((one) => typeof one === "string");
    return isWhole ? lock : undefined;
  } catch (error) {
    // Without a lock, or with one that cannot be read, terraform itself says what is wrong.
    if (error instanceof SyntaxError) return undefined;
    if (error instanceof TaskError && /^AWS_(NOT_FOUND|DENIED)$/.test(error.code)) return undefined;
    throw error;
  }
}

/** As terraform names this machine. */
async function hostName(ctx: Context): Promise<string> {
  try {
    const { stdout } = await ctx.processes.run("uname", ["-n"], { signal: ctx.signal });
    return stdout.trim();
  } catch {
    return "";
  }
}
