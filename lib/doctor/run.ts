/**
 * Runs checks side by side, each with a deadline of its own.
 *
 * @module
 */
import { type Context, withContext } from "../cli/context.ts";
import { interruptedError, messageOf, TaskError } from "../cli/errors.ts";
import { type Check, fail, type Finding, type Line, type Patient, skipped } from "./types.ts";

/** Runs the checks; the lines come in the order of the checks, whatever was first. */
export async function runChecks(
  ctx: Context,
  patient: Patient,
  checks: readonly Check[],
  onDone: (done: number) => void = () => {},
): Promise<Line[]> {
  let done = 0;
  const lines = await Promise.all(checks.map(async (check) => {
    const found = await runCheck(ctx, patient, check);
    onDone(++done);
    return found;
  }));
  if (ctx.signal.aborted) throw interruptedError();
  return lines.flat();
}

async function runCheck(ctx: Context, patient: Patient, check: Check): Promise<Line[]> {
  const start = ctx.clock.monotonic();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new Late()), check.deadlineMs);
  const signal = AbortSignal.any([ctx.signal, deadline.signal]);
  let found: Finding | readonly Finding[];
  try {
    const own: Patient = { ...patient, ctx: withContext(ctx, { signal }) };
    found = await untilAborted(missingOf(own, check).then((why) => why ?? check.run(own)), signal);
  } catch (error) {
    ctx.ui.debug(`${check.id}: ${error instanceof Error ? error.stack : error}`);
    found = thrown(error, check);
  } finally {
    clearTimeout(timer);
  }
  const ms = Math.round(ctx.clock.monotonic() - start);
  return (Array.isArray(found) ? found : [found]).map((one: Finding) => ({
    id: check.id,
    what: one.what ?? check.title,
    status: one.status,
    why: one.why,
    todo: one.todo ?? "",
    ms,
  }));
}

/** Says so when what the check needs is not there; the check about that very thing fails. */
async function missingOf(patient: Patient, check: Check): Promise<Finding | undefined> {
  if (check.needs === "aws") {
    try {
      await patient.identity();
    } catch {
      return skipped("needs AWS, which does not answer these credentials");
    }
  }
  if (check.needs === "cluster") {
    try {
      const cluster = await patient.cluster();
      if ("missing" in cluster) return skipped(cluster.missing);
    } catch {
      return skipped("needs the cluster, which cannot be reached");
    }
  }
  return undefined;
}

class Late extends Error {}

function thrown(error: unknown, check: Check): Finding {
  if (error instanceof Late) {
    return fail(
      `no answer within ${Math.round(check.deadlineMs / 1000)} s`,
      "Check the network and HTTPS_PROXY, then run it again.",
    );
  }
  if (error instanceof TaskError) return fail(error.message, error.hint ?? "Run it again.");
  return fail(messageOf(error), "Run it again with --verbose.");
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
