/**
 * Numbers of tokens of prompts and answers: fixed, spread, or a mix of both.
 *
 * @module
 */
import { type TaskError, usageError } from "../cli/errors.ts";
import { normal } from "./arrivals.ts";
import type { Random } from "./random.ts";

/** How many tokens, from request to request. */
export type Lengths =
  | {
    /** All the same. */
    readonly kind: "fixed";
    readonly tokens: number;
  }
  | {
    /** Each whole number from `min` to `max` alike. */
    readonly kind: "uniform";
    readonly min: number;
    readonly max: number;
  }
  | {
    /** Gaussian, cut off at 1 and four deviations above the mean. */
    readonly kind: "normal";
    readonly mean: number;
    readonly deviation: number;
  }
  | {
    /** One of the parts, each with its share of the requests; the shares add up to 1. */
    readonly kind: "mix";
    readonly parts: readonly { readonly share: number; readonly lengths: Lengths }[];
  };

const HINT = "128, uniform:64-256, normal:128,32 (mean, deviation), or 70%:128,30%:2048";

/**
 * Reads `128`, `uniform:64-256`, `normal:128,32`, or a mix of them: `70%:128,30%:normal:900,50`.
 *
 * @param flag name of the option, for messages.
 * @param most greatest number of tokens.
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) naming the flag and its value.
 */
export function parseLengths(flag: string, text: string, most: number): Lengths {
  const refuse = (why: string): TaskError =>
    usageError("BENCH_OPTIONS", `--${flag} ${text}: ${why}`, `--${flag} takes ${HINT}`);
  const tokens = (word: string): number => {
    const value = Number(word);
    if (!/^\d+$/.test(word) || value < 1 || value > most) {
      throw refuse(`"${word}" is no whole number from 1 to ${most}`);
    }
    return value;
  };
  const simple = (part: string): Lengths => {
    const [, kind, first = "", second = ""] = /^(uniform):([^-]*)-(.*)$/.exec(part) ??
      /^(normal):([^,]*),(.*)$/.exec(part) ?? [];
    if (kind === "uniform") {
      const [min, max] = [tokens(first), tokens(second)];
      if (min > max) throw refuse(`${min} is more than ${max}`);
      return { kind, min, max };
    }
    if (kind === "normal") {
      const deviation = Number(second);
      if (second.trim() === "" || !(deviation >= 0 && deviation <= most)) {
        throw refuse(`"${second}" is no deviation`);
      }
      return { kind, mean: tokens(first), deviation };
    }
    return { kind: "fixed", tokens: tokens(part) };
  };
  if (!text.includes("%")) return simple(text.trim());
  // A comma within a part (normal:128,32) is followed by no share.
  const parts = text.trim().split(/,(?=[\d.]+%:)/).map((part) => {
    const [, share, rest] = /^([\d.]+)%:(.+)$/.exec(part) ?? [];
    if (rest === undefined || !(Number(share) > 0)) throw refuse(`"${part}" has no share`);
    return { share: Number(share) / 100, lengths: simple(rest) };
  });
  const sum = parts.reduce((all, part) => all + part.share, 0);
  if (Math.abs(sum - 1) > 1e-6) throw refuse(`the shares add up to ${round(100 * sum)} %`);
  return { kind: "mix", parts };
}

/** The lengths as the flags take them. */
export function lengthsText(lengths: Lengths): string {
  switch (lengths.kind) {
    case "fixed":
      return String(lengths.tokens);
    case "uniform":
      return `uniform:${lengths.min}-${lengths.max}`;
    case "normal":
      return `normal:${lengths.mean},${lengths.deviation}`;
    case "mix":
      return lengths.parts.map((part) => `${round(100 * part.share)}%:${lengthsText(part.lengths)}`)
        .join(",");
  }
}

/** The next length. */
export function drawLength(lengths: Lengths, random: Random): number {
  switch (lengths.kind) {
    case "fixed":
      return lengths.tokens;
    case "uniform":
      return lengths.min + Math.floor(random() * (lengths.max - lengths.min + 1));
    case "normal": {
      const value = Math.round(lengths.mean + lengths.deviation * normal(random));
      return Math.min(mostTokens(lengths), Math.max(1, value));
    }
    case "mix": {
      let left = random();
      const part = lengths.parts.find(({ share }) => (left -= share) < 0) ?? lengths.parts.at(-1)!;
      return drawLength(part.lengths, random);
    }
  }
}

/** The mean length, whole; of a normal distribution the one before it is cut off. */
export function meanTokens(lengths: Lengths): number {
  return Math.max(1, Math.round(mean(lengths)));
}

function mean(lengths: Lengths): number {
  switch (lengths.kind) {
    case "fixed":
      return lengths.tokens;
    case "uniform":
      return (lengths.min + lengths.max) / 2;
    case "normal":
      return lengths.mean;
    case "mix":
      return lengths.parts.reduce((sum, part) => sum + part.share * mean(part.lengths), 0);
  }
}

/** The greatest length that can come. */
export function mostTokens(lengths: Lengths): number {
  switch (lengths.kind) {
    case "fixed":
      return lengths.tokens;
    case "uniform":
      return lengths.max;
    case "normal":
      return Math.ceil(lengths.mean + 4 * lengths.deviation);
    case "mix":
      return Math.max(...lengths.parts.map((part) => mostTokens(part.lengths)));
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
