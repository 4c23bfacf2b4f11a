import assert from "node:assert/strict";
import type { Clock } from "../../cli/context.ts";
import type { ProbePlan } from "./probe_plan.ts";
import { checker, type CheckResult, watchHealth } from "./prober.ts";

/** A clock whose sleeps are over at once and move the time. */
function fastClock(stopAt: number, stop: () => void): Clock {
  let now = 0;
  return {
    now: () => now,
    monotonic: () => now,
    sleep(ms, signal) {
      now += ms;
      if (now >= stopAt) stop();
      return signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve();
    },
  };
}

function plan(more: Partial<ProbePlan> = {}): ProbePlan {
  return {
    check: { kind: "always" },
    delayMs: 60_000,
    periodMs: 10_000,
    timeoutMs: 1_000,
    failures: 3,
    successes: 1,
    ...more,
  };
}

interface Story {
  readonly startup?: ProbePlan;
  readonly readiness?: ProbePlan;
  readonly liveness?: ProbePlan;
  /** Whether a check made at that time succeeds. */
  readonly ok: (ms: number) => boolean;
  readonly untilMs: number;
}

async function tell(story: Story): Promise<string[]> {
  const controller = new AbortController();
  const clock = fastClock(story.untilMs, () => controller.abort());
  const heard: string[] = [];
  const say = (text: string) => heard.push(`${clock.now() / 1_000}: ${text}`);
  const check = (): Promise<CheckResult> =>
    Promise.resolve({ ok: story.ok(clock.now()), detail: "no" });
  const { ok: _, untilMs: __, ...plans } = story;
  await watchHealth({ clock }, plans, check, {
    started: () => say("started"),
    ready: (ready) => say(ready ? "ready" : "not ready"),
    unhealthy: (probe) => say(`unhealthy ${probe}`),
    failed: (probe) => say(`failed ${probe}`),
  }, controller.signal);
  return heard;
}

Deno.test("readiness is looked for four times a second, whatever the delay", async () => {
  const heard = await tell({ readiness: plan(), ok: (ms) => ms >= 700, untilMs: 5_000 });
  assert.deepEqual(heard, ["0: started", "0.75: ready"]);
});

Deno.test("once ready the period and the number of failures count", async () => {
  const heard = await tell({ readiness: plan(), ok: (ms) => ms < 15_000, untilMs: 45_000 });
  assert.deepEqual(heard.filter((line) => !line.includes("unhealthy")), [
    "0: started",
    "0: ready",
    "40: not ready",
  ]);
});

Deno.test("others wait for the startup, which fails at the end of its time", async () => {
  const startup = plan({ delayMs: 5_000, periodMs: 10_000, failures: 2 });
  const heard = await tell({ startup, readiness: plan(), ok: () => false, untilMs: 60_000 });
  assert.deepEqual(heard.at(-1), "25: failed startup");
  assert.ok(!heard.some((line) => line.includes("started")));
});

Deno.test("liveness waits for its delay and a period, then fails after its failures", async () => {
  const liveness = plan({ delayMs: 5_000, periodMs: 5_000, failures: 2 });
  const heard = await tell({ liveness, ok: () => false, untilMs: 60_000 });
  assert.deepEqual(heard, [
    "0: started",
    "0: ready",
    "10: unhealthy Liveness",
    "15: unhealthy Liveness",
    "15: failed liveness",
  ]);
});

Deno.test("checks of HTTP, fields, logs and ports", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/slow") {
        return new Promise((resolve) => setTimeout(() => resolve(new Response("")), 400));
      }
      if (pathname === "/moved") {
        return new Response(null, {
          status: 302,
          headers: { location: "/x" },
        });
      }
      const status = pathname === "/health" ? 503 : 200;
      return Response.json({ status: "healthy", header: request.headers.get("x-a") }, { status });
    },
  );
  const local = server.addr.port;
  const check = checker({ net: { fetch } } as never, {
    port: (port) => port === 8000 ? local : undefined,
    listens: (port) => Promise.resolve(port === local),
    logHas: (text) => Promise.resolve(text === "there"),
  });
  const http = { kind: "http", port: 8000, path: "/", headers: {} } as const;
  const outcome = async (probe: Parameters<typeof check>[0], timeoutMs = 1_000) => {
    const result = await check(probe, timeoutMs);
    return result.ok ? "ok" : result.detail;
  };
  assert.equal(await outcome(http), "ok");
  assert.equal(await outcome({ ...http, path: "/moved" }), "ok");
  assert.equal(
    await outcome({ ...http, path: "/health" }),
    "HTTP probe failed with statuscode: 503",
  );
  // curl without --fail reads the answer whatever its status.
  const expect = { field: "status", value: "healthy" };
  assert.equal(await outcome({ ...http, path: "/health", expect }), "ok");
  assert.match(
    await outcome({ ...http, expect: { field: "status", value: "ready" } }),
    /status is "healthy"/,
  );
  const headers = { "x-a": "1" };
  assert.equal(await outcome({ ...http, headers, expect: { field: "header", value: "1" } }), "ok");
  assert.match(await outcome({ ...http, path: "/slow" }, 50), /no answer in time/);
  assert.equal(await outcome({ ...http, port: 9 }), "nothing listens on port 9");
  assert.equal(await outcome({ kind: "tcp", port: 8000 }), "ok");
  assert.equal(await outcome({ kind: "log", text: "there" }), "ok");
  assert.match(await outcome({ kind: "log", text: "missing" }), /not in the log/);
  assert.equal(await outcome({ kind: "never", why: "because" }), "because");
});
