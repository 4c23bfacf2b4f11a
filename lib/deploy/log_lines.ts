/**
 * A log that is read in several calls, as one: no line is lost or repeated between them. Pure.
 *
 * @module
 */

/** One line of a pod. */
export interface PodLine {
  /** Component the pod belongs to. */
  readonly component: string;
  /** Name of the pod. */
  readonly pod: string;
  /** The line, without its end. */
  readonly line: string;
  /** When the node wrote it, RFC 3339; undefined where it does not say. */
  readonly time?: string | undefined;
}

/** A line with the time that the node gave it. */
export interface TimedLine {
  /** RFC 3339 with fractions; undefined where the line has no time. */
  readonly time: string | undefined;
  /** The line without its time. */
  readonly text: string;
}

/** Where reading a log stands. */
export interface LogPosition {
  /** Moment from which to ask again, RFC 3339 in whole seconds; undefined before the first line. */
  readonly sinceTime: string | undefined;
  /** Starts to read again from `sinceTime`. */
  rewind(): void;
  /** Whether the line was not taken yet; takes it. */
  take(line: TimedLine): boolean;
}

const TIMED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?/;

/** Takes the time off a line that was asked for with `timestamps`. */
export function timedLine(line: string): TimedLine {
  const found = TIMED.exec(line);
  return found === null
    ? { time: undefined, text: line }
    : { time: found[1], text: line.slice(found[0].length) };
}

/**
 * A position at the start. The API server knows whole seconds only, so the lines of the last
 * second come again: those before the last line's time are dropped, and of those that carry its
 * very time as many as were taken.
 */
export function logPosition(): LogPosition {
  let last: { readonly key: string; readonly time: string } | undefined;
  let taken = 0;
  let repeated = 0;
  return {
    get sinceTime() {
      return last === undefined ? undefined : `${last.key.slice(0, 19)}Z`;
    },
    rewind() {
      repeated = taken;
    },
    take({ time }) {
      if (time === undefined) return true;
      const key = sortKey(time);
      if (last !== undefined && key < last.key) return repeated === 0;
      if (last !== undefined && key === last.key) {
        if (repeated > 0) {
          repeated--;
          return false;
        }
        taken++;
        return true;
      }
      last = { key, time };
      taken = 1;
      repeated = 0;
      return true;
    },
  };
}

// UTC with nine digits: sorts as text, and finer than a Date, which has milliseconds.
function sortKey(time: string): string {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? "";
  const whole = new Date(time.replace(/\.\d+/, "")).toISOString().slice(0, 19);
  return `${whole}.${fraction.padEnd(9, "0")}`;
}
