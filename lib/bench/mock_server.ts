/**
 * An OpenAI-compatible server that streams tokens on an exact timetable and knows what it
 * did: the truth that a client is compared with. Token i of a request is due at
 * t + ttft + i × itl after the request's last byte was read. Loopback only.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { MockAnswers } from "./mock_answers.ts";
import { PrefixCache } from "./mock_cache.ts";
import { bytesOf, httpResponse, MockConnection, type MockRequest } from "./mock_http.ts";
import type { Fault, MockOptions, MockStats } from "./mock_options.ts";
import { type Answered, EventTexts, type MockBody } from "./mock_text.ts";
import { Timetable } from "./timetable.ts";

/** A mock that is running in this thread. */
export interface MockServer {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** What it did so far. */
  stats(): MockStats;
  /** Stops it and closes all connections. */
  close(): Promise<void>;
}

/** Starts a mock on a free port. A mock that measures must not share the client's thread. */
export function serveMock(ctx: Pick<Context, "net" | "clock">, options: MockOptions): MockServer {
  return new Mock(ctx, options);
}

class Mock implements MockServer {
  readonly port: number;
  readonly #ctx: Pick<Context, "net" | "clock">;
  readonly #options: MockOptions;
  readonly #listener: Deno.TcpListener;
  readonly #stop = new AbortController();
  readonly #serving: Promise<unknown>;
  readonly #connections = new Set<MockConnection>();
  readonly #answers: MockAnswers;
  readonly #events = new EventTexts();
  readonly #cache: PrefixCache | undefined;
  readonly #prompts: string[] = [];
  readonly #arrivals: number[] = [];
  #accepted = 0;
  #requests = 0;
  #faultable = 0;
  #inFlight = 0;
  #maxInFlight = 0;

  constructor(ctx: Pick<Context, "net" | "clock">, options: MockOptions) {
    this.#ctx = ctx;
    this.#options = options;
    this.#cache = options.cache === true ? new PrefixCache() : undefined;
    const port = options.port ?? 0;
    this.#listener = ctx.net.listen({ hostname: "127.0.0.1", port }) as Deno.TcpListener;
    this.port = this.#listener.addr.port;
    const timetable = new Timetable(ctx.clock, this.#stop.signal);
    this.#answers = new MockAnswers(ctx.clock, timetable, options);
    this.#serving = Promise.all([timetable.serve(), this.#accept()]);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    await this.#serving;
  }

  stats(): MockStats {
    const { served, itl } = this.#answers;
    const ttft = this.#answers.ttft.distribution();
    return {
      served,
      requests: this.#requests,
      connections: this.#accepted,
      maxInFlight: this.#maxInFlight,
      ttft: ttft === undefined ? undefined : { p50: ttft.p50, p99: ttft.p99 },
      itl: itl.percentile(50),
      prompts: this.#prompts,
      arrivals: this.#arrivals,
    };
  }

  async #accept(): Promise<void> {
    try {
      for await (const raw of this.#listener) {
        raw.setNoDelay(true);
        this.#accepted++;
        const connection = new MockConnection(raw, () => this.#ctx.clock.monotonic());
        this.#connections.add(connection);
        connection.serve((request) => this.#handle(connection, request))
          .finally(() => this.#connections.delete(connection));
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  async #handle(connection: MockConnection, request: MockRequest): Promise<void> {
    if (request.method === "POST" && /^\/v1\/(chat\/)?completions$/.test(request.path)) {
      await this.#complete(connection, request);
    } else await connection.write(bytesOf(this.#other(request)));
    if (connection.requests >= (this.#options.requestsPerConnection ?? Infinity)) {
      connection.close();
    }
  }

  #other(request: MockRequest): string {
    const json = (status: number, value: unknown) =>
      httpResponse(status, "application/json", JSON.stringify(value));
    switch (request.path) {
      case "/v1/models":
        return json(200, {
          object: "list",
          data: this.#models().map((id) => ({ id, object: "model" })),
        });
      case "/health":
        return json(200, { status: "healthy", endpoints: ["dyn://mock.backend.generate"] });
      case "/live":
        return json(200, { status: "live" });
      case "/stats":
        return json(200, this.stats());
      case "/metrics":
        return httpResponse(
          200,
          "text/plain",
          `dynamo_frontend_requests_total ${this.#requests}\n`,
        );
      default:
        return json(404, { message: "Not found", type: "Not Found", code: 404 });
    }
  }

  #models(): readonly string[] {
    return this.#options.models ?? ["mock"];
  }

  async #complete(connection: MockConnection, request: MockRequest): Promise<void> {
    const { received } = request;
    this.#requests++;
    if (this.#arrivals.length < 1000) this.#arrivals.push(received - (this.#first ??= received));
    const refuse = (status: number, message: string) =>
      connection.write(
        bytesOf(
          httpResponse(
            status,
            "application/json",
            JSON.stringify({ message, type: "Error", code: status }),
          ),
        ),
      );
    let body: MockBody;
    try {
      body = JSON.parse(request.body);
    } catch {
      return await refuse(400, "malformed JSON");
    }
    const refused = Object.keys(body).filter((key) => this.#options.refuse?.includes(key));
    if (refused.length > 0) {
      return await refuse(400, `Validation: Unsupported parameter(s): ${refused.join(", ")}`);
    }
    if (!this.#models().includes(body.model ?? "")) return await refuse(404, "Model not found");
    const tokens = body.max_tokens ?? body.max_completion_tokens;
    if (tokens === undefined) return await refuse(400, "max_tokens is required");
    const prompt = body.prompt ?? body.messages?.map((message) => message.content).join(" ") ?? "";
    if (this.#prompts.length < 100) this.#prompts.push(prompt);
    const words = prompt.split(" ").length;
    this.#inFlight++;
    this.#maxInFlight = Math.max(this.#maxInFlight, this.#inFlight);
    const answered: Answered = {
      body,
      chat: request.path.includes("chat"),
      tokens,
      usage: this.#options.usage ?? "asked",
      promptTokens: (this.#options.templateTokens ?? 5) +
        Math.round(words * (this.#options.tokensPerWord ?? 1)),
      cachedTokens: this.#cache?.add(prompt),
    };
    await new Promise<void>((resolve) =>
      this.#answers.answer({
        ...answered,
        connection,
        received,
        fault: this.#faultFor(tokens),
        shared: this.#options.chunk === undefined ? this.#events.of(answered) : undefined,
        done: resolve,
        first: NaN,
      })
    );
    this.#inFlight--;
  }

  #first: number | undefined;

  #faultFor(tokens: number): Fault | undefined {
    if (tokens <= (this.#options.faultsAboveTokens ?? 16)) return undefined;
    const number = this.#faultable++;
    return this.#options.faults?.find((fault) =>
      number >= (fault.offset ?? 0) && (number - (fault.offset ?? 0)) % fault.every === 0
    );
  }
}
