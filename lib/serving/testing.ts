/**
 * A frontend for tests, on loopback, that answers as the given handler says.
 *
 * @module
 */

/** A running test server. */
export interface TestServer extends AsyncDisposable {
  /** Base URL. */
  readonly url: string;
}

/** Starts a server on a free port of loopback. */
export function serveTest(handler: (request: Request) => Response | Promise<Response>): TestServer {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** How the answers of a {@link fakeFrontend} look. */
export interface FakeFrontend {
  /** Release whose habits it has. */
  readonly release: "0.4.1" | "1.6.1";
  /** Models it lists. */
  readonly models: readonly string[];
}

const METRICS = [
  'requests_total{status="success"}',
  "request_duration_seconds_count",
  "time_to_first_token_seconds_count",
  "inter_token_latency_seconds_count",
  "input_sequence_tokens_count",
  "output_sequence_tokens_count",
];

/** A handler with the habits of a Dynamo frontend: bodies of errors, usage, health, metrics. */
export function fakeFrontend(options: FakeFrontend): (request: Request) => Promise<Response> {
  const old = options.release === "0.4.1";
  let requests = 0;
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/health") {
      const healthy = options.models.length > 0;
      return Response.json({
        status: healthy ? "healthy" : "unhealthy",
        endpoints: healthy ? ["dyn://dynamo.backend.generate"] : [],
      }, { status: healthy || !old ? 200 : 503 });
    }
    if (pathname === "/live") {
      return old ? new Response(null, { status: 404 }) : Response.json({ status: "live" });
    }
    if (pathname === "/v1/models") {
      return Response.json({
        object: "list",
        data: options.models.map((id) => ({ id, object: "model" })),
      });
    }
    if (pathname === "/metrics") {
      return new Response(
        requests === 0
          ? ""
          : METRICS.map((name) => `dynamo_frontend_${name} ${requests}\n`).join(""),
      );
    }
    const refuse = (status: number, message: string) =>
      old
        ? Response.json({ error: message }, { status })
        : Response.json({ message, type: "Bad Request", code: status }, { status });
    const body = await request.json().catch(() => undefined);
    if (body === undefined) return refuse(400, "Failed to parse the request body as JSON");
    if (pathname === "/v1/chat/completions" && body.messages === undefined) {
      return refuse(old ? 422 : 400, "missing field `messages`");
    }
    if (!options.models.includes(body.model)) return refuse(404, "Model not found");
    if (body.tools !== undefined || body.response_format !== undefined) {
      return refuse(400, "not supported");
    }
    requests++;
    const chat = pathname === "/v1/chat/completions";
    return body.stream ? fakeStream(body, old) : Response.json({
      choices: [{
        index: 0,
        ...(chat
          ? { message: { role: "assistant", content: "hello there" } }
          : { text: "hello there" }),
        finish_reason: "length",
      }],
      usage: usage(body.max_tokens, old),
    });
  };
}

// 0.4.1 counts one token less than asked, and reports usage in every chunk.
function usage(tokens: number, old: boolean): Record<string, number> {
  const completion = old ? tokens - 1 : tokens;
  return { prompt_tokens: 11, completion_tokens: completion, total_tokens: 11 + completion };
}

function fakeStream(
  body: { max_tokens: number; stream_options?: { include_usage?: boolean } },
  old: boolean,
): Response {
  const chunk = (value: Record<string, unknown>) => `data: ${JSON.stringify(value)}\n\n`;
  const extra = old ? { usage: usage(body.max_tokens, true) } : {};
  let text = chunk({ choices: [{ delta: { role: "assistant", content: "" } }], ...extra });
  for (let i = 0; i < body.max_tokens; i++) {
    text += chunk({ choices: [{ delta: { content: " x" } }], ...extra });
  }
  text += chunk({ choices: [{ delta: {}, finish_reason: "length" }], ...extra });
  if (!old && body.stream_options?.include_usage) {
    text += chunk({ choices: [], usage: usage(body.max_tokens, false) });
  }
  return new Response(`${text}data: [DONE]\n\n`, {
    headers: { "Content-Type": "text/event-stream" },
  });
}
