import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { TaskError } from "../../cli/errors.ts";
import { testContext } from "../../cli/testing.ts";
import { areReachable, downloadAll } from "./download.ts";
import type { PinnedDownload } from "./pinned.ts";

const BYTES = new Uint8Array(200_000).map((_, index) => index * 31 % 251);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function pinned(port: number, file: string, bytes = BYTES): PinnedDownload {
  return {
    file,
    url: `http://127.0.0.1:${port}/${file}`,
    hash: { algorithm: "SHA-256", hex: sha256(bytes) },
    program: "kwok",
  };
}

async function withServer(
  handler: (request: Request) => Response | Promise<Response>,
  body: (port: number) => Promise<void>,
): Promise<void> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  await body(server.addr.port);
}

Deno.test("files are saved, and progress goes up to the sum of their lengths", async () => {
  await using made = await testContext();
  await Deno.mkdir(made.ctx.home, { recursive: true });
  const serve = () => new Response(BYTES, { headers: { "content-length": String(BYTES.length) } });
  await withServer(serve, async (port) => {
    const seen: [number, number | undefined][] = [];
    await downloadAll(
      made.ctx,
      [pinned(port, "a"), pinned(port, "b")],
      made.ctx.home,
      (done, total) => seen.push([done, total]),
    );
    assert.deepEqual(seen.at(-1), [400_000, 400_000]);
    for (const name of ["a", "b"]) {
      assert.deepEqual(await Deno.readFile(`${made.ctx.home}/${name}`), BYTES);
    }
  });
});

Deno.test("a file with another hash is refused and does not stay", async () => {
  await using made = await testContext();
  await Deno.mkdir(made.ctx.home, { recursive: true });
  await withServer(() => new Response(BYTES.slice(1)), async (port) => {
    const wanted = [pinned(port, "a")];
    await assert.rejects(
      downloadAll(made.ctx, wanted, made.ctx.home, () => {}),
      (error: TaskError) => {
        assert.equal(error.code, "DOWNLOAD_CHANGED");
        assert.match(
          error.message,
          /is not the published file: its SHA-256 is [0-9a-f]{16}…, expected/,
        );
        return true;
      },
    );
    await assert.rejects(Deno.stat(`${made.ctx.home}/a`), Deno.errors.NotFound);
  });
});

Deno.test("nothing is transferred when one of the servers is out of reach", async () => {
  await using made = await testContext();
  let bodies = 0;
  const serve = () => {
    const body = new ReadableStream({
      pull: (controller) => {
        bodies += 1;
        controller.enqueue(BYTES);
        if (bodies > 20) controller.close();
      },
    }, { highWaterMark: 0 });
    return new Response(body);
  };
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dead = closed.addr.port;
  closed.close();
  await withServer(serve, async (port) => {
    const wanted = [pinned(port, "a"), pinned(dead, "b")];
    assert.equal(await areReachable(made.ctx, wanted), false);
    await assert.rejects(
      downloadAll(made.ctx, wanted, made.ctx.home, () => {}),
      (error: TaskError) => {
        assert.equal(error.code, "DOWNLOAD_UNREACHABLE");
        assert.match(error.message, new RegExp(`^127.0.0.1:${dead} is out of reach`));
        return true;
      },
    );
  });
});

Deno.test("an error page counts as out of reach", async () => {
  await using made = await testContext();
  await withServer(() => new Response("sign in first", { status: 403 }), async (port) => {
    await assert.rejects(
      downloadAll(made.ctx, [pinned(port, "a")], made.ctx.home, () => {}),
      /out of reach \(answered 403\)/,
    );
  });
});

Deno.test("a server that does not answer is given up after three seconds", async () => {
  await using made = await testContext();
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const start = performance.now();
  await assert.rejects(
    downloadAll(made.ctx, [pinned(silent.addr.port, "a")], made.ctx.home, () => {}),
    /no answer within 3 s/,
  );
  const took = performance.now() - start;
  assert.ok(took > 2_900 && took < 4_500, `${took} ms`);
});

Deno.test("an interruption ends a download with its own reason", async () => {
  const stop = new AbortController();
  await using made = await testContext({ signal: stop.signal });
  await Deno.mkdir(made.ctx.home, { recursive: true });
  const serve = () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(BYTES),
      }),
    );
  await withServer(serve, async (port) => {
    const running = downloadAll(
      made.ctx,
      [pinned(port, "a")],
      made.ctx.home,
      () => stop.abort(new Error("Ctrl-C")),
    );
    await assert.rejects(running, /Ctrl-C/);
  });
});
