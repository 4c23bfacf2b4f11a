/**
 * How the mock answers one request: events on their timetable, or the fault that was asked for.
 *
 * @module
 */
import type { Clock } from "../cli/context.ts";
import { bytesOf, chunkedHead, httpChunk, httpResponse, type MockConnection } from "./mock_http.ts";
import type { Fault, MockOptions } from "./mock_options.ts";
import {
  type Answered,
  endText,
  eventText,
  roleText,
  type SharedEvent,
  wholeText,
} from "./mock_text.ts";
import { Samples } from "./samples.ts";
import type { Timetable } from "./timetable.ts";

/** Characters after which a write is full. */
const MOST_WRITTEN = 4096;

/** One request being answered. */
export interface MockJob extends Answered {
  /** Where it came from. */
  readonly connection: MockConnection;
  /** When its last byte was read. */
  readonly received: number;
  /** What goes wrong with it. */
  readonly fault: Fault | undefined;
  /** Called when it is answered. */
  readonly done: () => void;
  /** Events of one token each, where they can be made beforehand. */
  readonly shared: readonly SharedEvent[] | undefined;
  /** Time of the first event's write; NaN before. */
  first: number;
}

/** Answers requests, and knows when it wrote what. */
export class MockAnswers {
  /** From a request's last byte to its first event's write, milliseconds. */
  readonly ttft: Samples = new Samples();
  /** Time per token after the first event, milliseconds. */
  readonly itl: Samples = new Samples();
  /** Answers that were given to their end. */
  served: number = 0;
  readonly #clock: Clock;
  readonly #timetable: Timetable;
  readonly #options: MockOptions;
  readonly #start: number;

  /** Freezes count from now. */
  constructor(clock: Clock, timetable: Timetable, options: MockOptions) {
    this.#clock = clock;
    this.#timetable = timetable;
    this.#options = options;
    this.#start = clock.monotonic();
  }

  /** Answers a request. */
  answer(job: MockJob): void {
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
        this.served++;
        send(httpResponse(200, "application/json", wholeText(job)));
      });
    } else this.#at(this.#due(job, 0), () => this.#stream(job, 0, 0));
  }

  // Pushes a time out of a freeze.
  #thaw(at: number): number {
    const { freeze } = this.#options;
    if (freeze === undefined) return at;
    const since = at - this.#start;
    const phase = since % freeze.everyMs;
    return since > freeze.everyMs && phase < freeze.forMs ? at + freeze.forMs - phase : at;
  }

  #due(job: MockJob, token: number): number {
    return this.#thaw(job.received + this.#options.ttftMs + token * this.#options.itlMs);
  }

  #at(due: number, run: () => void): void {
    if (due <= this.#clock.monotonic()) run();
    else this.#timetable.at(due, run);
  }

  // Writes the events that are due, from the one with token `token` on, and puts the next one on
  // the timetable. `events` were written before.
  #stream(job: MockJob, token: number, events: number): void {
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
        due <= this.#clock.monotonic();
      if (shared === undefined) text += eventText(job, token, next);
      else if (more || text !== "") text += shared.text;
      if (!more) {
        this.#write(job, text === "" ? shared!.bytes : bytesOf(text));
        text = "";
        if (next >= job.tokens) return this.#end(job);
        if (pause > 0) return this.#pause(job, { token: next, events, pause });
        if (due > this.#clock.monotonic()) {
          this.#timetable.at(due, () => this.#stream(job, next, events));
          return;
        }
      }
      token = next;
    }
  }

  #write(job: MockJob, bytes: Uint8Array): void {
    job.connection.write(bytes);
    if (!Number.isNaN(job.first)) return;
    job.first = this.#clock.monotonic();
    this.ttft.add(job.first - job.received);
  }

  // The rest of the answer comes later by what the pause is longer than the gap.
  #pause(
    job: MockJob,
    { token, events, pause }: { token: number; events: number; pause: number },
  ): void {
    const late = Math.max(0, this.#clock.monotonic() + pause - this.#due(job, token));
    const shifted = { ...job, received: job.received + late };
    this.#timetable.at(this.#due(shifted, token), () => this.#stream(shifted, token, events));
  }

  #end(job: MockJob): void {
    const after = job.tokens - Math.min(this.#options.chunk ?? 1, job.tokens);
    if (after > 0) this.itl.add((this.#clock.monotonic() - job.first) / after);
    this.served++;
    job.connection.write(bytesOf(endText(job))).then(job.done);
  }

  // Does what the fault says; false when the stream goes on.
  #break(job: MockJob, fault: Fault, before: string): boolean {
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
