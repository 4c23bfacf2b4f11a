/**
 * Messages as lines of a log. What a benchmark's pod measured leaves it on its standard output,
 * and a pod's log is all that: other programs' lines in between, lines that come twice after a
 * connection broke, lines that a rotated log has lost. So each line says which one it is, and has
 * a checksum.
 *
 *     <CRC-32, 8 hex digits> {"n":7,"of":3,"part":0,"data":"<base64 of gzipped JSON>"}
 *
 * Lines count from 0; a message is `of` lines in a row. Progress has no number: it may be lost.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32, gunzipSync, gzipSync } from "node:zlib";
import { messageOf } from "../../cli/errors.ts";

/** Container runtimes cut lines at 16 KiB. */
const MOST_DATA = 12 * 1024;
const LINE = /^([0-9a-f]{8}) (\{.*\})$/;

/** Turns messages into lines. */
export interface FrameWriter {
  /** Lines of a message that must arrive; any JSON value. */
  message(value: unknown): string[];
  /** The line of something that may be lost. */
  passing(value: unknown): string;
}

/** Makes a writer, whose lines count from 0. */
export function frameWriter(): FrameWriter {
  let next = 0;
  return {
    message(value) {
      const data = gzipSync(JSON.stringify(value)).toString("base64");
      const of = Math.max(1, Math.ceil(data.length / MOST_DATA));
      return Array.from({ length: of }, (_, part) =>
        seal({
          n: next++,
          of,
          part,
          data: data.slice(part * MOST_DATA, (part + 1) * MOST_DATA),
        }));
    },
    passing: (value) => seal({ passing: value }),
  };
}

function seal(frame: unknown): string {
  const text = JSON.stringify(frame);
  return `${checksum(text)} ${text}`;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

/** What a line turned out to be. */
export type Read =
  /** Messages that are complete now, in order. */
  | { readonly kind: "messages"; readonly messages: readonly unknown[] }
  | { readonly kind: "passing"; readonly value: unknown }
  /** A line that is none of ours, or was damaged. */
  | { readonly kind: "other"; readonly line: string };

interface Part {
  readonly of: number;
  readonly part: number;
  readonly data: string;
}

/** Reads lines, in any order and as often as they come. */
export class FrameReader {
  readonly #waiting: Map<number, Part> = new Map();
  #next = 0;
  #parts: string[] = [];
  #damaged = 0;
  #lost = 0;

  /** Number of the line that is missing; undefined as long as none came before its turn. */
  get missing(): number | undefined {
    return this.#waiting.size > 0 ? this.#next : undefined;
  }

  /** Numbered lines that were given up. */
  get lost(): number {
    return this.#lost;
  }

  /** Lines of ours whose checksum was wrong. */
  get damaged(): number {
    return this.#damaged;
  }

  /** Takes a line. */
  read(line: string): Read {
    const [, sum, text] = LINE.exec(line) ?? [];
    if (sum === undefined || text === undefined) return { kind: "other", line };
    if (checksum(text) !== sum) {
      this.#damaged++;
      return { kind: "other", line };
    }
    const frame = JSON.parse(text);
    if (frame.n === undefined) return { kind: "passing", value: frame.passing };
    if (frame.n >= this.#next) this.#waiting.set(frame.n, frame);
    return { kind: "messages", messages: this.#complete() };
  }

  /** Gives the missing lines up: goes on with the next message that is there from its first line. */
  skip(): readonly unknown[] {
    const all: unknown[] = [];
    while (this.#waiting.size > 0) {
      const next = Math.min(...this.#waiting.keys());
      // What came of the broken message is of no use either.
      this.#lost += next - this.#next + this.#parts.length;
      this.#next = next;
      this.#parts = [];
      all.push(...this.#complete());
    }
    return all;
  }

  #complete(): unknown[] {
    const messages: unknown[] = [];
    for (let part; (part = this.#waiting.get(this.#next)) !== undefined;) {
      this.#waiting.delete(this.#next++);
      // After a gap the rest of a message is of no use.
      if (part.part !== this.#parts.length) {
        this.#lost++;
        continue;
      }
      this.#parts.push(part.data);
      if (this.#parts.length < part.of) continue;
      messages.push(unpack(this.#parts.join("")));
      this.#parts = [];
    }
    return messages;
  }
}

function unpack(data: string): unknown {
  try {
    return JSON.parse(gunzipSync(Buffer.from(data, "base64")).toString());
  } catch (error) {
    throw new Error(`a message whose checksums are right cannot be read: ${messageOf(error)}`);
  }
}
