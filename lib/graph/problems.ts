/**
 * Findings about a graph or a rendered object: where, what, and what would be right.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";
import { type ExitCode, TaskError } from "../cli/errors.ts";
import type { Version } from "./engine_tables.ts";

/** One finding. */
export interface Problem {
  /** An error stops; a warning is shown. */
  readonly severity: "error" | "warning";
  /** Where, for example `components[1].gpus`; empty for the whole. */
  readonly path: string;
  /** What is wrong, with the value and the expectation. */
  readonly message: string;
  /** What to do. */
  readonly hint?: string;
  /** The first release that has what the graph asks for, where the release is the problem. */
  readonly since?: Version;
}

/** An error at a path. */
export function error(path: string, message: string, hint?: string): Problem {
  return { severity: "error", path, message, ...(hint === undefined ? {} : { hint }) };
}

/** A warning at a path. */
export function warning(path: string, message: string, hint?: string): Problem {
  return { ...error(path, message, hint), severity: "warning" };
}

/** Says which release is the first one with something. */
export function tooOld(
  path: string,
  what: string,
  [major, minor, patch = 0]: Version,
  release: Release,
): Problem {
  const first = `${major}.${minor}.${patch}`;
  return {
    ...error(
      path,
      `${what} comes with Dynamo ${first}, and this is ${release.version}`,
      `Set DYNAMO_VERSION=${first} or later, or leave it out.`,
    ),
    since: [major, minor, patch],
  };
}

/** `path: message. hint`. */
export function problemText(problem: Problem): string {
  const text = statement(problem);
  if (problem.hint === undefined) return text;
  return `${text}${/[.?!]$/.test(text) ? "" : "."} ${problem.hint}`;
}

function statement({ path, message }: Problem): string {
  return path === "" ? message : `${path}: ${message}`;
}

/** Only the errors. */
export function errorsOf(problems: readonly Problem[]): Problem[] {
  return problems.filter((problem) => problem.severity === "error");
}

/** A value as it is shown in messages: JSON, cut at 60 characters. */
export function shown(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}

/** Options of {@link throwProblems}. */
export interface ProblemErrorOptions {
  /** The error's code. */
  readonly code: string;
  /** What the problems are about, for example a file name. */
  readonly subject: string;
  /** Exit code of the process. */
  readonly exitCode: ExitCode;
  /** What to do, when the first problem does not say it. */
  readonly hint?: string;
}

/**
 * Does nothing without errors.
 *
 * @throws {TaskError} whose message is the first error and whose evidence lists the others.
 */
export function throwProblems(problems: readonly Problem[], options: ProblemErrorOptions): void {
  const [first, ...others] = errorsOf(problems);
  if (first === undefined) return;
  throw new TaskError({
    code: options.code,
    message: `${options.subject}: ${statement(first)}`,
    hint: first.hint ?? options.hint,
    exitCode: options.exitCode,
    evidence: others.map(problemText),
  });
}
