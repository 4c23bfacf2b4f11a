// Runs against a server that counts its own first tokens: the watch must count the same ones.
import assert from "node:assert/strict";
import { testContext } from "../../cli/testing.ts";
import { runBench } from "../bench.ts";
import { timely } from "../testing.ts";
import { dialUrl } from "../transport.ts";
import { pinger } from "./ping.ts";
import { type MetricsSource, urlSource } from "./source.ts";
import { watchServer } from "./watch.ts";

const BOUNDS = [0.001, 0.0022, 0.0047, 0.01, 0.022, 0.047, 0.1, 0.22];
const TTFT_MS = 15;

interface Served extends AsyncDisposable {
  readonly url: string;
  /** Seconds to first token of each request, as the server has them. */
  readonly ttfts: number[];
  /** What /metrics answers instead. */
  broken: ((request: Request) => Response | Promise<Response>) | undefined;
}

function serve(): Served {
  const ttfts: number[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/v1/models") return Response.json({ data: [{ id: "M" }] });
    if (pathname === "/metrics") return served.broken?.(request) ?? new Response(metrics(ttfts));
    if (pathname === "/v1/chat/completions") return answer(request, ttfts);
    return new Response("not here", { status: 404 });
  });
  const served: Served = {
    url: `http://127.0.0.1:${server.addr.port}`,
    ttfts,
    broken: undefined,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return served;
}

async function answer(request: Request, ttfts: number[]): Promise<Response> {
  const start = performance.now();
  const { max_tokens: tokens, stream } = await request.json();
  const usage = { prompt_tokens: 10, completion_tokens: tokens, total_tokens: tokens + 10 };
  if (stream !== true) {
    const choice = {
      index: 0,
      message: { role: "assistant", content: "x" },
      finish_reason: "length",
    };
    return Response.json({ id: "1", object: "chat.completion", choices: [choice], usage });
  }
  const chunk = (value: unknown) => new TextEncoder().encode(`data: ${JSON.stringify(value)}\n\n`);
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      await new Promise((resolve) => setTimeout(resolve, TTFT_MS));
      for (let i = 0; i < tokens; i++) {
        if (i === 0) ttfts.push((performance.now() - start) / 1000);
        controller.enqueue(chunk({ choices: [{ index: 0, delta: { content: " word" } }] }));
      }
      controller.enqueue(chunk({ choices: [], usage }));
      controller.enqueue(new TextEncoder().encode("data: [DONE]\n\n"));
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

// In lower case, as 0.4.1 writes models.
function metrics(ttfts: readonly number[]): string {
  const name = "dynamo_frontend_time_to_first_token_seconds";
  const buckets = [...BOUNDS, Infinity].map((bound) =>
    `${name}_bucket{model="m",le="${bound === Infinity ? "+Inf" : bound}"} ${
      ttfts.filter((value) => value <= bound).length
    }`
  );
  return [
    ...buckets,
    `${name}_sum{model="m"} ${ttfts.reduce((sum, value) => sum + value, 0)}`,
    `${name}_count{model="m"} ${ttfts.length}`,
    `dynamo_frontend_requests_total{model="m",status="success"} ${ttfts.length}`,
    "",
  ].join("\n");
}

const LOAD = { concurrency: 4, durationMs: 700, outputTokens: 8, warmup: 4 } as const;

Deno.test("the server's counts are those of the run: no probe, no warm-up, no request too few", () =>
  timely(async () => {
    await using test = await testContext();
    await using server = serve();
    const { ctx } = test;
    const { clock } = ctx;
    const watch = watchServer({
      clock,
      open: () => Promise.resolve([urlSource(ctx, { url: server.url })]),
      pinger: pinger({ dial: dialUrl(ctx, server.url), url: server.url, clock }),
      intervalMs: 100,
    });
    const summary = await runBench(ctx, { ...LOAD, url: server.url, server: watch });
    const { server: seen, requests, ttft_service_ms: client } = summary;
    assert.ok(seen !== null && client !== null);
    assert.equal(seen.requests, requests.completed);
    assert.equal(seen.ttft_ms?.count, requests.completed);
    const own = server.ttfts.slice(-requests.completed);
    const mean = 1000 * own.reduce((sum, value) => sum + value, 0) / own.length;
    assert.ok(Math.abs(seen.ttft_ms!.mean - mean) < 1e-6, `${seen.ttft_ms!.mean}, not ${mean}`);
    const split = seen.ttft_split_ms!;
    assert.equal(split.same_requests, true);
    assert.ok(split.server_mean >= TTFT_MS - 1 && split.server_mean < split.client_mean + 1);
    assert.ok(Math.abs(split.client_mean - split.server_mean - split.network_mean) < 1e-9);
    assert.ok(split.round_trip_mean! > 0);
    assert.equal(typeof split.agrees, "boolean");
    const sorted = own.toSorted((a, b) => a - b);
    const median = 1000 * sorted[Math.ceil(0.5 * sorted.length) - 1]!;
    const { low, high } = seen.ttft_ms!.p50;
    assert.ok(low < median && median <= high!, `${median} is not in ${low} to ${high}`);
    // The series is on the run's axis, and its rates add up to the run's requests.
    const { points } = watch;
    assert.ok(points.length >= 5, `${points.length} points`);
    assert.ok(points.every((point) => point.at_s > 0 && point.at_s < summary.wall_s + 2));
    const counted = points.reduce(
      (sum, point) => sum + point.seconds * (point.requests_per_second ?? 0),
      0,
    );
    // A source's interval and the round's differ by the time of a scrape.
    assert.ok(Math.abs(counted - requests.completed) < 0.25 * requests.completed, `${counted}`);
  }));

Deno.test("what is wrong with metrics never breaks a run, and is said", () =>
  timely(async () => {
    await using test = await testContext();
    const { ctx } = test;
    const hanging = new AbortController();
    const cases: [string, Served["broken"], RegExp][] = [
      ["an error", () => new Response("no", { status: 500 }), /answered 500/],
      ["no metrics", () => new Response("<html>"), /not in Prometheus text format/],
      [
        "no answer",
        () =>
          new Promise((resolve) => {
            const end = () => resolve(new Response(""));
            hanging.signal.addEventListener("abort", end, { once: true });
          }),
        /no answer within/,
      ],
    ];
    for (const [name, broken, problem] of cases) {
      await using server = serve();
      server.broken = broken;
      const watch = watchServer({
        clock: ctx.clock,
        open: () => Promise.resolve([urlSource(ctx, { url: server.url })]),
        intervalMs: 100,
      });
      const summary = await runBench(ctx, { ...LOAD, url: server.url, server: watch });
      if (name === "no answer") hanging.abort();
      assert.ok(summary.requests.completed > 10, name);
      assert.equal(summary.server?.ttft_ms, null, name);
      assert.equal(summary.server?.ttft_split_ms, null, name);
      const [source] = summary.server!.sources;
      assert.ok(source!.failures >= 2 && source!.scrapes === 0, name);
      assert.match(source!.problem!, problem, name);
    }
  }));

Deno.test("a pod that comes later counts from zero, one that goes keeps what it had", async () => {
  await using test = await testContext();
  const { clock } = test.ctx;
  const counts = { old: 100, new: 0 };
  const closed: string[] = [];
  let fails = false;
  const source = (name: "old" | "new"): MetricsSource => ({
    name,
    kind: "frontend",
    scrape: () => {
      if (name === "old" && fails) return Promise.reject(new Error("gone"));
      return Promise.resolve(`dynamo_frontend_requests_total{model="m"} ${counts[name]}\n`);
    },
    close: () => closed.push(name),
  });
  const sources = { old: source("old"), new: source("new") };
  // The clock leaps, so that the sources are asked for again at once.
  let leap = 0;
  const watch = watchServer({
    clock: { ...clock, monotonic: () => clock.monotonic() + leap },
    open: () => Promise.resolve(fails ? [sources.new] : [sources.old]),
    intervalMs: 20,
  });
  await watch.begin("m");
  counts.old = 107;
  await clock.sleep(100);
  fails = true;
  counts.new = 5;
  leap = 10_000;
  await clock.sleep(200);
  const { summary } = await watch.end(0);
  assert.equal(summary.requests, 7 + 5);
  assert.deepEqual(summary.sources.map(({ name }) => name), ["old", "new"]);
  assert.equal(summary.sources[0]?.problem, "gone");
  assert.deepEqual(closed.sort(), ["new", "old"]);
});

Deno.test("an interrupted run waits for no scrape", async () => {
  await using test = await testContext();
  const { clock } = test.ctx;
  const source: MetricsSource = {
    name: "slow",
    kind: "frontend",
    scrape: (signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    close: () => {},
  };
  const watch = watchServer({ clock, open: () => Promise.resolve([source]), intervalMs: 20 });
  const begun = watch.begin("m");
  await clock.sleep(50);
  const start = clock.monotonic();
  await watch.close();
  await begun;
  assert.ok(clock.monotonic() - start < 1000);
  await watch.close();
});
