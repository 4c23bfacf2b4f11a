/**
 * Text for terminals: colours, widths, amounts.
 *
 * @module
 */

/** Colours and emphasis; every function returns its text unchanged where colour is off. */
export interface Style {
  /** Emphasis. */
  readonly bold: (text: string) => string;
  /** Less important. */
  readonly dim: (text: string) => string;
  /** Errors. */
  readonly red: (text: string) => string;
  /** Success. */
  readonly green: (text: string) => string;
  /** Warnings. */
  readonly yellow: (text: string) => string;
  /** What is going on. */
  readonly cyan: (text: string) => string;
}

/** The style for a terminal with or without colour (ECMA-48 SGR sequences). */
export function makeStyle(color: boolean): Style {
  const sgr = (on: number, off: number) => (text: string) =>
    color ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    red: sgr(31, 39),
    green: sgr(32, 39),
    yellow: sgr(33, 39),
    cyan: sgr(36, 39),
  };
}

// Cyan, yellow, green, magenta, blue, and their bright forms; red is for errors.
const TAG_COLORS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** The text in a colour of its own, always the same for the same `tag`. */
export function tagged(text: string, tag: string): string {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(tag)) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  return `\x1b[${TAG_COLORS[hash % TAG_COLORS.length]}m${text}\x1b[39m`;
}

/** Bytes in the largest fitting decimal unit: `12.3 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A span of time for people: `420 ms`, `1.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}

/** The text cut to `width` columns, with an ellipsis when something was cut. */
export function truncate(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width
    ? text
    : characters.slice(0, Math.max(0, width - 1)).join("") + "…";
}

/** A bar of `width` columns, filled to `fraction` (0 to 1). */
export function bar(fraction: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return "█".repeat(filled) + "░".repeat(width - filled);
}

/** `done of total unit (percent)`, with bytes in megabytes; just `done unit` when the total is unknown. */
export function formatProgress(done: number, total: number | undefined, unit: string): string {
  const amount = (n: number) => unit === "bytes" ? formatBytes(n) : String(Math.round(n));
  const suffix = unit === "bytes" ? "" : ` ${unit}`;
  if (total === undefined || total <= 0) return `${amount(done)}${suffix}`;
  const percent = Math.min(100, Math.floor((done / total) * 100));
  return `${percent} % (${amount(done)} of ${amount(total)}${suffix})`;
}

/** Rows as aligned columns with two spaces between; no trailing blanks. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, [...cell].length));
  }
  return rows.map((row) =>
    row.map((cell, i) => cell + " ".repeat((widths[i] ?? 0) - [...cell].length)).join("  ")
      .trimEnd()
  );
}

// Below this a column is not worth its place.
const LEAST_COLUMN = 6;

/**
 * Rows as aligned columns that fit the width: cells are wrapped between words (and behind slashes)
 * in the widest columns, and within words where that is not enough.
 */
export function fitColumns(rows: readonly (readonly string[])[], width: number): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const most = (size: (cell: string) => number) =>
    Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => size(row[i] ?? ""))));
  const widths = most((cell) => [...cell].length);
  const words = most((cell) =>
    Math.max(...partsOf(cell).map((part) => [...part.trimEnd()].length))
  );
  const room = width - 2 * (columns - 1);
  if (widths.reduce((sum, one) => sum + one, 0) <= room) return alignColumns(rows);
  for (let over = widths.reduce((sum, one) => sum + one, 0) - room; over > 0; over--) {
    const candidates = widths.map((one, i) => one > (words[i] ?? 0) ? one : 0);
    const widest = Math.max(...candidates);
    if (widest > 0) {
      widths[candidates.indexOf(widest)]!--;
      continue;
    }
    const longest = Math.max(...widths);
    if (longest <= LEAST_COLUMN) break;
    widths[widths.indexOf(longest)]!--;
  }
  return alignColumns(rows.flatMap((row) => {
    const cells = widths.map((one, i) => cellLines(row[i] ?? "", one));
    const height = Math.max(1, ...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, at) => cells.map((lines) => lines[at] ?? ""));
  }));
}

function partsOf(cell: string): string[] {
  return cell.split(/(?<=[\s/])/);
}

function cellLines(cell: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const part of partsOf(cell)) {
    if (line !== "" && [...(line + part).trimEnd()].length > width) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += part;
  }
  return [...lines, line.trimEnd()].flatMap((one) => pieces(one, width));
}

/** A text in pieces of at most `width` columns: for a word that is longer than a line. */
export function pieces(text: string, width: number): string[] {
  const characters = [...text];
  const found: string[] = [];
  for (let at = 0; at < characters.length; at += width) {
    found.push(characters.slice(at, at + width).join(""));
  }
  return found;
}

/** Wraps words at `width` columns; every line starts with `indent`. */
export function wrap(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/)) {
    if (line.length > indent.length && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line += (line.length > indent.length ? " " : "") + word;
  }
  if (line.trim() !== "") lines.push(line);
  return lines;
}

/** A line behind `indent`; what does not fit the width goes on below it, four columns further in. */
export function hanging(text: string, width: number, indent = ""): string[] {
  if (indent.length + text.length <= width) return [indent + text];
  const further = `${indent}    `;
  const [first = "", ...more] = wrap(text, width, further);
  return [indent + first.slice(further.length), ...more];
}

/** Replaces every secret in the text by `***`. */
export function redactText(text: string, secrets: Iterable<string>): string {
  let result = text;
  for (const secret of secrets) result = result.replaceAll(secret, "***");
  return result;
}
