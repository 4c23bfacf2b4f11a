import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { forwardPort } from "./port_forward.ts";
import {
  cleanTest,
  fastClock,
  startApiServer,
  statusResponse,
  type TestApiServer,
} from "./testing.ts";

const WEB = { name: "web", namespace: "default" };
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

/** The pod's side of a port-forward. */
interface PodSide {
  send(channel: number, data: Uint8Array): void;
  readonly socket: WebSocket;
}

interface PodServer extends TestApiServer {
  /** Ends when the client has closed the last connection. */
  idle(): Promise<void>;
}

/** An API server whose pods speak through `onData`; `pods` names those that are there. */
async function startPods(options: {
  readonly pods: Set<string>;
  readonly onOpen?: (pod: PodSide) => void;
  readonly onData?: (pod: PodSide, data: Uint8Array, name: string) => void;
}): Promise<PodServer> {
  const closed: Promise<void>[] = [];
  const api = await startApiServer((request, url) => {
    const name = /pods\/([^/]+)\/portforward$/.exec(url.pathname)?.[1];
    if (name === undefined) return undefined;
    if (!options.pods.has(name)) return statusResponse(404, "NotFound", `pods "${name}" not found`);
    const { socket, response } = upgrade(request);
    socket.binaryType = "arraybuffer";
    const pod: PodSide = {
      socket,
      send: (channel, data) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(new Uint8Array([channel, ...data]));
      },
    };
    socket.onopen = () => {
      const port = Number(url.searchParams.get("ports"));
      for (const channel of [0, 1]) pod.send(channel, new Uint8Array([port & 255, port >> 8]));
      options.onOpen?.(pod);
    };
    socket.onmessage = ({ data }) => {
      const message = new Uint8Array(data);
      assert.equal(message[0], 0);
      options.onData?.(pod, message.subarray(1), name);
    };
    closed.push(new Promise((resolve) => socket.onclose = () => resolve()));
    return response;
  });
  return {
    ...api,
    idle: async () => void await Promise.all(closed),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

// Deno takes a list of protocols apart at comma and blank only; ours has commas.
function upgrade(request: Request): Deno.WebSocketUpgrade {
  const headers = new Headers(request.headers);
  const protocols = headers.get("sec-websocket-protocol")!.split(",");
  headers.set("sec-websocket-protocol", protocols.join(", "));
  Object.defineProperty(request, "headers", { value: headers });
  return Deno.upgradeWebSocket(request, { protocol: "v4.channel.k8s.io" });
}

const echo = (pod: PodSide, data: Uint8Array) => pod.send(0, data);

async function ask(port: number, question: string): Promise<string> {
  const local = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    await local.write(bytes(question));
    const buffer = new Uint8Array(1000);
    const size = await local.read(buffer).catch(() => null);
    return text(buffer.subarray(0, size ?? 0));
  } finally {
    local.close();
  }
}

cleanTest("a connection carries bytes both ways and closes", async () => {
  await using api = await startPods({ pods: new Set(["web"]), onData: echo });
  const connection = await api.kube.connect(WEB, 8000);
  const writer = connection.writable.getWriter();
  const big = crypto.getRandomValues(new Uint8Array(50_000));
  const all = new Uint8Array(150_000);
  for (const at of [0, 50_000, 100_000]) all.set(big, at);
  const written = writer.write(all);
  let got = new Uint8Array(0);
  for await (const part of connection.readable) {
    got = new Uint8Array([...got, ...part]);
    if (got.length === all.length) break;
  }
  await written;
  assert.deepEqual(got, all);
  connection.close();
  connection.close();
  await assert.rejects(writer.write(new Uint8Array(1)));
  await api.idle();
  assert.deepEqual(api.requests, [
    "GET /api/v1/namespaces/default/pods/web/portforward?ports=8000",
  ]);
});

cleanTest("what the node reports is an error of the connection", async () => {
  await using api = await startPods({
    pods: new Set(["web"]),
    onOpen: (pod) => pod.send(1, bytes("dial tcp 127.0.0.1:8000: connection refused")),
  });
  const connection = await api.kube.connect(WEB, 8000);
  const error = await Array.fromAsync(connection.readable).catch((error) => error);
  assert.ok(error instanceof TaskError);
  assert.equal(error.code, "KUBE_PORT_FORWARD");
  assert.match(error.message, /port 8000 of Pod default\/web: dial tcp .* refused/);
  await assert.rejects(connection.writable.getWriter().write(new Uint8Array(1)));
  connection.close();
  await api.idle();
});

cleanTest("a pod that ends the connection ends the stream; bytes before that arrive", async () => {
  await using api = await startPods({
    pods: new Set(["web"]),
    onOpen: (pod) => {
      pod.send(0, bytes("last words"));
      pod.socket.close(1000);
    },
  });
  const connection = await api.kube.connect(WEB, 8000);
  const parts = await Array.fromAsync(connection.readable);
  assert.equal(parts.map(text).join(""), "last words");
  await api.idle();
});

cleanTest("a connection that is dropped is an error, not an end", async () => {
  await using api = await startPods({
    pods: new Set(["web"]),
    onOpen: (pod) => pod.socket.close(4001),
  });
  const connection = await api.kube.connect(WEB, 8000);
  await assert.rejects(Array.fromAsync(connection.readable), { code: "KUBE_UNREACHABLE" });
  await api.idle();
});

cleanTest("refusals of the server keep its words", async () => {
  await using api = await startPods({ pods: new Set() });
  await assert.rejects(api.kube.connect(WEB, 8000), {
    code: "KUBE_NOTFOUND",
    message: 'Cannot connect to port 8000 of Pod default/web: pods "web" not found',
  });
});

cleanTest("a fast pod is held back by a slow reader", async () => {
  const CHUNK = 64 * 1024;
  const CHUNKS = 400;
  let sent = 0;
  await using api = await startPods({
    pods: new Set(["web"]),
    onOpen: (pod) => {
      const chunk = new Uint8Array(CHUNK);
      const more = () => {
        while (sent < CHUNKS && pod.socket.bufferedAmount < 4 * CHUNK) {
          pod.send(0, chunk);
          sent++;
        }
        if (sent < CHUNKS && pod.socket.readyState === WebSocket.OPEN) setTimeout(more, 1);
      };
      more();
    },
  });
  const connection = await api.kube.connect(WEB, 8000);
  const reader = connection.readable.getReader();
  await reader.read();
  for (let before = -1; before !== sent;) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(sent < CHUNKS, "25 MB were taken in though nobody read them");
  let total = CHUNK;
  while (total < CHUNK * CHUNKS) total += (await reader.read()).value!.length;
  connection.close();
  await api.idle();
});

cleanTest("a local port leads to the pod, connection by connection", async () => {
  await using api = await startPods({ pods: new Set(["web"]), onData: echo });
  let picked = 0;
  const pod = () => {
    picked++;
    return Promise.resolve(WEB);
  };
  const forwarder = await forwardPort(api.ctx, api.kube, { pod, port: 8000 });
  assert.equal(forwarder.url, `http://127.0.0.1:${forwarder.port}`);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) => ask(forwarder.port, `hello ${n}`)),
  );
  assert.deepEqual(answers, Array.from({ length: 20 }, (_, n) => `hello ${n}`));
  assert.equal(picked, 1);
  await forwarder.close();
  await api.idle();
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: forwarder.port }));
});

cleanTest("when the pod is gone the next connection goes to another, at its own port", async () => {
  const pods = new Set(["one"]);
  await using api = await startPods({
    pods,
    onData: (pod, _data, name) => pod.send(0, bytes(name)),
  });
  let next = { name: "one", namespace: "default", port: 8000 };
  const forwarder = await forwardPort(api.ctx, api.kube, {
    pod: () => Promise.resolve(next),
    port: 1,
  });
  assert.equal(await ask(forwarder.port, "?"), "one");
  pods.clear();
  pods.add("two");
  next = { name: "two", namespace: "default", port: 9000 };
  assert.equal(await ask(forwarder.port, "?"), "two");
  assert.match(api.requests.at(-1)!, /two\/portforward\?ports=9000/);
  // None left: the connection is closed, and the forwarder lives on.
  pods.clear();
  assert.equal(await ask(forwarder.port, "?"), "");
  pods.add("two");
  assert.equal(await ask(forwarder.port, "?"), "two");
  await forwarder.close();
  await api.idle();
});

cleanTest("clients and pods that break off do no harm", async () => {
  let mode: "refuse" | "drop" | "flood" = "refuse";
  await using api = await startPods({
    pods: new Set(["web"]),
    onData: (pod) => {
      if (mode === "refuse") return pod.send(1, bytes("connection refused"));
      if (mode === "drop") return pod.socket.close(4001);
      const flood = () => {
        pod.send(0, new Uint8Array(10_000));
        if (pod.socket.readyState === WebSocket.OPEN) setTimeout(flood, 1);
      };
      flood();
    },
  });
  const forwarder = await forwardPort(api.ctx, api.kube, {
    pod: () => Promise.resolve(WEB),
    port: 8000,
  });
  assert.equal(await ask(forwarder.port, "?"), "");
  mode = "drop";
  assert.equal(await ask(forwarder.port, "?"), "");
  mode = "flood";
  assert.ok((await ask(forwarder.port, "?")).length > 0);
  // The client has left; the pod's connection must follow before the forwarder is closed.
  await api.idle();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await forwarder.close();
});

cleanTest("a client that closes while an answer is due is let go after a minute", async () => {
  await using api = await startPods({ pods: new Set(["web"]) });
  const forwarder = await forwardPort({ ...api.ctx, clock: fastClock(100) }, api.kube, {
    pod: () => Promise.resolve(WEB),
    port: 8000,
  });
  const local = await Deno.connect({ hostname: "127.0.0.1", port: forwarder.port });
  await local.write(bytes("?"));
  local.close();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const started = performance.now();
  await api.idle();
  assert.ok(performance.now() - started < 3000);
  await forwarder.close();
});

cleanTest("close does not wait for the pod of a client that has gone", async () => {
  const asked = Promise.withResolvers<void>();
  await using api = await startPods({ pods: new Set(["web"]), onData: () => asked.resolve() });
  const forward = await forwardPort(api.ctx, api.kube, {
    pod: () => Promise.resolve(WEB),
    port: 8000,
  });
  const local = await Deno.connect({ hostname: "127.0.0.1", port: forward.port });
  await local.write(bytes("a question"));
  await asked.promise;
  local.close();
  // Its end has to be seen first.
  await api.ctx.clock.sleep(100);
  const start = performance.now();
  await forward.close();
  assert.ok(performance.now() - start < 5_000);
  await api.idle();
});

cleanTest("close and interruption end open connections", async () => {
  await using api = await startPods({ pods: new Set(["web"]), onData: echo });
  const interrupt = new AbortController();
  const pod = () => Promise.resolve(WEB);
  for (const how of ["close", "interrupt"]) {
    const ctx = { ...api.ctx, signal: interrupt.signal };
    const forwarder = await forwardPort(ctx, api.kube, { pod, port: 8000 });
    const local = await Deno.connect({ hostname: "127.0.0.1", port: forwarder.port });
    await local.write(bytes("hi"));
    assert.equal(await local.read(new Uint8Array(2)), 2);
    if (how === "interrupt") interrupt.abort();
    await forwarder.close();
    assert.equal(await local.read(new Uint8Array(2)).catch(() => null), null);
    local.close();
  }
  await api.idle();
});

cleanTest("a taken port is a precondition, and so is having no pod at the start", async () => {
  await using api = await startPods({ pods: new Set(["web"]) });
  const pod = () => Promise.resolve(WEB);
  const holder = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const localPort = holder.addr.port;
  await assert.rejects(forwardPort(api.ctx, api.kube, { pod, port: 8000, localPort }), {
    code: "PORT_TAKEN",
    exitCode: 3,
    message: `Port ${localPort} of 127.0.0.1 is taken`,
    hint: /Another port-forward or a local server may hold it/,
  });
  holder.close();
  const none = () => Promise.reject(new Error("no pod is ready"));
  await assert.rejects(
    forwardPort(api.ctx, api.kube, { pod: none, port: 8000 }),
    /no pod is ready/,
  );
});
