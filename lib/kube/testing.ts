/**
 * An API server for tests, on loopback: it answers what a test tells it to, which is how
 * faults are made that a real one cannot be asked for.
 *
 * @module
 */
import type { Clock, Context } from "../cli/context.ts";
import { withContext } from "../cli/context.ts";
import { systemClock } from "../cli/context_deno.ts";
import { testContext } from "../cli/testing.ts";
import { connectKube } from "./client.ts";
import type { TokenSource } from "./credentials.ts";
import type { Kube } from "./types.ts";

/** Answers a request, or undefined for the default answer (discovery of v1, else 404). */
export type Answer = (
  request: Request,
  url: URL,
) => Response | undefined | Promise<Response | undefined>;

/** A running test server with a client. */
export interface TestApiServer extends AsyncDisposable {
  /** A client of it. */
  readonly kube: Kube;
  /** The client's context. */
  readonly ctx: Context;
  /** `<method> <path and query>` of each request, discovery left out. */
  readonly requests: string[];
  /** What the terminal was told. */
  readonly talk: readonly string[];
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
}

/** Options of {@link startApiServer}. */
export interface TestApiServerOptions {
  /** Entry `user` of the kubeconfig, as YAML flow. */
  readonly user?: string;
  /** Aborts the client's context. */
  readonly signal?: AbortSignal;
  /** The client's clock. */
  readonly clock?: Clock;
  /** Makes the client's tokens. */
  readonly tokens?: TokenSource;
  /** Time limit of the client's calls, in milliseconds. */
  readonly timeoutMs?: number;
}

/** Starts the server and connects a client. */
export async function startApiServer(
  answer: Answer,
  options: TestApiServerOptions = {},
): Promise<TestApiServer> {
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const url = new URL(request.url);
    const isDiscovery = url.pathname === "/api/v1";
    if (!isDiscovery) requests.push(`${request.method} ${url.pathname}${url.search}`);
    return await answer(request, url) ??
      (isDiscovery ? Response.json(V1) : statusResponse(404, "NotFound", "not there"));
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const test = await testContext(options.signal === undefined ? {} : { signal: options.signal });
  const ctx = withContext(test.ctx, options.clock === undefined ? {} : { clock: options.clock });
  const kubeconfig = `${ctx.home}.kubeconfig`;
  await Deno.writeTextFile(
    kubeconfig,
    kubeconfigText(url, options.user ?? "{token: secret-token}"),
  );
  const kube = await connectKube(ctx, {
    kubeconfig,
    tokens: options.tokens,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  return {
    kube,
    ctx,
    requests,
    talk: test.heard.talk,
    url,
    async [Symbol.asyncDispose]() {
      kube.close();
      await server.shutdown();
      await test.dispose();
    },
  };
}

/** A kubeconfig with one context, `test`. */
export function kubeconfigText(server: string, user: string): string {
  return `apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "${server}"}}]
users: [{name: tester, user: ${user}}]
contexts: [{name: test, context: {cluster: test, user: tester}}]
current-context: test
`;
}

/** An answer as the API server gives it when it refuses. */
export function statusResponse(
  code: number,
  reason: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  const status = { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message };
  return Response.json(status, { status: code, headers });
}

/** A list of pods of these names. */
export function podList(
  names: readonly string[],
  resourceVersion: string,
  next?: string,
): Response {
  return Response.json({
    kind: "PodList",
    apiVersion: "v1",
    metadata: { resourceVersion, ...(next === undefined ? {} : { continue: next }) },
    items: names.map((name) => ({ metadata: { name, namespace: "default" } })),
  });
}

/** A clock that runs `factor` times as fast. */
export function fastClock(factor: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * factor,
    sleep: (ms, signal) => systemClock.sleep(ms / factor, signal),
  };
}

const V1 = {
  kind: "APIResourceList",
  groupVersion: "v1",
  resources: [
    { name: "pods", kind: "Pod", namespaced: true },
    { name: "pods/log", kind: "Pod", namespaced: true },
    { name: "configmaps", kind: "ConfigMap", namespaced: true },
    { name: "nodes", kind: "Node", namespaced: false },
  ],
};

/** A test that must leave no timer, connection or file open (Deno does not check that unless asked). */
export function cleanTest(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true });
}
