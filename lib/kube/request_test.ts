import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { cleanTest, fastClock, startApiServer, statusResponse } from "./testing.ts";

const POD = { apiVersion: "v1", kind: "Pod", name: "web", namespace: "default" };
const CONFIG = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };

async function fails(run: Promise<unknown>, code: string): Promise<TaskError> {
  const error = await run.then((value) => assert.fail(`no error but ${value}`), (error) => error);
  assert.ok(error instanceof TaskError, String(error));
  assert.equal(error.code, code, error.message);
  return error;
}

/** An answer whose body breaks off: it is shorter than its header says. */
function brokenOff(): Response {
  const body = ReadableStream.from([new TextEncoder().encode('{"kind":')]);
  return new Response(body, { headers: { "content-length": "100" } });
}

cleanTest("a lost connection is tried again for reads and applies, not for creations", async () => {
  let broken = 2;
  await using api = await startApiServer((request, url) => {
    if (url.pathname === "/api/v1") return undefined;
    if (broken-- > 0) return brokenOff();
    return Response.json({ method: request.method });
  }, { clock: fastClock(10) });
  assert.deepEqual(await api.kube.get(POD), { method: "GET" });
  broken = 2;
  assert.deepEqual(await api.kube.apply(CONFIG), { method: "PATCH" });
  assert.equal(api.requests.length, 6);
  broken = 1;
  const error = await fails(api.kube.create(CONFIG), "KUBE_UNREACHABLE");
  assert.equal(error.exitCode, 3);
  assert.match(error.message, /Cannot create ConfigMap default\/a: the API server http/);
  assert.equal(api.requests.length, 7);
});

cleanTest("a server that asks to wait is asked again, also for creations", async () => {
  let busy = true;
  let first = 0;
  await using api = await startApiServer((_request, url) => {
    if (url.pathname === "/api/v1") return undefined;
    if (!busy) return Response.json({ after: performance.now() - first });
    busy = false;
    first = performance.now();
    return statusResponse(429, "TooManyRequests", "slow down", { "retry-after": "1" });
  });
  const { after } = await api.kube.create(CONFIG) as unknown as { after: number };
  assert.ok(after > 700, `${after}`);
});

cleanTest("a server error that stays is an error after five tries", async () => {
  await using api = await startApiServer(
    (_request, url) =>
      url.pathname === "/api/v1" ? undefined : new Response("bad gateway", { status: 502 }),
    { clock: fastClock(50) },
  );
  const error = await fails(api.kube.get(POD), "KUBE_HTTP502");
  assert.equal(error.message, "Cannot get Pod default/web: bad gateway");
  assert.equal(api.requests.length, 5);
  await fails(api.kube.create(CONFIG), "KUBE_HTTP502");
  assert.equal(api.requests.length, 6);
});

cleanTest("refusals carry the server's reason, words and a hint", async () => {
  await using api = await startApiServer((request) =>
    request.method === "POST"
      ? statusResponse(409, "AlreadyExists", 'configmaps "a" already exists')
      : request.method === "PUT"
      ? statusResponse(409, "Conflict", "the object has been modified")
      : request.method === "PATCH"
      ? statusResponse(500, "InternalError", "failed to create typed patch object: .bogus")
      : undefined
  );
  const exists = await fails(api.kube.create(CONFIG), "KUBE_ALREADYEXISTS");
  assert.equal(exists.message, 'Cannot create ConfigMap default/a: configmaps "a" already exists');
  assert.equal(exists.exitCode, 1);
  assert.ok((await fails(api.kube.replace(CONFIG), "KUBE_CONFLICT")).hint);
  await fails(api.kube.apply(CONFIG), "KUBE_INVALID");
  assert.equal(await api.kube.get(POD), undefined);
  assert.equal(await api.kube.delete(POD), false);
});

cleanTest("refused and forbidden are preconditions", async () => {
  let code = 401;
  await using api = await startApiServer(() =>
    code === 401
      ? statusResponse(401, "Unauthorized", "Unauthorized")
      : statusResponse(403, "Forbidden", "pods is forbidden")
  );
  assert.equal((await fails(api.kube.get(POD), "KUBE_UNAUTHORIZED")).exitCode, 3);
  code = 403;
  assert.equal((await fails(api.kube.get(POD), "KUBE_FORBIDDEN")).exitCode, 3);
});

cleanTest("an answer that does not come, or stops coming, ends at the time limit", async () => {
  let silent: "all" | "body" = "all";
  const stop = new AbortController();
  await using api = await startApiServer((_request, url) => {
    if (url.pathname === "/api/v1") return undefined;
    if (silent === "all") {
      return new Promise((resolve) =>
        stop.signal.addEventListener("abort", () => resolve(new Response()))
      );
    }
    return new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode("{"));
          stop.signal.addEventListener("abort", () => controller.close());
        },
        cancel() {},
      }),
    );
  }, { timeoutMs: 150 });
  const error = await fails(api.kube.get(POD), "KUBE_TIMEOUT");
  assert.equal(error.exitCode, 4);
  assert.match(error.message, /no answer within 0\.15 s/);
  silent = "body";
  await fails(api.kube.get(POD), "KUBE_TIMEOUT");
  assert.equal(api.requests.length, 2);
  stop.abort();
});

cleanTest("nobody at the address is unreachable, exit code 3, after a few tries", async () => {
  const api = await startApiServer(() => undefined, { clock: fastClock(50) });
  const { kube, ctx } = api;
  // A second client of the same address outlives the server.
  const { connectKube } = await import("./client.ts");
  const left = await connectKube(ctx, { kubeconfig: `${ctx.home}.kubeconfig` });
  assert.ok(kube.server === left.server);
  await api[Symbol.asyncDispose]();
  const error = await fails(left.version(), "KUBE_UNREACHABLE");
  assert.equal(error.exitCode, 3);
  assert.match(error.message, /cannot be reached \(.*refused/i);
  assert.equal(api.talk.length, 0);
  left.close();
});

cleanTest("an answer that is no JSON says so", async () => {
  await using api = await startApiServer(() => new Response("<html>"));
  await fails(api.kube.version(), "KUBE_ANSWER");
  assert.equal(await api.kube.raw("/x"), "<html>");
});

cleanTest("interruption and close end calls at once", async () => {
  const stop = new AbortController();
  const release = Promise.withResolvers<Response>();
  await using api = await startApiServer(
    (_request, url) => url.pathname === "/version" ? release.promise : undefined,
    { signal: stop.signal },
  );
  const closing = fails(api.kube.version(), "KUBE_CLOSED");
  await new Promise((resolve) => setTimeout(resolve, 50));
  api.kube.close();
  await closing;
  await fails(api.kube.version(), "KUBE_CLOSED");
  stop.abort();
  assert.equal((await fails(api.kube.version(), "INTERRUPTED")).exitCode, 130);
  release.resolve(new Response());
});
