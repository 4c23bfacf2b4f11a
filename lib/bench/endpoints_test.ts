/**
 * Endpoints that cannot be measured as they are: what is said about them, and that no secret is.
 *
 * @module
 */
import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { selfSignedCertificate } from "../local/operator/convert/certificate.ts";
import { runBench } from "./bench.ts";
import { benchOptions } from "./flags.ts";
import { parseHeaders } from "./headers.ts";
import { serveMock } from "./mock_server.ts";
import type { BenchOptions } from "./options.ts";
import { close } from "./transport.ts";

const RUN = { concurrency: 4, requests: 40, outputTokens: 4, warmup: 0 };

/** A server that hands each connection to `serve`; `await using` stops it. */
function listen(
  listener: Deno.Listener<Deno.TcpConn | Deno.TlsConn>,
  serve: (connection: Deno.Conn) => Promise<void>,
) {
  const open = new Set<Deno.Conn>();
  const accepting = (async () => {
    for (;;) {
      let connection: Deno.Conn;
      try {
        connection = await listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        if (error instanceof Deno.errors.Interrupted) return;
        continue;
      }
      open.add(connection);
      serve(connection).catch(() => {}).finally(() => close(connection));
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) close(connection);
      await accepting;
    },
  };
}

/** Answers each request with these bytes, and remembers the requests. */
function fixed(answer: (request: string) => string) {
  const seen: string[] = [];
  const server = listen(
    Deno.listen({ hostname: "127.0.0.1", port: 0 }) as Deno.TcpListener,
    async (connection) => {
      const buffer = new Uint8Array(64 * 1024);
      for (;;) {
        const length = await connection.read(buffer);
        if (length === null) return;
        const request = new TextDecoder().decode(buffer.subarray(0, length));
        seen.push(request);
        let bytes = new TextEncoder().encode(answer(request));
        while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
      }
    },
  );
  return { ...server, seen, url: `http://127.0.0.1:${server.port}` };
}

function response(status: string, body: string, headers = ""): string {
  return `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}

const MODELS = response("200 OK", '{"data":[{"id":"m"}]}', "Content-Type: application/json\r\n");

async function failure(options: BenchOptions): Promise<TaskError> {
  await using test = await testContext();
  try {
    await runBench(test.ctx, { ...RUN, ...options });
  } catch (error) {
    assert.ok(error instanceof TaskError, String(error));
    return error;
  }
  assert.fail("it was measured");
}

const STREAM = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" +
  "Transfer-Encoding: chunked\r\n\r\n";

const BAD: [string, (request: string) => string, RegExp][] = [
  [
    "a redirect of the models",
    () => response("301 Moved", "", "Location: https://x.example/v1/models\r\n"),
    /redirected \(301\) to https:\/\/x\.example.*Measure that URL itself/,
  ],
  [
    "a redirect of the requests",
    (request) => request.startsWith("GET") ? MODELS : response("308 Moved", "", "Location: /b\r\n"),
    /first request .*\(308\): redirect to \/b Measure that URL itself/,
  ],
  ["no key", () => response("401 Unauthorized", '{"error":"who"}'), /401: who .*OPENAI_API_KEY/],
  ["something that is not HTTP", () => "SSH-2.0-x\r\n", /the answer is not HTTP: SSH-2\.0/],
  [
    "a web page",
    () => response("200 OK", "<html>"),
    /something else than a list of models: <html>/,
  ],
  ["no list of models", () => response("404 Not Found", ""), /no list of models.*--model NAME/],
  [
    "an answer that is not a stream",
    (request) => request.startsWith("GET") ? MODELS : MODELS,
    /\(not_sse\): .*application\/json --no-stream/,
  ],
  [
    "broken chunks",
    (request) => request.startsWith("GET") ? MODELS : `${STREAM}zz\r\n`,
    /\(protocol\): Broken HTTP: a chunk's size/,
  ],
  [
    "an event of 10 MB",
    (request) =>
      request.startsWith("GET") ? MODELS : `${STREAM}a00000\r\ndata: ${"x".repeat(0xa00000 - 6)}`,
    /\(protocol\): .*larger than 4194304 bytes/,
  ],
  [
    "a compressed answer",
    (request) =>
      request.startsWith("GET") ? MODELS : response("200 OK", "x", "Content-Encoding: br\r\n"),
    /encoded as br, which was not asked for/,
  ],
];

for (const [what, answer, pattern] of BAD) {
  Deno.test(`refused with a reason: ${what}`, async () => {
    await using server = fixed(answer);
    const error = await failure({ url: server.url });
    assert.match(`${error.message} ${error.hint ?? ""}`, pattern);
  });
}

Deno.test("refused with a reason: a stream that ends half-way", async () => {
  // Ends its direction after the first event and goes on reading, as a dying proxy does.
  await using server = listen(
    Deno.listen({ hostname: "127.0.0.1", port: 0 }) as Deno.TcpListener,
    async (connection) => {
      const buffer = new Uint8Array(64 * 1024);
      for (;;) {
        const length = await connection.read(buffer);
        if (length === null) return;
        const get = new TextDecoder().decode(buffer.subarray(0, length)).startsWith("GET");
        const event = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
        await connection.write(new TextEncoder().encode(
          get ? MODELS : `${STREAM}${event.length.toString(16)}\r\n${event}\r\n`,
        ));
        if (!get) await connection.closeWrite();
      }
    },
  );
  const error = await failure({ url: `http://127.0.0.1:${server.port}` });
  assert.match(error.message, /\(reset\): .*connection ended after 1 event/);
});

Deno.test("a wrong model is told which ones are served", async () => {
  await using server = fixed((request) =>
    request.startsWith("GET") ? MODELS : response("404 Not Found", '{"message":"no such model"}')
  );
  const error = await failure({ url: server.url, model: "other" });
  assert.match(error.message, /404\): no such model/);
  assert.match(error.hint!, /other is none of the served models: m$/);
});

Deno.test("a server without a list of models is measured when the model is given", async () => {
  const { seen, error } = await (async () => {
    await using server = fixed(() => response("404 Not Found", ""));
    return { error: await failure({ url: server.url, model: "m" }), seen: server.seen };
  })();
  assert.match(error.message, /\/v1\/chat\/completions failed \(404\)/);
  assert.match(error.hint!, /--api completions/);
  assert.match(seen[1]!, /^POST /);
});

Deno.test("keys and headers are sent, and quoted by nobody", async () => {
  const key = "sk-0123456789";
  await using server = fixed((request) =>
    request.startsWith("GET") ? MODELS : response("401 No", `{"error":"bad ${key} or s3cr3t"}`)
  );
  const headers = { "X-Tenant": "s3cr3t" };
  const error = await failure({ url: server.url, apiKey: key, headers });
  assert.match(error.message, /bad \*\*\* or \*\*\*/);
  assert.doesNotMatch(`${error.message}${error.hint}`, /sk-0|s3cr/);
  for (const request of server.seen) {
    assert.match(request, /\r\nAuthorization: Bearer sk-0123456789\r\n/);
    assert.match(request, /\r\nX-Tenant: s3cr3t\r\n/);
  }
  await using test = await testContext();
  const mock = serveMock(test.ctx, {
    ttftMs: 1,
    itlMs: 0,
    faults: [{ kind: "status", status: 401, body: `{"error":"bad ${key}"}`, every: 2 }],
    faultsAboveTokens: 20,
  });
  try {
    const summary = await runBench(test.ctx, {
      ...RUN,
      outputTokens: 30,
      url: `http://127.0.0.1:${mock.port}`,
      apiKey: key,
      headers,
    });
    assert.equal(summary.errors.by_kind.http_401, 20);
    assert.match(summary.errors.details[0]!.message, /^bad \*\*\*$/);
    const text = JSON.stringify(summary);
    assert.match(text, /"headers":\["X-Tenant"\]/);
    assert.doesNotMatch(text, /sk-0|s3cr/);
  } finally {
    await mock.close();
  }
});

Deno.test("headers come from the environment where they are secret", () => {
  const env = { get: (name: string) => ({ MINE: "v1" })[name], toObject: () => ({}) };
  assert.deepEqual(parseHeaders(env, ["X-A: b c", "Authorization: $MINE", "x-b:"]), {
    "X-A": "b c",
    Authorization: "v1",
    "x-b": "",
  });
  const bad: [string, RegExp][] = [
    ["X-A", /a name, a colon and a value/],
    ["Authorization: Bearer abc", /Authorization looks like a secret/],
    ["X-Api-Key: abc", /X-Api-Key looks like a secret/],
    ["X-A: $OTHER", /variable OTHER, which is not set/],
    ["Host: x", /Host is set by the load generator/],
    ["Content-Length: 3", /set by the load generator/],
    ["X-A: b\r\nHost: x", /a name, a colon and a value/],
    ["X-A: \u00e9", /no HTTP header takes/],
    ["X(A): b", /no name of a header/],
  ];
  for (const [line, pattern] of bad) {
    assert.throws(() => parseHeaders(env, [line]), (error) => {
      assert.ok(error instanceof TaskError && error.exitCode === 2);
      assert.match(error.message, pattern);
      return !/abc/.test(error.message);
    });
  }
});

Deno.test("the key of the environment goes to a URL only, never to a graph", async () => {
  await using test = await testContext({ env: { OPENAI_API_KEY: "sk-1" } });
  const flags = { header: [], noStream: false, insecure: false, noCalibration: false };
  const of = async (url: string | undefined) =>
    (await benchOptions(test.ctx, { ...flags, url } as never)).apiKey;
  assert.equal(await of("http://h"), "sk-1");
  assert.equal(await of(undefined), undefined);
});

Deno.test("TLS: refused, trusted by file, or taken as it is; and no TLS at all", async () => {
  await using test = await testContext();
  const { certificate, key } = await selfSignedCertificate(Date.now());
  const mock = serveMock(test.ctx, { ttftMs: 1, itlMs: 0 });
  await using server = listen(
    Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert: certificate, key }),
    async (connection) => {
      const behind = await Deno.connect({ hostname: "127.0.0.1", port: mock.port });
      await Promise.allSettled([
        connection.readable.pipeTo(behind.writable),
        behind.readable.pipeTo(connection.writable),
      ]);
    },
  );
  try {
    const url = `https://127.0.0.1:${server.port}`;
    const refused = await failure({ url });
    assert.match(refused.message, /the server's certificate is refused/);
    assert.match(refused.hint!, /--insecure/);
    const file = `${test.ctx.home}-ca.pem`;
    await Deno.writeTextFile(file, certificate);
    const flags = { header: [], noStream: false, noCalibration: true, url };
    for (const trust of [{ insecure: false, caFile: file }, { insecure: true }]) {
      const options = await benchOptions(test.ctx, { ...flags, ...trust } as never);
      const summary = await runBench(test.ctx, { ...options, ...RUN, url });
      assert.equal(summary.requests.completed, 40, JSON.stringify(summary.errors));
      assert.equal(summary.config.insecure, trust.insecure);
    }
    await using speaker = fixed(() => response("400 Bad Request", ""));
    const plain = await failure({ url: speaker.url.replace("http:", "https:") });
    assert.match(`${plain.message} ${plain.hint}`, /does not speak TLS.*http:\/\//);
    await Deno.writeTextFile(file, "nothing");
    const read = benchOptions(test.ctx, { ...flags, insecure: false, caFile: file } as never);
    await assert.rejects(read, /holds no certificate/);
  } finally {
    await mock.close();
  }
});
