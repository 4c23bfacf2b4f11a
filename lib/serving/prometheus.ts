/**
 * The Prometheus text format (version 0.0.4, and what OpenMetrics adds that a reader may skip).
 *
 * @module
 */
import { TaskError } from "../cli/errors.ts";

/** One sample. */
export interface Sample {
  /** Name with suffix, for example `dynamo_frontend_requests_total`. */
  readonly name: string;
  /** Labels. */
  readonly labels: Readonly<Record<string, string>>;
  /** Value; may be infinite or not a number. */
  readonly value: number;
}

/** All samples of one scrape. */
export interface Metrics {
  /** Samples in the order of the text. */
  readonly samples: readonly Sample[];
  /** Types by family name: counter, gauge, histogram, summary, untyped. */
  readonly types: ReadonlyMap<string, string>;
}

/**
 * Parses a scrape, or the samples of it whose names `keep` wants: others cost next to nothing.
 *
 * @throws {TaskError} METRICS_MALFORMED with the line's number.
 */
export function parseMetrics(text: string, keep?: (name: string) => boolean): Metrics {
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  text.split("\n").forEach((raw, index) => {
    const line = raw.trim();
    if (line === "") return;
    if (line.startsWith("#")) {
      const [, word, name, type] = line.split(/\s+/);
      if (word === "TYPE" && name !== undefined) types.set(name, type ?? "untyped");
      return;
    }
    const name = NAME.exec(line)?.[0];
    if (keep !== undefined && name !== undefined && !keep(name)) return;
    samples.push(parseSample(line, index + 1));
  });
  return { samples, types };
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:.]*/;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_.]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|(?=\}))/y;
const LABELS_END = /\s*\}/y;

function parseSample(line: string, number: number): Sample {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw malformed(line, number);
  const labels: Record<string, string> = {};
  let at = name.length;
  if (line[at] === "{") {
    at = LABEL.lastIndex = at + 1;
    for (let match = LABEL.exec(line); match !== null; match = LABEL.exec(line)) {
      labels[match[1]!] = unescapeLabel(match[2]!);
      at = LABEL.lastIndex;
    }
    LABELS_END.lastIndex = at;
    if (!LABELS_END.test(line)) throw malformed(line, number);
    at = LABELS_END.lastIndex;
  }
  const value = parseValue(line.slice(at).trim().split(/\s+/)[0]!);
  if (value === undefined) throw malformed(line, number);
  return { name, labels, value };
}

function parseValue(word: string): number | undefined {
  if (word === "NaN") return NaN;
  if (word === "+Inf" || word === "Inf") return Infinity;
  if (word === "-Inf") return -Infinity;
  return word === "" || Number.isNaN(Number(word)) ? undefined : Number(word);
}

function unescapeLabel(value: string): string {
  return value.replace(/\\(.)/g, (_, char) => char === "n" ? "\n" : char);
}

function malformed(line: string, number: number): TaskError {
  return new TaskError({
    code: "METRICS_MALFORMED",
    message: `Line ${number} of the metrics is not in Prometheus text format: ${
      line.slice(0, 120)
    }`,
  });
}

/** Sum of a name's samples whose labels contain all those given; undefined when there is none. */
export function sumOf(
  metrics: Metrics,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  let sum: number | undefined;
  for (const sample of metrics.samples) {
    if (sample.name !== name) continue;
    if (Object.entries(labels).every(([key, value]) => sample.labels[key] === value)) {
      sum = (sum ?? 0) + sample.value;
    }
  }
  return sum;
}

/** Names of the samples, each once, in order. */
export function sampleNames(metrics: Metrics): string[] {
  return [...new Set(metrics.samples.map((sample) => sample.name))];
}
