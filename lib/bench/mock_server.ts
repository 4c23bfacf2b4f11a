/**
 * An OpenAI-compatible server that streams tokens on an exact timetable and knows what it
 * did: the truth that a client is compared with. Token i of a request is due at
 * t + ttft + i × itl after the request's last byte was read. Loopback only.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import {
  bytesOf,
  chunkedHead,
  httpChunk,
  httpResponse,
  MockConnection,
  type MockRequest,
} from "./mock_http.ts";
import { PrefixCache } from "./mock_cache.ts";
import type { Fault, MockOptions, MockStats } from "./mock_options.ts";
import {
  type Answered,
  endText,
  eventText,
  EventTexts,
  type MockBody,
  roleText,
  type SharedEvent,
  wholeText,
} from "./mock_text.ts";
import { Samples } from "./samples.ts";
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

/** Characters after which a write is full. */
const MOST_WRITTEN = 4096;

/** One request being answered. */
interface Job extends Answered {
  readonly connection: MockConnection;
  /** When its last byte was read. */
  readonly received: number;
  readonly fault: Fault | undefined;
  readonly done: () => void;
  /** Events of one token each, where they can be made beforehand. */
  readonly shared: readonly SharedEvent[] | undefined;
  /** Time of the first event's write. */
  first: number;
}

class Mock implements MockServer {
  readonly port: number;
  readonly #ctx: Pick<Context, "net" | "clock">;
  readonly #options: MockOptions;
  readonly #listener: Deno.TcpListener;
  readonly #stop = new AbortController();
  readonly #timetable: Timetable;
  readonly #serving: Promise<unknown>;
  readonly #connections = new Set<MockConnection>();
  readonly #start: number;
  readonly #ttft = new Samples();
  readonly #itl = new Samples();
  readonly #events = new EventTexts();
  readonly #cache: PrefixCache | undefined;
  readonly #prompts: string[] = [];
  readonly #arrivals: number[] = [];
  #accepted = 0;
  #served = 0;
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
    this.#start = ctx.clock.monotonic();
    this.#timetable = new Timetable(ctx.clock, this.#stop.signal);
    this.#serving = Promise.all([this.#timetable.serve(), this.#accept()]);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    await this.#serving;
  }

  stats(): MockStats {
    const ttft = this.#ttft.distribution();
    return {
      served: this.#served,
      requests: this.#requests,
      connections: this.#accepted,
      maxInFlight: this.#maxInFlight,
      ttft: ttft === undefined ? undefined : { p50: ttft.p50, p99: ttft.p99 },
      itl: this.#itl.percentile(50),
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
      this.#answer({
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

  // Pushes a time out of a freeze.
  #thaw(at: number): number {
    const { freeze } = this.#options;
    if (freeze === undefined) return at;
    const since = at - this.#start;
    const phase = since % freeze.everyMs;
    return since > freeze.everyMs && phase < freeze.forMs ? at + freeze.forMs - phase : at;
  }

  #due(job: Job, token: number): number {
    return this.#thaw(job.received + this.#options.ttftMs + token * this.#options.itlMs);
  }

  #answer(job: Job): void {
    const { fault, body, connection } = job;
    const send = (text: string) => connection.write(bytesOf(text)).then(job.done);
    if (fault?.kind === "status") {
      send(
        httpResponse(
          fault.status ?? 500,
          "application/json",
          fault.body ?? '{"message":"injected"}',
        ),
      );
    } else if (fault?.kind === "redirect") {
      send("HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    } else if (fault?.kind === "close-before") {
      connection.close();
      job.done();
    } else if (fault?.kind === "hang" && fault.after === 0) {
      // Nothing, ever; the client has to give up.
    } else if (fault?.kind === "gzip") {
      send(chunkedHead("text/event-stream", "Content-Encoding: gzip\r\n"));
    } else if (!body.stream || fault?.kind === "not-sse") {
      const due = this.#due(job, job.tokens - 1);
      this.#at(due, () => {
        this.#served++;
        send(httpResponse(200, "application/json", wholeText(job)));
      });
    } else this.#at(this.#due(job, 0), () => this.#stream(job, 0, 0));
  }

  #at(due: number, run: () => void): void {
    if (due <= this.#ctx.clock.monotonic()) run();
    else this.#timetable.at(due, run);
  }

  // Writes the events that are due, from the one with token `token` on, and puts the next one on
  // the timetable. `events` were written before.
  #stream(job: Job, token: number, events: number): void {
    const { connection, fault } = job;
    let text = "";
    if (token === 0) {
      text = chunkedHead("text/event-stream");
      // vLLM begins with an event that has no output.
      if (job.chat) text += roleText(job);
      if (fault?.kind === "empty") {
        connection.write(bytesOf(text + endText(job))).then(job.done);
        return;
      }
    }
    for (;;) {
      if (fault !== undefined && events === (fault.after ?? 3) && fault.kind !== "stall") {
        if (this.#break(job, fault, text)) return;
      }
      const next = Math.min(job.tokens, token + (this.#options.chunk ?? 1));
      const shared = job.shared?.[token % job.shared.length];
      events++;
      const pause = fault?.kind === "stall" && events === (fault.after ?? 3) ? fault.ms ?? 0 : 0;
      const due = next < job.tokens ? this.#due(job, next) : Infinity;
      const more = !this.#options.apart && pause === 0 && text.length < MOST_WRITTEN &&
        due <= this.#ctx.clock.monotonic();
      if (shared === undefined) text += eventText(job, token, next);
      else if (more || text !== "") text += shared.text;
      if (!more) {
        this.#write(job, text === "" ? shared!.bytes : bytesOf(text));
        text = "";
        if (next >= job.tokens) return this.#end(job);
        if (pause > 0) return this.#pause(job, { token: next, events, pause });
        if (due > this.#ctx.clock.monotonic()) {
          this.#timetable.at(due, () => this.#stream(job, next, events));
          return;
        }
      }
      token = next;
    }
  }

  #write(job: Job, bytes: Uint8Array): void {
    job.connection.write(bytes);
    if (!Number.isNaN(job.first)) return;
    job.first = this.#ctx.clock.monotonic();
    this.#ttft.add(job.first - job.received);
  }

  // The rest of the answer comes later by what the pause is longer than the gap.
  #pause(
    job: Job,
    { token, events, pause }: { token: number; events: number; pause: number },
  ): void {
    const late = Math.max(0, this.#ctx.clock.monotonic() + pause - this.#due(job, token));
    const shifted = { ...job, received: job.received + late };
    this.#timetable.at(this.#due(shifted, token), () => this.#stream(shifted, token, events));
  }

  #end(job: Job): void {
    const after = job.tokens - Math.min(this.#options.chunk ?? 1, job.tokens);
    if (after > 0) this.#itl.add((this.#ctx.clock.monotonic() - job.first) / after);
    this.#served++;
    job.connection.write(bytesOf(endText(job))).then(job.done);
  }

  // Does what the fault says; false when the stream goes on.
  #break(job: Job, fault: Fault, before: string): boolean {
    const { connection } = job;
    const send = (text: string) => connection.write(bytesOf(before + text));
    switch (fault.kind) {
      case "close-midway":
        send("").then(() => connection.close()).then(job.done);
        return true;
      case "half-close":
        send("").then(() => connection.closeWrite()).then(job.done);
        return true;
      case "truncate":
        send("0\r\n\r\n").then(job.done);
        return true;
      case "stream-error":
        send(`${httpChunk("event: error\n: worker is gone\n\n")}0\r\n\r\n`).then(job.done);
        return true;
      case "hang":
        send("");
        return true;
      case "bad-chunk":
        send("zz\r\nnonsense\r\n").then(job.done);
        return true;
      case "huge-event":
        send(httpChunk(`data: ${"x".repeat(10_000_000)}\n\n`)).then(job.done);
        return true;
      default:
        return false;
    }
  }
}
