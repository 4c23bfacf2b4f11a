/**
 * Before the clock starts: which fields does this server accept, does it count tokens, and
 * how many words make a prompt of the asked length? A few real requests tell; no tokenizer
 * is needed.
 *
 * @module
 */
import type { Clock } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { Lane } from "./lane.ts";
import type { BenchConfig } from "./options.ts";
import type { PromptSource } from "./prompts.ts";
import { newRecord, type RequestRecord } from "./record.ts";
import { hideSecrets, type RequestShape, requestSource, type RequestTarget } from "./request.ts";
import type { Dial } from "./transport.ts";
import { fixedWorkload, type WordCounts, wordCounts, type WordRule } from "./workload.ts";

/** What probes need. */
export interface ProbeOptions {
  /** Opens the connection. */
  readonly dial: Dial;
  /** Time. */
  readonly clock: Clock;
  /** Stops it. */
  readonly signal: AbortSignal;
  /** Where requests go. */
  readonly target: RequestTarget;
  /** What was asked. */
  readonly config: BenchConfig & { readonly model: string };
  /** Prompts. */
  readonly prompts: PromptSource;
  /** Names of the models that the server lists; empty where it lists none. */
  readonly served?: readonly string[] | undefined;
}

/** What was found out. */
export interface Probed {
  /** Requests as this server accepts them. */
  readonly shape: RequestShape;
  /** Words that make prompts of a length. */
  readonly words: WordCounts;
  /** The same as plain data. */
  readonly rule: WordRule;
  /** Whether the length rests on the server's own count. */
  readonly calibrated: boolean;
  /** Milliseconds to the first output of a short answer; NaN when it was not streamed. */
  readonly ttftMs: number;
  /** Milliseconds to its end. */
  readonly e2eMs: number;
  /** Tokens of that answer. */
  readonly tokens: number;
  /** What a person should know. */
  readonly warnings: readonly string[];
}

/** Most tokens of an answer to a probe. */
const PROBE_TOKENS = 16;
const PROBE_WORDS = 16;
// Prompts of probes are none of those that are measured.
const FIRST_PROBE = 1 << 29;
// Statuses that mean "not with these fields".
const REFUSED = /^http_(400|422)$/;
// Rounds of correction, and how near is near enough.
const ROUNDS = 3;
const NEAR = 0.01;

/** Asks the server; see the module's description. */
export async function probe(options: ProbeOptions): Promise<Probed> {
  const asker = new Asker(options);
  try {
    const warnings: string[] = [];
    const { shape, record } = await findShape(asker, options, warnings);
    const length = await (options.config.tokenizer === undefined ? calibrate : exactly)(
      asker,
      shape,
      options.config.inputTokens,
      warnings,
    );
    return {
      ...length,
      words: wordCounts(length.rule),
      shape,
      warnings,
      ttftMs: record.first - record.sent,
      e2eMs: record.ended - record.sent,
      tokens: PROBE_TOKENS,
    };
  } finally {
    asker.close();
  }
}

/** Sends one request after the other over one connection. */
class Asker {
  readonly #options: ProbeOptions;
  readonly #lane: Lane;
  #next = FIRST_PROBE;

  constructor(options: ProbeOptions) {
    const { config, clock, dial } = options;
    this.#options = options;
    this.#lane = new Lane({
      connectTimeoutMs: config.connectTimeoutMs,
      requestTimeoutMs: config.requestTimeoutMs,
      idleTimeoutMs: config.idleTimeoutMs,
      id: 0,
      dial,
      now: () => clock.monotonic(),
      stream: config.stream,
      onOutput: () => {},
    });
    options.signal.addEventListener("abort", this.close);
  }

  async ask(shape: RequestShape, words: number, outputTokens: number): Promise<RequestRecord> {
    const { target, prompts, clock, signal } = this.#options;
    signal.throwIfAborted();
    const record = newRecord(this.#next++, 0, clock.monotonic());
    const workload = fixedWorkload(prompts, { words, outputTokens });
    const request = requestSource(target, shape, workload)(record.index);
    const end = new AbortController();
    const watching = this.#watch(end.signal);
    await this.#lane.exchange(request, record);
    end.abort();
    await watching;
    signal.throwIfAborted();
    return record;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(200, signal).catch(() => {});
      this.#lane.checkTime(clock.monotonic());
    }
  }

  readonly close = () => {
    this.#options.signal.removeEventListener("abort", this.close);
    this.#lane.close();
  };
}

// From what we like most to what everybody takes. Dynamo 1.x refuses unknown fields with 400,
// 0.4.1 ignores them, OpenAI's newer models want max_completion_tokens.
function shapes(config: BenchConfig & { readonly model: string }): RequestShape[] {
  const { api, model, stream, extra } = config;
  const base: RequestShape = {
    api,
    model,
    stream,
    limitField: "max_tokens",
    minTokens: true,
    ignoreEos: true,
    usage: "end",
    extra,
  };
  const plain: RequestShape = { ...base, minTokens: false, ignoreEos: false };
  return [
    base,
    { ...base, minTokens: false },
    { ...base, ignoreEos: false },
    plain,
    { ...plain, limitField: "max_completion_tokens" },
    { ...plain, usage: "none" },
  ];
}

async function findShape(
  asker: Asker,
  options: ProbeOptions,
  warnings: string[],
): Promise<{ shape: RequestShape; record: RequestRecord }> {
  const { config } = options;
  const tokens = Math.min(PROBE_TOKENS, config.outputTokens);
  const limitProblem = (shape: RequestShape) => shape.minTokens || shape.ignoreEos;
  let refused: RequestRecord | undefined;
  for (const shape of shapes(config)) {
    const record = await asker.ask(shape, PROBE_WORDS, tokens);
    if (record.failure !== undefined && REFUSED.test(record.failure)) {
      // A message that fits all shapes is most telling in the first one.
      refused ??= record;
      continue;
    }
    if (record.failure !== undefined && record.failure !== "empty") {
      throw probeError(options, record);
    }
    if (!limitProblem(shape)) {
      warnings.push("the server takes neither min_tokens nor ignore_eos: answers may end early");
    }
    return await withUsageInChunks(asker, config, shape, record, tokens);
  }
  throw probeError(options, refused!);
}

// Where several tokens share an event, only usage in every chunk tells how many the first had.
async function withUsageInChunks(
  asker: Asker,
  config: BenchConfig,
  shape: RequestShape,
  record: RequestRecord,
  tokens: number,
): Promise<{ shape: RequestShape; record: RequestRecord }> {
  const grouped = record.outputTokens > 1.05 * record.events;
  if (!config.stream || shape.usage === "none" || !grouped || record.events === 0) {
    return { shape, record };
  }
  const detailed: RequestShape = { ...shape, usage: "every-chunk" };
  const again = await asker.ask(detailed, PROBE_WORDS, tokens);
  return again.failure === undefined ? { shape: detailed, record: again } : { shape, record };
}

// Tokens that the server counts in a prompt of so many words; NaN when it does not count.
function counter(asker: Asker, shape: RequestShape): (words: number) => Promise<number> {
  return async (words) => {
    const record = await asker.ask({ ...shape, minTokens: false }, words, 1);
    return record.inputTokens;
  };
}

async function calibrate(
  asker: Asker,
  shape: RequestShape,
  target: number,
  warnings: string[],
): Promise<{ rule: WordRule; calibrated: boolean }> {
  const count = counter(asker, shape);
  const small = await count(1);
  const larger = await count(1 + PROBE_WORDS * 4);
  if (!(larger > small)) {
    warnings.push("the server does not count prompt tokens: a word is taken for a token");
    return { rule: { kind: "plain" }, calibrated: false };
  }
  let perWord = (larger - small) / (PROBE_WORDS * 4);
  if (target <= small) {
    if (target < small) {
      warnings.push(
        `prompts have ${small} tokens: the server adds its template to the shortest prompt`,
      );
    }
    const tried = { tokens: target, words: 1 };
    return { rule: { kind: "measured", small, perWord, tried }, calibrated: true };
  }
  let words = Math.max(1, Math.round(1 + (target - small) / perWord));
  let got = NaN;
  for (let round = 0; round < ROUNDS; round++) {
    got = await count(words);
    if (Number.isNaN(got) || Math.abs(got - target) <= Math.max(1, NEAR * target)) break;
    perWord = words > 1 ? (got - small) / (words - 1) : perWord;
    words = Math.max(1, Math.round(1 + (target - small) / perWord));
  }
  if (Number.isNaN(got)) {
    warnings.push(`the server refused a prompt of ${target} tokens or did not count it`);
  }
  return {
    rule: { kind: "measured", small, perWord, tried: { tokens: target, words } },
    calibrated: !Number.isNaN(got),
  };
}

// With words of one token each only the template's tokens have to be asked for.
async function exactly(
  asker: Asker,
  shape: RequestShape,
  target: number,
  warnings: string[],
): Promise<{ rule: WordRule; calibrated: boolean }> {
  const count = counter(asker, shape);
  const small = await count(1);
  if (Number.isNaN(small)) {
    warnings.push(
      "the server does not count prompt tokens: the tokens of its template come on top of the " +
        "prompts' exact lengths",
    );
    return { rule: { kind: "exact", template: 0 }, calibrated: false };
  }
  const template = small - 1;
  const words = Math.max(1, target - template);
  const got = await count(words);
  if (got !== words + template) {
    warnings.push(
      `the server counts ${got} tokens in a prompt that has ${words + template} by --tokenizer: ` +
        "it is not the model's own, or the server changes prompts",
    );
  } else if (target <= template) {
    warnings.push(
      `prompts have ${small} tokens: the server adds its template to the shortest prompt`,
    );
  }
  return {
    rule: { kind: "exact", template },
    calibrated: got === words + template,
  };
}

function probeError(options: ProbeOptions, record: RequestRecord): TaskError {
  const { config, target } = options;
  const path = config.api === "chat" ? "/v1/chat/completions" : "/v1/completions";
  const timedOut = record.failure === "timeout" || record.failure === "idle_timeout";
  const what = record.status === 0 || record.status === 200 ? record.failure : record.status;
  return new TaskError({
    code: "BENCH_PROBE",
    message: `The first request to ${config.url}${path} failed (${what}): ${
      hideSecrets(record.message, target)
    }`,
    hint: probeHint(options, record),
    ...(timedOut ? { exitCode: 4 as const } : {}),
  });
}

function probeHint({ config, served = [] }: ProbeOptions, record: RequestRecord): string {
  const { status, failure } = record;
  if (served.length > 0 && !served.includes(config.model)) {
    return `${config.model} is none of the served models: ${served.join(", ")}`;
  }
  if (status >= 300 && status < 400) {
    return "Measure that URL itself: a redirect for each request would be part of every figure.";
  }
  if (status === 404 || status === 405) {
    const other = config.api === "chat" ? "completions" : "chat";
    return `Does the server have this API? --api ${other} is the other one.`;
  }
  if (status === 401 || status === 403) {
    return "With --url the key comes from the environment variable OPENAI_API_KEY.";
  }
  if (failure === "not_sse") return "--no-stream measures servers that do not stream.";
  return "See deno task test, and the logs of the frontend and its workers.";
}
