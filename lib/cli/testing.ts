/**
 * A context for tests: real files, processes and clock in a folder of its own,
 * and a terminal that remembers what was said.
 *
 * @module
 */
import type { Context, Environment } from "./context.ts";
import { denoContext } from "./context_deno.ts";
import type { StepUi, Ui } from "./ui.ts";
import { plainUi } from "./ui_plain.ts";

/** What a test terminal heard. */
export interface Heard {
  /** Standard error, as lines. */
  readonly talk: string[];
  /** Standard output, as texts. */
  readonly data: string[];
}

/** Options of {@link testContext}. */
export interface TestContextOptions {
  /** Environment variables; the process's own are not seen, except PATH and HOME. */
  readonly env?: Record<string, string>;
  /** Aborts the context. */
  readonly signal?: AbortSignal;
  /** Standard input; a terminal unless given. */
  readonly input?: string;
  /** State folder; a temporary one unless given. */
  readonly home?: string;
  /** Cache folder; the user's unless given. */
  readonly cache?: string;
}

/** A context with its terminal's memory. Call `dispose` (or use `await using`) to remove its folder. */
export interface TestContext extends AsyncDisposable {
  /** The context. */
  readonly ctx: Context;
  /** What its terminal heard. */
  readonly heard: Heard;
  /** Removes the temporary folder. */
  dispose(): Promise<void>;
}

/** Makes a context for a test. */
export async function testContext(options: TestContextOptions = {}): Promise<TestContext> {
  const heard: Heard = { talk: [], data: [] };
  const made = options.home === undefined
    ? await Deno.makeTempDir({ prefix: "dynamo-eks-test-" })
    : undefined;
  const ui = recordingUi(heard, options.input);
  const base = denoContext(ui, options.signal ?? new AbortController().signal);
  const ctx: Context = {
    ...base,
    env: fixedEnvironment(options.env ?? {}),
    home: options.home ?? `${made}/.dynamo`,
    cache: options.cache ?? base.cache,
  };
  const dispose = async () => {
    if (made !== undefined) await Deno.remove(made, { recursive: true }).catch(() => {});
  };
  return { ctx, heard, dispose, [Symbol.asyncDispose]: dispose };
}

/** An environment of these variables only, with PATH and HOME of the process. */
export function fixedEnvironment(variables: Record<string, string>): Environment {
  const all: Record<string, string> = { ...variables };
  for (const name of ["PATH", "HOME"]) {
    const value = Deno.env.get(name);
    if (all[name] === undefined && value !== undefined) all[name] = value;
  }
  return { get: (name) => all[name] || undefined, toObject: () => ({ ...all }) };
}

/** A plain terminal that writes into memory. */
export function recordingUi(heard: Heard, input?: string): Ui {
  return plainUi({
    writeError: (text) => heard.talk.push(text.replace(/\n$/, "")),
    writeOut: (text) => heard.data.push(text.replace(/\n$/, "")),
    now: () => performance.now(),
    verbose: false,
    color: false,
    width: 80,
    input: () => Promise.resolve(input),
  });
}

/** A step that says nothing, for functions that want one. */
export const silentStep: StepUi = {
  update: () => {},
  progress: () => {},
  done: () => {},
  skip: () => {},
  fail: () => {},
};
