/**
 * Watches a running container's health by its probes.
 *
 * A kubelet's meaning, with one difference: until a probe has succeeded for the first time it
 * is made four times a second, without the initial delay. Processes here are up within a
 * second, and nobody wants to wait a minute to see it. What counts as a failure is left as
 * the manifest has it.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { messageOf } from "../../cli/errors.ts";
import type { Check, ProbePlan, ProbePlans } from "./probe_plan.ts";

/** Most time between two checks before the first success, milliseconds. */
export const QUICK_MS = 250;
// After this time nothing comes up "in a moment" any more.
const QUICK_FOR_MS = 120_000;
const LATER_MS = 2_000;

/** What a check found. */
export interface CheckResult {
  /** Whether it succeeded. */
  readonly ok: boolean;
  /** What was wrong. */
  readonly detail: string;
}

/** Makes one check; never throws. */
export type Checker = (check: Check, timeoutMs: number) => Promise<CheckResult>;

/** What is told about a container's health. */
export interface HealthListener {
  /** Its startup is over. */
  started(): void;
  /** Its readiness changed. */
  ready(ready: boolean): void;
  /** A probe failed, at most once in its period. */
  unhealthy(probe: "Startup" | "Readiness" | "Liveness", detail: string): void;
  /** It has to be restarted. */
  failed(probe: "startup" | "liveness"): void;
}

/** What is known of a container that ran before the node agent did. */
export interface KnownHealth {
  /** Its startup is over. */
  readonly started: boolean;
  /** It was ready. */
  readonly ready: boolean;
}

/** Follows the probes until the signal is aborted or the container has failed. */
export async function watchHealth(
  ctx: Pick<Context, "clock">,
  plans: ProbePlans,
  check: Checker,
  listener: HealthListener,
  signal: AbortSignal,
  known: KnownHealth = { started: false, ready: false },
): Promise<void> {
  const clock = ctx.clock;
  try {
    if (plans.startup !== undefined && !known.started) {
      if (!await passStartup(clock, plans.startup, check, listener, signal)) return;
    }
    listener.started();
    await Promise.all([
      plans.readiness === undefined
        ? listener.ready(true)
        : followReadiness(clock, plans.readiness, check, listener, signal, known.ready),
      plans.liveness === undefined
        ? undefined
        : followLiveness(clock, plans.liveness, check, listener, signal),
    ]);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

type Clock = Context["clock"];

/** Whether the startup succeeded in the time that delay, period and failures make together. */
async function passStartup(
  clock: Clock,
  plan: ProbePlan,
  check: Checker,
  listener: HealthListener,
  signal: AbortSignal,
): Promise<boolean> {
  const begun = clock.monotonic();
  const deadline = begun + plan.delayMs + plan.periodMs * plan.failures;
  const say = reportSlowly(clock, plan, (detail) => listener.unhealthy("Startup", detail));
  for (let successes = 0;;) {
    const result = await check(plan.check, plan.timeoutMs);
    signal.throwIfAborted();
    successes = result.ok ? successes + 1 : 0;
    if (successes >= plan.successes) return true;
    if (!result.ok) say(result.detail);
    if (clock.monotonic() >= deadline) {
      listener.failed("startup");
      return false;
    }
    await clock.sleep(quickPause(clock.monotonic() - begun, plan), signal);
  }
}

async function followReadiness(
  clock: Clock,
  plan: ProbePlan,
  check: Checker,
  listener: HealthListener,
  signal: AbortSignal,
  known: boolean,
): Promise<void> {
  let ready = known;
  let since = clock.monotonic();
  let failures = 0;
  let successes = 0;
  const say = reportSlowly(clock, plan, (detail) => listener.unhealthy("Readiness", detail));
  for (;;) {
    const result = await check(plan.check, plan.timeoutMs);
    signal.throwIfAborted();
    failures = result.ok ? 0 : failures + 1;
    successes = result.ok ? successes + 1 : 0;
    if (!result.ok) say(result.detail);
    if (!ready && successes >= plan.successes) listener.ready(ready = true);
    if (ready && failures >= plan.failures) {
      listener.ready(ready = false);
      since = clock.monotonic();
    }
    const pause = ready ? plan.periodMs : quickPause(clock.monotonic() - since, plan);
    await clock.sleep(pause, signal);
  }
}

async function followLiveness(
  clock: Clock,
  plan: ProbePlan,
  check: Checker,
  listener: HealthListener,
  signal: AbortSignal,
): Promise<void> {
  // The period too: a process that was started this moment cannot answer yet.
  await clock.sleep(plan.delayMs + plan.periodMs, signal);
  for (let failures = 0;;) {
    const result = await check(plan.check, plan.timeoutMs);
    signal.throwIfAborted();
    failures = result.ok ? 0 : failures + 1;
    if (!result.ok) listener.unhealthy("Liveness", result.detail);
    if (failures >= plan.failures) return listener.failed("liveness");
    await clock.sleep(plan.periodMs, signal);
  }
}

function quickPause(elapsedMs: number, plan: ProbePlan): number {
  return Math.min(plan.periodMs, elapsedMs < QUICK_FOR_MS ? QUICK_MS : LATER_MS);
}

/** Tells of failures only after the initial delay, and once in a period. */
function reportSlowly(
  clock: Clock,
  plan: ProbePlan,
  report: (detail: string) => void,
): (detail: string) => void {
  let next = clock.monotonic() + Math.max(plan.delayMs, plan.periodMs);
  return (detail) => {
    if (clock.monotonic() < next) return;
    next = clock.monotonic() + plan.periodMs;
    report(detail);
  };
}

/** Options of {@link checker}. */
export interface CheckerOptions {
  /** Local port of a container's port; undefined when it has none. */
  readonly port: (containerPort: number) => number | undefined;
  /** Whether something listens on a local port. */
  readonly listens: (port: number) => Promise<boolean>;
  /** Whether a text is in the container's log. */
  readonly logHas: (text: string) => Promise<boolean>;
}

/** Makes checks of a container's local process. */
export function checker(ctx: Pick<Context, "net">, options: CheckerOptions): Checker {
  return async (check, timeoutMs) => {
    try {
      switch (check.kind) {
        case "always":
          return { ok: true, detail: "" };
        case "never":
          return { ok: false, detail: check.why };
        case "log": {
          const ok = await options.logHas(check.text);
          return { ok, detail: ok ? "" : `"${check.text}" is not in the log` };
        }
      }
      const port = options.port(check.port);
      if (port === undefined) {
        return { ok: false, detail: `nothing listens on port ${check.port}` };
      }
      if (check.kind === "tcp") {
        const ok = await options.listens(port);
        return { ok, detail: ok ? "" : `connection to port ${check.port} refused` };
      }
      return await httpCheck(ctx, check, port, timeoutMs);
    } catch (error) {
      return { ok: false, detail: messageOf(error) };
    }
  };
}

async function httpCheck(
  ctx: Pick<Context, "net">,
  check: Extract<Check, { kind: "http" }>,
  port: number,
  timeoutMs: number,
): Promise<CheckResult> {
  const where = `http://127.0.0.1:${check.port}${check.path}`;
  let response: Response;
  try {
    response = await ctx.net.fetch(`http://127.0.0.1:${port}${check.path}`, {
      headers: check.headers,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    return { ok: false, detail: `${where}: ${late ? "no answer in time" : "connection refused"}` };
  }
  if (check.expect === undefined) {
    await response.body?.cancel();
    const ok = response.status >= 200 && response.status < 400;
    return { ok, detail: ok ? "" : `HTTP probe failed with statuscode: ${response.status}` };
  }
  const { field, value } = check.expect;
  const found = await response.json().then((body) => body?.[field]).catch(() => undefined);
  const ok = found === value;
  return { ok, detail: ok ? "" : `${where}: ${field} is ${JSON.stringify(found ?? null)}` };
}
