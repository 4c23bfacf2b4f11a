import assert from "node:assert/strict";
import type { Context } from "../cli/context.ts";
import { withContext } from "../cli/context.ts";
import { testContext } from "../cli/testing.ts";
import type { ChartSource } from "./chart_source.ts";
import { fetchChart } from "./charts.ts";

const CHART = { name: "dynamo-platform", version: "1.6.1" };
const BYTES = new TextEncoder().encode("a packed chart");
// sha256sum of the bytes above.
const DIGEST = new Uint8Array(await crypto.subtle.digest("SHA-256", BYTES)).toHex();

const noHelm = () => Promise.reject(new Error("helm is not needed"));

interface Repository extends AsyncDisposable {
  readonly url: string;
  readonly requests: string[];
}

function repository(answer: (path: string, request: Request) => Response | undefined): Repository {
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const path = new URL(request.url).pathname;
    requests.push(`${path} ${request.headers.get("authorization") ?? "-"}`);
    return answer(path, request) ?? new Response("no", { status: 404 });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/charts`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function index(digest: string, link = "dynamo-platform-1.6.1.tgz"): string {
  return `apiVersion: v1
entries:
  dynamo-platform:
    - {name: dynamo-platform, version: 1.6.1, digest: ${digest}, urls: ["${link}"]}
    - {name: dynamo-platform, version: 1.5.1, urls: [gone.tgz]}
`;
}

async function withCache(body: (ctx: Context) => Promise<void>): Promise<void> {
  await using made = await testContext();
  await body(withContext(made.ctx, {
    cache: `${made.ctx.home}/cache`,
    clock: { ...made.ctx.clock, sleep: () => Promise.resolve() },
  }));
}

Deno.test("a chart is fetched once, checked, and kept", () =>
  withCache(async (ctx) => {
    await using server = repository((path) =>
      path.endsWith("/index.yaml")
        ? new Response(index(DIGEST))
        : path.endsWith("1.6.1.tgz")
        ? new Response(BYTES)
        : undefined
    );
    const source: ChartSource = {
      kind: "http",
      url: server.url,
      login: { username: "me", password: "word" },
    };
    const { path } = await fetchChart(ctx, source, CHART, noHelm);
    assert.deepEqual(await Deno.readFile(path), BYTES);
    await fetchChart(ctx, source, CHART, noHelm);
    const auth = `Basic ${btoa("me:word")}`;
    assert.deepEqual(server.requests, [
      `/charts/index.yaml ${auth}`,
      `/charts/dynamo-platform-1.6.1.tgz ${auth}`,
      `/charts/index.yaml ${auth}`,
    ]);
    await assert.rejects(fetchChart(ctx, source, { ...CHART, version: "9.9.9" }, noHelm), {
      code: "CHART_MISSING",
      message: /it has 1\.6\.1, 1\.5\.1/,
    });
    await assert.rejects(fetchChart(ctx, source, { ...CHART, version: "1.5.1" }, noHelm), {
      code: "CHART_UNREACHABLE",
      message: /404/,
    });
  }));

Deno.test("a login goes to the repository's own host only", () =>
  withCache(async (ctx) => {
    await using other = repository(() => new Response(BYTES));
    await using server = repository(() => new Response(index(DIGEST, `${other.url}/x.tgz`)));
    const login = { username: "me", password: "word" };
    await fetchChart(ctx, { kind: "http", url: server.url, login }, CHART, noHelm);
    assert.deepEqual(other.requests, ["/charts/x.tgz -"]);
  }));

Deno.test("another chart than the index names is refused", () =>
  withCache(async (ctx) => {
    await using server = repository((path) =>
      new Response(path.endsWith("/index.yaml") ? index(DIGEST) : "tampered")
    );
    await assert.rejects(fetchChart(ctx, { kind: "http", url: server.url }, CHART, noHelm), {
      code: "CHART_CHECKSUM",
      exitCode: 3,
    });
  }));

Deno.test("a repository that is down or answers nonsense is an error before anything is touched", () =>
  withCache(async (ctx) => {
    let count = 0;
    await using busy = repository((path) => {
      if (++count < 3) return new Response("busy", { status: 503 });
      return new Response(path.endsWith("/index.yaml") ? index(DIGEST) : BYTES);
    });
    await fetchChart(ctx, { kind: "http", url: busy.url }, CHART, noHelm);
    const down = "http://127.0.0.1:9/charts";
    await assert.rejects(fetchChart(ctx, { kind: "http", url: down }, CHART, noHelm), {
      code: "CHART_UNREACHABLE",
      exitCode: 3,
    });
    await using nonsense = repository(() => new Response("<html>: sign in: {"));
    await assert.rejects(fetchChart(ctx, { kind: "http", url: nonsense.url }, CHART, noHelm), {
      code: "CHART_UNREACHABLE",
      message: /index\.yaml/,
    });
  }));

Deno.test("a folder holds packed charts, or the chart itself in the version asked for", () =>
  withCache(async (ctx) => {
    const folder = `${ctx.home}/charts`;
    const source: ChartSource = { kind: "folder", path: folder };
    await assert.rejects(fetchChart(ctx, source, CHART, noHelm), { code: "CHART_MISSING" });
    await Deno.mkdir(`${folder}/dynamo-platform`, { recursive: true });
    await Deno.writeTextFile(`${folder}/dynamo-platform/Chart.yaml`, "version: 1.5.1\n");
    await assert.rejects(fetchChart(ctx, source, CHART, noHelm), { message: /is 1\.5\.1/ });
    await Deno.writeTextFile(`${folder}/dynamo-platform/Chart.yaml`, "version: 1.6.1\n");
    assert.match((await fetchChart(ctx, source, CHART, noHelm)).path, /\/dynamo-platform$/);
    await Deno.writeFile(`${folder}/dynamo-platform-1.6.1.tgz`, BYTES);
    assert.match((await fetchChart(ctx, source, CHART, noHelm)).path, /\.tgz$/);
  }));
