import assert from "node:assert/strict";
import { forwardPort } from "./port_forward.ts";
import { cleanTest, fastClock } from "./testing.ts";
import { startSpdyPods, type TestPod } from "./testing_spdy.ts";

const WEB = { name: "web", namespace: "default" };
const web = () => Promise.resolve(WEB);
const bytes = (text: string) => new TextEncoder().encode(text);
const echo = (pod: TestPod, data: Uint8Array) => pod.send(data);
const PATH = "POST /api/v1/namespaces/default/pods/web/portforward";
// 10000 take a minute or two.
const CONNECTIONS = Deno.env.get("DYNAMO_TEST_CONNECTIONS") ?? "300";

const local = (port: number) => Deno.connect({ hostname: "127.0.0.1", port });

async function readAll(connection: Deno.Conn, length = Infinity): Promise<Uint8Array> {
  const parts: number[] = [];
  const buffer = new Uint8Array(64 * 1024);
  while (parts.length < length) {
    const size = await connection.read(buffer).catch(() => null);
    if (size === null) break;
    for (const byte of buffer.subarray(0, size)) parts.push(byte);
  }
  return new Uint8Array(parts);
}

async function ask(port: number, question: string): Promise<string> {
  using connection = await local(port);
  await connection.write(bytes(question));
  return new TextDecoder().decode(await readAll(connection, question.length));
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < end, "waited 10 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

cleanTest("bytes arrive as they were sent, in chunks of any size, both ways at once", async () => {
  await using pods = await startSpdyPods({ pods: new Set(["web"]), onData: echo });
  await using forwarder = closing(await forwardPort(pods.ctx, pods.kube, { pod: web, port: 80 }));
  await Promise.all(Array.from({ length: 4 }, async () => {
    using connection = await local(forwarder.port);
    const sent = crypto.getRandomValues(new Uint8Array(60_000));
    const all = new Uint8Array(20 * sent.length).map((_, i) => sent[i % sent.length]! ^ (i >> 16));
    const writing = (async () => {
      for (let at = 0; at < all.length;) {
        const most = 10 ** (1 + 4.3 * Math.random());
        at += await connection.write(all.subarray(at, at + Math.ceil(most)));
      }
    })();
    assert.deepEqual(await readAll(connection, all.length), all);
    await writing;
  }));
  assert.ok(pods.requests.every((line) => line === PATH));
});

cleanTest(`${CONNECTIONS} connections share a few sessions and leave nothing`, async () => {
  await using pods = await startSpdyPods({ pods: new Set(["web"]), onData: echo });
  await using forwarder = closing(await forwardPort(pods.ctx, pods.kube, { pod: web, port: 80 }));
  const wanted = Number(CONNECTIONS);
  let made = 0;
  await Promise.all(Array.from({ length: 20 }, async () => {
    while (made < wanted) {
      const question = `connection ${made++}`;
      assert.equal(await ask(forwarder.port, question), question);
    }
  }));
  assert.ok(pods.open <= 32, `${pods.open} sessions`);
  assert.equal(pods.requests.length, pods.open);
});

cleanTest("a connection that does not take what comes does not stop the others", async () => {
  const chunk = new Uint8Array(64 * 1024);
  let sent = 0;
  await using pods = await startSpdyPods({
    pods: new Set(["web"]),
    onOpen: (pod) => {
      if (pod.port !== 1) return;
      const more = (): Promise<void> =>
        pod.send(chunk).then(() => {
          sent += chunk.length;
          return more();
        });
      more().catch(() => {});
    },
    onData: echo,
  });
  const stuck = await pods.kube.connect(WEB, 1);
  const beside = await pods.kube.connect(WEB, 2);
  assert.notEqual(await stuck.read(), null);
  await beside.write(bytes("shared"));
  assert.deepEqual(await beside.read(), bytes("shared"));
  for (let before = -1; before !== sent;) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(sent < 64 * 1024 * 1024, "it is held back");
  const other = await pods.kube.connect(WEB, 2);
  await other.write(bytes("free"));
  assert.deepEqual(await other.read(), bytes("free"));
  for (const connection of [stuck, beside, other]) connection.close();
});

cleanTest(
  "a port nobody listens on fails at once, in words, and another pod is tried",
  async () => {
    const there = new Set(["web", "other"]);
    await using pods = await startSpdyPods({
      pods: there,
      onOpen: (pod) => {
        if (pod.name === "other") return;
        pod.end(JSON.stringify({
          closeConnection: true,
          message: "error forwarding port 80 to pod web_default, uid 1-2: failed to connect to " +
            "localhost:80 inside namespace: dial tcp4 127.0.0.1:80: connect: connection refused",
        }));
      },
      onData: echo,
    });
    const connection = await pods.kube.connect(WEB, 80);
    await assert.rejects(connection.read(), {
      code: "KUBE_PORT_FORWARD",
      message: "Cannot connect to port 80 of Pod default/web: failed to connect to localhost:80 " +
        "inside namespace: dial tcp4 127.0.0.1:80: connect: connection refused",
      hint: "Does the pod listen on that port, and is it running?",
    });
    let next = WEB;
    const pod = () => Promise.resolve(next);
    await using forwarder = closing(await forwardPort(pods.ctx, pods.kube, { pod, port: 80 }));
    const begun = performance.now();
    assert.equal(await ask(forwarder.port, "anybody?"), "");
    assert.ok(performance.now() - begun < 1_000);
    assert.match(pods.talk.join("\n"), /! Port-forward: .*port 80 of .*connection refused\. Does/);
    next = { ...WEB, name: "other" };
    assert.equal(await ask(forwarder.port, "anybody?"), "anybody?", "said again to the other pod");
  },
);

cleanTest("a report after the last bytes is no clean end", async () => {
  await using pods = await startSpdyPods({
    pods: new Set(["web"]),
    onOpen: (pod) => {
      pod.send(bytes("half")).then(() => pod.end(pod.port === 1 ? undefined : "it broke"));
    },
  });
  const well = await pods.kube.connect(WEB, 1);
  assert.deepEqual(await well.read(), bytes("half"));
  assert.equal(await well.read(), null);
  const broken = await pods.kube.connect(WEB, 2);
  assert.deepEqual(await broken.read(), bytes("half"));
  await assert.rejects(broken.read(), /port 2 of Pod default\/web: it broke/);
});

cleanTest("a client that has sent all still gets a late answer", async () => {
  await using pods = await startSpdyPods({
    pods: new Set(["web"]),
    onData: async (pod) => {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await pod.send(bytes("late"));
      pod.end();
    },
  });
  await using forwarder = closing(await forwardPort(pods.ctx, pods.kube, { pod: web, port: 80 }));
  using connection = await local(forwarder.port);
  await connection.write(bytes("question"));
  await connection.closeWrite();
  assert.deepEqual(await readAll(connection), bytes("late"));
});

cleanTest("a client that is gone ends the pod's connection", async () => {
  const reset = new Set<TestPod>();
  const talking: Promise<void>[] = [];
  const talk = async (pod: TestPod, data: Uint8Array) => {
    while (!reset.has(pod)) await pod.send(data).then(() => later(5));
  };
  await using pods = await startSpdyPods({
    pods: new Set(["web"]),
    onData: async (pod, data) => {
      await pod.send(data);
      if (pod.port !== 1) return;
      talking.push(talk(pod, data));
    },
    onReset: (pod) => reset.add(pod),
  });
  for (const port of [1, 2]) {
    const ctx = { ...pods.ctx, clock: fastClock(10) };
    await using forwarder = closing(await forwardPort(ctx, pods.kube, { pod: web, port }));
    await ask(forwarder.port, "bye");
    await until(() => reset.size === port);
  }
  await Promise.all(talking);
});

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

cleanTest("a server that goes away ends connections, and the next one waits for it", async () => {
  let away = false;
  await using pods = await startSpdyPods({
    pods: new Set(["web"]),
    onData: echo,
    refuse: () => away ? 503 : undefined,
  });
  await using forwarder = closing(await forwardPort(pods.ctx, pods.kube, { pod: web, port: 80 }));
  using connection = await local(forwarder.port);
  await connection.write(bytes("?"));
  assert.deepEqual(await readAll(connection, 1), bytes("?"));
  away = true;
  pods.drop();
  assert.equal((await readAll(connection)).length, 0);
  const asked = ask(forwarder.port, "again");
  setTimeout(() => away = false, 500);
  assert.equal(await asked, "again");
  assert.match(pods.talk.join("\n"), /! Port-forward: .*closed the connection \(it ended\)/);
});

cleanTest("what was refused is tried over a WebSocket; what is missing is said", async () => {
  let status = 403;
  await using pods = await startSpdyPods({
    pods: new Set(["web"]),
    refuse: () => status,
  });
  await assert.rejects(pods.kube.connect(WEB, 80), { code: "KUBE_FORBIDDEN" });
  assert.equal(pods.requests[0], PATH);
  assert.match(pods.requests[1]!, /^GET .*\/portforward\?ports=80$/);
  status = 404;
  await assert.rejects(pods.kube.connect(WEB, 80), {
    code: "KUBE_NOTFOUND",
    message: 'Cannot connect to Pod default/web: pods "web" not found',
  });
});

function closing<T extends { close(): Promise<void> }>(one: T): T & AsyncDisposable {
  return { ...one, [Symbol.asyncDispose]: () => one.close() };
}
