import assert from "node:assert/strict";
import { cleanTest, startApiServer, statusResponse } from "./testing.ts";
import { bodyParts } from "./body_parts.ts";
import { linesOf } from "./lines.ts";

const POD = { name: "web", namespace: "default" };

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  return await Array.fromAsync(lines);
}

Deno.test("lines are put together from parts, characters included", async () => {
  const bytes = new TextEncoder().encode("one\n\ntwö\r\nthree");
  for (const size of [1, 2, 3, 100]) {
    const parts = [];
    for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
    assert.deepEqual(await all(linesOf(ReadableStream.from(parts))), ["one", "", "twö\r", "three"]);
  }
  assert.deepEqual(await all(linesOf(ReadableStream.from([]))), []);
});

cleanTest("log options reach the server", async () => {
  await using api = await startApiServer(() => new Response("a\nb\n"));
  const options = {
    container: "main",
    previous: true,
    tailLines: 5,
    sinceSeconds: 60,
    timestamps: true,
  };
  assert.deepEqual(await all(api.kube.logs(POD, options)), ["a", "b"]);
  assert.deepEqual(api.requests, [
    "GET /api/v1/namespaces/default/pods/web/log?" +
    "container=main&previous=true&tailLines=5&sinceSeconds=60&timestamps=true",
  ]);
});

cleanTest("followed logs end with the signal, without an error", async () => {
  await using api = await startApiServer(() =>
    new Response(
      new ReadableStream({ start: (body) => body.enqueue(new TextEncoder().encode("a\nrest")) }),
    )
  );
  const stop = new AbortController();
  const lines: string[] = [];
  for await (const line of api.kube.logs(POD, { follow: true, signal: stop.signal })) {
    lines.push(line);
    setTimeout(() => stop.abort(), 20);
  }
  assert.deepEqual(lines, ["a"]);
});

cleanTest("a container that has not started is an error with the server's words", async () => {
  await using api = await startApiServer(() =>
    statusResponse(400, "BadRequest", 'container "main" is waiting to start: ContainerCreating')
  );
  await assert.rejects(all(api.kube.logs(POD)), {
    code: "KUBE_BADREQUEST",
    message: /read the log of Pod default\/web: container "main" is waiting to start/,
  });
});

cleanTest("an abort ends a silent body that only its reader still holds", async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(1)),
  });
  const stop = new AbortController();
  const parts = bodyParts(body, stop.signal);
  assert.equal((await parts.next()).done, false);
  setTimeout(() => stop.abort(new Error("enough")), 10);
  await assert.rejects(parts.next(), /enough/);
});
