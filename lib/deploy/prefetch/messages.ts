/**
 * What the download's program says in its log: one JSON object a line. Pure.
 *
 * @module
 */
import { bar, formatBytes, formatDuration } from "../../cli/text.ts";

/** How far it is. */
export interface Progress {
  /** Which sort of line this is. */
  readonly prefetch: "progress";
  /** Bytes that are there. */
  readonly bytes: number;
  /** Bytes of all files. */
  readonly total: number;
  /** Files that are complete. */
  readonly files: number;
  /** All files. */
  readonly of: number;
  /** Bytes a second, lately. */
  readonly rate: number;
}

/** It is complete. */
export interface Done {
  /** Which sort of line this is. */
  readonly prefetch: "done";
  /** Commit that the revision was. */
  readonly commit: string;
  /** Bytes of all files. */
  readonly bytes: number;
  /** How many files. */
  readonly files: number;
  /** Whether it is all that an engine reads. */
  readonly whole: boolean;
}

/** It gave up. */
export interface Failed {
  /** Which sort of line this is. */
  readonly prefetch: "failed";
  /** Stable, upper-case identifier. */
  readonly code: string;
  /** What went wrong. */
  readonly message: string;
  /** Whether trying again cannot help. */
  readonly final: boolean;
}

/** Any line of the program. */
export type Message =
  | Progress
  | Done
  | Failed
  | { readonly prefetch: "plan"; readonly bytes: number; readonly files: number }
  | {
    readonly prefetch: "waiting";
    readonly why: string;
    readonly seconds: number;
    readonly attempt: number;
  }
  | { readonly prefetch: "resumed"; readonly file: string; readonly bytes: number }
  | { readonly prefetch: "damaged"; readonly file: string }
  | { readonly prefetch: "tidied"; readonly removed: number };

/** Reads a line; undefined for what others print between. */
export function readMessage(line: string): Message | undefined {
  if (!line.startsWith('{"prefetch":')) return undefined;
  try {
    return JSON.parse(line) as Message;
  } catch {
    return undefined;
  }
}

/** `43 %, 1.2 GB of 2.8 GB, 5 of 12 files, 310 MB/s, 5 s left`; with a bar for terminals. */
export function progressText(progress: Progress, withBar: boolean): string {
  const { bytes, total, files, of, rate } = progress;
  const share = total === 0 ? 1 : Math.min(1, bytes / total);
  const left = rate > 0 && bytes < total
    ? `, ${formatDuration((total - bytes) / rate * 1000)} left`
    : "";
  return (withBar ? `${bar(share, 20)} ` : "") +
    `${Math.floor(share * 100)} %, ${formatBytes(bytes)} of ${formatBytes(total)}, ` +
    `${files} of ${of} files, ${formatBytes(rate)}/s${left}`;
}

/** What is worth a line of its own, in words; undefined for what is not. */
export function noteText(message: Message): string | undefined {
  switch (message.prefetch) {
    case "waiting":
      return `${message.why}: trying again in ${message.seconds} s`;
    case "resumed":
      return `going on with ${message.file} at ${formatBytes(message.bytes)}`;
    case "damaged":
      return `${message.file} is damaged and is downloaded again`;
    case "tidied":
      return `removed ${message.removed} locks and fragments that nobody uses any more`;
    case "failed":
      return message.final ? undefined : `${message.message}: the Job tries again`;
    default:
      return undefined;
  }
}
