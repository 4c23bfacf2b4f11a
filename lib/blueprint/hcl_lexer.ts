/**
 * Words of HCL as far as a `.tfvars` file may hold them: names, constants, punctuation.
 * After HashiCorp's HCL native syntax specification, including heredocs and escapes.
 *
 * @module
 */
import { preconditionError, type TaskError } from "../cli/errors.ts";

/** A place in a text. */
export interface Position {
  /** Line, from 1. */
  readonly line: number;
  /** Column, from 1, in characters (not bytes). */
  readonly column: number;
}

/** A text with the name it is called by in messages. */
export interface SourceText {
  /** Name in messages: `terraform/blueprint.tfvars`. */
  readonly file: string;
  /** All of it. */
  readonly text: string;
}

/** One word. */
export interface Token {
  /** What it is; punctuation stands for itself. */
  readonly kind: "name" | "string" | "number" | "newline" | "end" | Punctuation;
  /** Name, decoded text, or number as written. */
  readonly value: string;
  /** Offset of its first character. */
  readonly start: number;
  /** Offset behind its last character. */
  readonly end: number;
}

/** Marks that stand for themselves. */
export type Punctuation = "=" | ":" | "," | "[" | "]" | "{" | "}" | "-";

const BLANK = /[ \t]+|\r(?=\n)/y;
const COMMENT = /(?:#|\/\/)[^\n]*|\/\*[^]*?\*\//y;
const NAME = /\p{ID_Start}[\p{ID_Continue}-]*|_[\p{ID_Continue}-]*/uy;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PUNCTUATION = /[=:,[\]{}-]/y;
const HEREDOC = /<<(-?)([\p{ID_Start}_][\p{ID_Continue}-]*)\r?\n/uy;
const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  '"': '"',
  "\\": "\\",
};

/** Where an offset is. */
export function positionOf({ text }: SourceText, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (let at = before.indexOf("\n"); at >= 0; at = before.indexOf("\n", at + 1)) line++;
  return { line, column: [...before.slice(lineStart).replace("\ufeff", "")].length + 1 };
}

/** The error of a text that is not what it should be: `file:line:column: message`. */
export function syntaxError(
  source: SourceText,
  offset: number,
  message: string,
  hint = "A .tfvars file holds lines like name = value, where a value is a constant.",
): TaskError {
  const { line, column } = positionOf(source, offset);
  return preconditionError("TFVARS_SYNTAX", `${source.file}:${line}:${column}: ${message}`, hint);
}

/**
 * Reads the word at or behind an offset; blanks and comments are passed over.
 *
 * @throws {TaskError} TFVARS_SYNTAX when no word can start there.
 */
export function readToken(source: SourceText, from: number): Token {
  const { text } = source;
  const start = skipBlanks(source, from);
  const token = (kind: Token["kind"], end: number, value = text.slice(start, end)): Token => ({
    kind,
    value,
    start,
    end,
  });
  if (start >= text.length) return token("end", start);
  const first = text[start]!;
  if (first === "\n") return token("newline", start + 1);
  if (first === '"') {
    const { value, end } = readString(source, start);
    return token("string", end, value);
  }
  const heredoc = matchAt(HEREDOC, text, start);
  if (heredoc !== undefined) {
    const { value, end } = readHeredoc(source, start, heredoc);
    return token("string", end, value);
  }
  const number = matchAt(NUMBER, text, start);
  if (number !== undefined) {
    const end = start + number[0].length;
    if (matchAt(NAME, text, end) !== undefined || text[end] === ".") {
      throw syntaxError(source, start, `expected a number, found "${wordAt(text, start)}"`);
    }
    return token("number", end);
  }
  const name = matchAt(NAME, text, start);
  if (name !== undefined) return token("name", start + name[0].length);
  const punctuation = matchAt(PUNCTUATION, text, start);
  if (punctuation !== undefined) return token(punctuation[0] as Punctuation, start + 1);
  throw strangeCharacter(source, start);
}

/** What a word is called in a message. */
export function tokenName(token: Token): string {
  if (token.kind === "end") return "the end of the file";
  if (token.kind === "newline") return "the end of the line";
  if (token.kind === "string") return "a text";
  return `"${token.value}"`;
}

function skipBlanks(source: SourceText, from: number): number {
  const { text } = source;
  // Editors of some systems put a byte order mark first.
  let at = from === 0 && text.startsWith("\ufeff") ? 1 : from;
  while (at < text.length) {
    const skipped = matchAt(BLANK, text, at) ?? matchAt(COMMENT, text, at);
    if (skipped === undefined) {
      if (text.startsWith("/*", at)) {
        throw syntaxError(source, at, "expected */ at the end of this comment, found none");
      }
      break;
    }
    at += skipped[0].length;
  }
  return at;
}

function readString(source: SourceText, start: number): { value: string; end: number } {
  const { text } = source;
  let value = "";
  let at = start + 1;
  while (true) {
    const character = text[at];
    if (character === undefined || character === "\n") {
      throw syntaxError(
        source,
        start,
        'expected " at the end of this text, on the same line',
        "Texts of several lines are written as heredocs: <<EOT … EOT.",
      );
    }
    if (character === '"') return { value, end: at + 1 };
    if (character === "\\") {
      const escape = readEscape(source, at);
      value += escape.value;
      at = escape.end;
      continue;
    }
    const template = readTemplateMark(source, at);
    value += template ?? character;
    at += template === undefined ? 1 : 3;
  }
}

function readEscape(source: SourceText, at: number): { value: string; end: number } {
  const { text } = source;
  const simple = ESCAPES[text[at + 1] ?? ""];
  if (simple !== undefined) return { value: simple, end: at + 2 };
  const hex = /^\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(text.slice(at, at + 10));
  const code = parseInt(hex?.[1] ?? hex?.[2] ?? "", 16);
  if (hex === null || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw syntaxError(
      source,
      at,
      `expected an escape (\\n, \\r, \\t, \\", \\\\, \\uXXXX or \\UXXXXXXXX), found "${
        text.slice(at, at + 2).trimEnd()
      }"`,
    );
  }
  return { value: String.fromCodePoint(code), end: at + hex[0].length };
}

// "$${" and "%%{" stand for "${" and "%{"; those themselves begin a template.
function readTemplateMark(source: SourceText, at: number): string | undefined {
  const { text } = source;
  for (const mark of ["${", "%{"]) {
    if (text.startsWith(mark[0] + mark, at)) return mark;
    if (text.startsWith(mark, at)) {
      throw syntaxError(
        source,
        at,
        `expected a constant text, found the template ${mark}…}`,
        `Variables are not known in a .tfvars file. For these very characters write ${
          mark[0]
        }${mark}.`,
      );
    }
  }
  return undefined;
}

function readHeredoc(
  source: SourceText,
  start: number,
  [opening, dash, marker]: RegExpExecArray,
): { value: string; end: number } {
  const { text } = source;
  const lines: string[] = [];
  let at = start + opening!.length;
  for (let end = text.indexOf("\n", at); end >= 0; end = text.indexOf("\n", at)) {
    // The line end behind the marker ends the attribute, so it stays; the marker needs one.
    if (text.slice(at, end).trim() === marker) {
      return { value: (dash === "" ? lines : unindent(lines)).join(""), end };
    }
    let line = "";
    for (let i = at; i < end; i++) {
      const template = readTemplateMark(source, i);
      line += template ?? text[i];
      if (template !== undefined) i += 2;
    }
    lines.push(line + "\n");
    at = end + 1;
  }
  throw syntaxError(
    source,
    start,
    `expected a line with ${marker} alone, and a line end behind it, to end this text`,
  );
}

// Blank lines neither count nor lose anything.
function unindent(lines: readonly string[]): string[] {
  const indents = lines.map((line) => line.search(/\P{White_Space}/u));
  const least = Math.min(...indents.filter((indent) => indent >= 0));
  return lines.map((line, i) => indents[i]! < 0 ? line : line.slice(least));
}

function strangeCharacter(source: SourceText, at: number): TaskError {
  const character = String.fromCodePoint(source.text.codePointAt(at)!);
  if (character === "'" || character === "`") {
    return syntaxError(source, at, `expected a text in double quotes ("…"), found ${character}`);
  }
  if (source.text.startsWith("<<", at)) {
    return syntaxError(source, at, "expected a marker and a line end behind <<, as in <<EOT");
  }
  const shown = /[\p{L}\p{N}\p{P}\p{S}]/u.test(character)
    ? character
    : `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
  return syntaxError(source, at, `expected a name or a value, found ${shown}`);
}

function wordAt(text: string, start: number): string {
  return /^[^\s,[\]{}()"=]{1,40}/.exec(text.slice(start, start + 40))?.[0] ?? "";
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
