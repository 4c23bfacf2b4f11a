import assert from "node:assert/strict";
import { cleanTest, fastClock, podList, startApiServer, statusResponse } from "./testing.ts";
import type { Kube, WatchEvent } from "./types.ts";

const POD = { apiVersion: "v1", kind: "Pod" };

/** Collects `SYNC a,b` and `ADDED c` until `enough` says so, then stops the watch. */
async function collect(
  kube: Kube,
  enough: (lines: readonly string[]) => boolean,
  kind: { apiVersion: string; kind: string } = POD,
): Promise<{ lines: string[]; retries: string[] }> {
  const stop = new AbortController();
  const lines: string[] = [];
  const retries: string[] = [];
  const onRetry = (reason: string) => retries.push(reason);
  for await (const event of kube.watch(kind, { signal: stop.signal, onRetry })) {
    lines.push(lineOf(event));
    if (enough(lines)) stop.abort();
  }
  return { lines, retries };
}

function lineOf(event: WatchEvent): string {
  return event.type === "SYNC"
    ? `SYNC ${event.items.map((item) => item.metadata.name)}`
    : `${event.type} ${event.object.metadata.name}`;
}

function change(type: string, name: string, resourceVersion: string): string {
  const metadata = { name, namespace: "default", resourceVersion };
  return JSON.stringify({ type, object: { ...POD, metadata } }) + "\n";
}

/** A watch's answer of these parts; it stays open unless `end` is given. */
function changes(parts: readonly string[], end?: "close" | "break"): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      if (end !== undefined) controller.close();
    },
  });
  return new Response(body, end === "break" ? { headers: { "content-length": "9999" } } : {});
}

const isWatch = (url: URL) => url.searchParams.has("watch");

cleanTest("a watch lists first, then tells changes, and ends when it is told to", async () => {
  await using api = await startApiServer((_request, url) => {
    if (url.pathname !== "/api/v1/pods") return undefined;
    if (!isWatch(url)) return podList(["a"], "10");
    const b = change("ADDED", "b", "11");
    return changes([
      b.slice(0, 9),
      b.slice(9) + change("MODIFIED", "a", "12"),
      change("DELETED", "a", "13"),
    ]);
  });
  const { lines, retries } = await collect(api.kube, (lines) => lines.length === 4);
  assert.deepEqual(lines, ["SYNC a", "ADDED b", "MODIFIED a", "DELETED a"]);
  assert.deepEqual(retries, []);
  assert.match(
    api.requests[1]!,
    /watch=true&allowWatchBookmarks=true&resourceVersion=10&timeoutSeconds=\d{3}$/,
  );
});

cleanTest("leaving the loop ends the watch too", async () => {
  await using api = await startApiServer((_request, url) =>
    url.pathname === "/api/v1/pods"
      ? isWatch(url) ? changes([change("ADDED", "b", "11")]) : podList([], "1")
      : undefined
  );
  for await (const event of api.kube.watch(POD, { signal: new AbortController().signal })) {
    if (event.type === "ADDED") break;
  }
});

cleanTest(
  "a watch that the server ends goes on from the last version, bookmarks included",
  async () => {
    let watches = 0;
    await using api = await startApiServer((_request, url) => {
      if (url.pathname !== "/api/v1/pods") return undefined;
      if (!isWatch(url)) return podList(["a"], "10");
      watches++;
      return watches === 1
        ? changes([change("ADDED", "b", "11"), change("BOOKMARK", "", "20")], "close")
        : changes([change("ADDED", "c", "21")]);
    }, { clock: fastClock(20) });
    const { lines } = await collect(api.kube, (lines) => lines.includes("ADDED c"));
    assert.deepEqual(lines, ["SYNC a", "ADDED b", "ADDED c"]);
    assert.match(api.requests[2]!, /resourceVersion=20&/);
  },
);

cleanTest(
  "an expired version starts over, whether told in the stream or by the status",
  async () => {
    let watches = 0;
    let lists = 0;
    await using api = await startApiServer((_request, url) => {
      if (url.pathname !== "/api/v1/pods") return undefined;
      if (!isWatch(url)) return podList([`list${++lists}`], "10");
      watches++;
      if (watches === 1) {
        const object = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
        return changes([JSON.stringify({ type: "ERROR", object }) + "\n"]);
      }
      if (watches === 2) return statusResponse(410, "Expired", "too old resource version");
      return changes([change("ADDED", "b", "11")]);
    }, { clock: fastClock(20) });
    const { lines, retries } = await collect(api.kube, (lines) => lines.includes("ADDED b"));
    assert.deepEqual(lines, ["SYNC list1", "SYNC list2", "SYNC list3", "ADDED b"]);
    assert.equal(retries.length, 2);
    assert.match(retries[0]!, /too old/);
  },
);

cleanTest("a dropped connection, a server error and rubbish start over", async () => {
  let watches = 0;
  await using api = await startApiServer((_request, url) => {
    if (url.pathname !== "/api/v1/pods") return undefined;
    if (!isWatch(url)) return podList(["a"], "10");
    watches++;
    if (watches === 1) return changes([change("ADDED", "b", "11")], "break");
    if (watches === 2) return statusResponse(500, "InternalError", "etcd is away");
    if (watches === 3) return changes(["rubbish\n"]);
    return changes([change("ADDED", "c", "12")]);
  }, { clock: fastClock(50) });
  const { lines, retries } = await collect(api.kube, (lines) => lines.includes("ADDED c"));
  assert.deepEqual(lines, ["SYNC a", "ADDED b", "SYNC a", "SYNC a", "SYNC a", "ADDED c"]);
  assert.equal(retries.length, 3);
});

cleanTest(
  "silence is taken for a dead connection, and the watch goes on where it was",
  async () => {
    let watches = 0;
    await using api = await startApiServer((_request, url) => {
      if (url.pathname !== "/api/v1/pods") return undefined;
      if (!isWatch(url)) return podList(["a"], "10");
      watches++;
      return changes(watches === 1 ? [change("ADDED", "b", "11")] : [change("ADDED", "c", "12")]);
    }, { clock: fastClock(1000) });
    const { lines } = await collect(api.kube, (lines) => lines.includes("ADDED c"));
    assert.deepEqual(lines, ["SYNC a", "ADDED b", "ADDED c"]);
    assert.match(api.requests[2]!, /resourceVersion=11&/);
  },
);

cleanTest("a kind that is not served yet is empty until it is", async () => {
  const kind = { apiVersion: "example.com/v1", kind: "Graph" };
  let looks = 0;
  await using api = await startApiServer((_request, url) => {
    if (url.pathname === "/apis/example.com/v1") {
      return ++looks < 4
        ? undefined
        : Response.json({ resources: [{ name: "graphs", kind: "Graph", namespaced: true }] });
    }
    if (url.pathname !== "/apis/example.com/v1/graphs") return undefined;
    return isWatch(url) ? changes([]) : podList(["g"], "1");
  }, { clock: fastClock(50) });
  const { lines } = await collect(api.kube, (lines) => lines.length === 2, kind);
  assert.deepEqual(lines, ["SYNC ", "SYNC g"]);
});

cleanTest("a server that has just started may refuse a watch that had worked", async () => {
  let lists = 0;
  await using api = await startApiServer((_request, url) => {
    if (url.pathname !== "/api/v1/pods") return undefined;
    if (isWatch(url)) return lists === 1 ? changes([], "break") : changes([]);
    lists++;
    return lists === 2 ? statusResponse(403, "Forbidden", "no rights yet") : podList(["a"], "10");
  }, { clock: fastClock(10) });
  const { lines, retries } = await collect(api.kube, (lines) => lines.length === 2);
  assert.deepEqual(lines, ["SYNC a", "SYNC a"]);
  assert.ok(retries.some((reason) => /no rights yet/.test(reason)), retries.join());
});

cleanTest("a watch that is forbidden is an error", async () => {
  await using api = await startApiServer((_request, url) =>
    url.pathname === "/api/v1/pods"
      ? statusResponse(403, "Forbidden", "no pods for you")
      : undefined
  );
  await assert.rejects(collect(api.kube, () => false), { code: "KUBE_FORBIDDEN", exitCode: 3 });
});

cleanTest("a server that is away is asked again until the watch is stopped", async () => {
  let away = true;
  await using api = await startApiServer((_request, url) => {
    if (url.pathname !== "/api/v1/pods") return undefined;
    if (away) return new Response(null, { status: 503 });
    return isWatch(url) ? changes([]) : podList(["a"], "10");
  }, { clock: fastClock(100) });
  const stop = new AbortController();
  const retries: string[] = [];
  const lines: string[] = [];
  const onRetry = (reason: string) => {
    retries.push(reason);
    if (retries.length === 3) away = false;
  };
  for await (const event of api.kube.watch(POD, { signal: stop.signal, onRetry })) {
    lines.push(lineOf(event));
    stop.abort();
  }
  assert.deepEqual(lines, ["SYNC a"]);
  assert.equal(retries.length, 3);
});

cleanTest(
  "an interrupted task is an error, a stopped watch and a closed client are not",
  async () => {
    const interrupt = new AbortController();
    await using api = await startApiServer(
      (_request, url) =>
        url.pathname === "/api/v1/pods"
          ? isWatch(url) ? changes([]) : podList(["a"], "1")
          : undefined,
      { signal: interrupt.signal },
    );
    const stop = AbortSignal.any([interrupt.signal]);
    const lines: string[] = [];
    for await (const event of api.kube.watch(POD, { signal: AbortSignal.abort() })) {
      lines.push(lineOf(event));
    }
    assert.deepEqual(lines, []);
    const never = new AbortController().signal;
    const interrupted = (async () => {
      for await (const _ of api.kube.watch(POD, { signal: never })) {
        setTimeout(() => interrupt.abort(), 20);
      }
    })();
    await assert.rejects(interrupted, { code: "INTERRUPTED" });
    assert.ok(stop.aborted);
  },
);

cleanTest("closing the client ends its watches", async () => {
  await using api = await startApiServer((_request, url) =>
    url.pathname === "/api/v1/pods" ? isWatch(url) ? changes([]) : podList(["a"], "1") : undefined
  );
  for await (const _ of api.kube.watch(POD, { signal: new AbortController().signal })) {
    setTimeout(() => api.kube.close(), 20);
  }
});
