import assert from "node:assert/strict";
import { testContext } from "../../cli/testing.ts";
import type { Context } from "../../cli/context.ts";
import { localLayout } from "../layout.ts";
import { startProcess } from "./container_process.ts";
import {
  ensureNetwork,
  type Network,
  publicNetwork,
  publicNetworkReason,
  readRelay,
} from "./network.ts";
import { stopAllContainers } from "./stop_all.ts";
import { testPython } from "./testing.ts";

// An echo server that ends its answer when the caller has ended his question.
const ECHO = `
import socket, sys, threading
def serve(c):
    while (data := c.recv(65536)): c.sendall(data)
    c.shutdown(socket.SHUT_WR); c.close()
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
`;

async function withNetwork(
  body: (ctx: Context, network: Network, serve: (port: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  await using test = await testContext();
  const { ctx } = test;
  const python = await testPython(ctx);
  if (python === undefined) return;
  const layout = localLayout(ctx);
  await ctx.fs.mkdir(layout.run, { recursive: true, mode: 0o700 });
  const scripts = `${ctx.root}/lib/local/agent/python`;
  const network = await ensureNetwork(ctx, layout, { python, scripts });
  try {
    if (network.publicReason !== undefined) {
      assert.equal(await publicNetworkReason(ctx, layout), network.publicReason);
      // deno-lint-ignore no-console -- a test that cannot run says so
      return console.log(`SKIPPED: no private network here: ${network.publicReason}`);
    }
    await body(ctx, network, async (port) => {
      await startProcess(ctx, {
        folder: `${layout.run}/pods/uid/echo`,
        logs: `${ctx.home}/logs`,
        command: {
          kind: "process",
          program: python,
          args: ["-c", ECHO, String(port)],
          env: {},
          privateNetwork: true,
          waitFor: [],
          warnings: [],
        },
        python,
        scripts,
        network,
        restartCount: 0,
      });
      while (!await network.listens(port)) await ctx.clock.sleep(20);
    });
  } finally {
    network.close();
    await stopAllContainers(ctx, layout);
    assert.equal(await readRelay(ctx, layout), undefined);
  }
}

async function echo(port: number, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const sending = (async () => {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
    await connection.closeWrite();
  })();
  const answer = new Uint8Array(await new Response(connection.readable).arrayBuffer());
  await sending;
  return answer;
}

Deno.test("a port is the same inside and outside, and carries bytes both ways", () =>
  withNetwork(async (_, network, serve) => {
    const port = await network.open();
    assert.equal(await network.listens(port), false);
    await serve(port);
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    const large = new Uint8Array(3_000_000).map((_, i) => bytes[i % bytes.length]!);
    assert.deepEqual(await echo(port, large), large);
    const many = await Promise.all(
      Array.from({ length: 50 }, (_, i) => echo(port, bytes.slice(0, i * 100))),
    );
    many.forEach((answer, i) => assert.deepEqual(answer, bytes.slice(0, i * 100)));
    await network.release(port);
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }));
  }));

Deno.test("nothing of it is seen outside but the ports that were opened", () =>
  withNetwork(async (_, network, serve) => {
    const port = await network.open();
    await network.release(port);
    await serve(port);
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }));
    assert.equal(await network.open(port), port);
    assert.deepEqual(await echo(port, new Uint8Array([1, 2])), new Uint8Array([1, 2]));
    // Opened twice is opened once.
    assert.equal(await network.open(port), port);
  }));

Deno.test("a caller is turned away while nothing listens inside", () =>
  withNetwork(async (_, network) => {
    const port = await network.open();
    // kwok hands a reset on; of a mere end it does not tell.
    await assert.rejects(async () => {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.read(new Uint8Array(1));
    }, Deno.errors.ConnectionReset);
  }));

Deno.test("a taken port is given another number", () =>
  withNetwork(async (_, network) => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    assert.notEqual(await network.open(port), port);
  }));

Deno.test("the relay is found again, and refuses strangers", () =>
  withNetwork(async (ctx, network) => {
    const python = await testPython(ctx);
    const layout = localLayout(ctx);
    const again = await ensureNetwork(ctx, layout, { python: python!, scripts: "/nowhere" });
    assert.equal(again.id, network.id);
    again.close();
    const { control } = (await readRelay(ctx, layout))!;
    const stranger = await Deno.connect({ hostname: "127.0.0.1", port: control });
    await stranger.write(new TextEncoder().encode('{"op":"open","token":"guess"}\n'));
    assert.equal(await stranger.read(new Uint8Array(10)), null);
    stranger.close();
    assert.ok(await network.open() > 0);
  }));

Deno.test("without a private network ports are free ones of the machine", async () => {
  await using test = await testContext();
  const network = publicNetwork(test.ctx, "not allowed");
  const ports = new Set<number>();
  for (let i = 0; i < 20; i++) ports.add(await network.open());
  assert.equal(ports.size, 20);
  const [port = 0] = ports;
  assert.equal(await network.listens(port), false);
  using listener = Deno.listen({ hostname: "127.0.0.1", port });
  assert.equal(await network.listens((listener.addr as Deno.NetAddr).port), true);
  // An adopted process already listens on its port: that is no reason to take another.
  assert.equal(await network.open(port), port);
});
