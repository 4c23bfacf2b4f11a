/**
 * `deno task chat`: talk to the model of a deployed graph.
 *
 * @module
 */
import { parseHeaders } from "../lib/bench/headers.ts";
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { interruptedError, usageError } from "../lib/cli/errors.ts";
import { interrupted } from "../lib/cli/interrupted.ts";
import { runTask } from "../lib/cli/main.ts";
import { commonOptions, type OptionValues } from "../lib/cli/options.ts";
import { type ChatEndpoint, chatWithGraph, chatWithUrl, chooseModel } from "../lib/deploy/chat.ts";
import { answerOnce, converse } from "../lib/deploy/chat_terminal.ts";
import { Conversation, DEFAULT_MAX_TOKENS } from "../lib/serving/conversation.ts";
import { baseUrl } from "../lib/serving/endpoint.ts";

const options = {
  target: commonOptions.target,
  namespace: commonOptions.namespace,
  output: commonOptions.output,
  verbose: commonOptions.verbose,
  model: {
    kind: "text",
    short: "m",
    placeholder: "name",
    description: "Model to talk to; the only one when left out",
  },
  system: {
    kind: "text",
    short: "s",
    placeholder: "text",
    description: "What the model is told before all questions",
  },
  maxTokens: {
    kind: "integer",
    min: 1,
    default: DEFAULT_MAX_TOKENS,
    placeholder: "n",
    description: "Most tokens of an answer",
  },
  temperature: {
    kind: "number",
    min: 0,
    max: 2,
    placeholder: "t",
    description: "Sampling temperature, 0 to 2; the model's own when left out",
  },
  url: {
    kind: "text",
    placeholder: "url",
    description: "Talk to this endpoint, without a cluster; the key is OPENAI_API_KEY",
  },
  header: {
    kind: "list",
    placeholder: "name: value",
    description: "--url: add a header; $NAME takes its value from the environment",
  },
} as const;

type ChatOptions = OptionValues<typeof options>;

/** The task. */
export const command = defineCommand({
  name: "chat",
  summary: "Talk to the model of a deployed graph, or of an endpoint",
  description: "With a prompt, or with text on standard input, it answers once. On a terminal it " +
    "goes on until Ctrl-D; Ctrl-C stops an answer, and again leaves. The answer is on stdout, " +
    "all else on stderr. With --output json an answer is one line, with its tokens and times.",
  args: [
    { name: "graph", description: "Name of the graph; the only one when left out" },
    { name: "prompt", description: "What to ask", variadic: true },
  ],
  options,
  examples: [
    { command: "chat vllm", text: "A conversation" },
    { command: 'chat vllm "Why is the sky blue?"', text: "One answer" },
    { command: "chat vllm Summarise: < notes.txt", text: "About a text" },
    { command: "chat --url http://127.0.0.1:8000 Hello", text: "Without a cluster" },
    { command: "chat vllm Hello --output json", text: "Tokens, TTFT and tokens/s, too" },
  ],
  async run(ctx, { options, args }) {
    checkOptions(options);
    const { graph, words } = targetOf(args, options.url);
    const piped = await pipedInput(ctx);
    const prompt = [piped?.trim() ?? "", words].filter((text) => text !== "").join("\n\n");
    if (prompt === "" && !ctx.ui.interactive) {
      throw usageError(
        "CHAT_PROMPT",
        "There is nothing to ask: no prompt, nothing on standard input, no terminal to type on",
        'deno task chat vllm "Why is the sky blue?"',
      );
    }
    await using chat = await openChat(ctx, options, graph);
    const model = await chooseModel(ctx, chat, options.model);
    if (chat.note !== undefined) ctx.ui.info(`  ${chat.note}`);
    const { system, maxTokens, temperature } = options;
    const conversation = new Conversation(ctx, {
      endpoint: chat.endpoint,
      gone: chat.gone,
      replaced: chat.replaced,
      model,
      system,
      maxTokens,
      temperature,
    });
    const json = options.output === "json";
    if (prompt !== "") {
      await answerOnce(ctx, conversation, { prompt, json });
      return;
    }
    ctx.ui.info(`  ${model} of ${chat.title}; /help says what else there is`);
    return await converse(ctx, conversation, json);
  },
});

function checkOptions({ url, header }: ChatOptions): void {
  if (url === undefined && header.length > 0) {
    throw usageError("CHAT_OPTIONS", "--header needs --url");
  }
  // Refused before standard input is read.
  if (url !== undefined) baseUrl(url);
}

/** The first word is the graph, unless there is a URL, or no graph can be called so. */
function targetOf(
  args: readonly string[],
  url: string | undefined,
): { readonly graph: string | undefined; readonly words: string } {
  const [first, ...rest] = args;
  return url === undefined && first !== undefined && /^[a-z0-9][a-z0-9.-]*$/.test(first)
    ? { graph: first, words: rest.join(" ") }
    : { graph: undefined, words: args.join(" ") };
}

const SAY_AFTER_MS = 2_000;

async function pipedInput(ctx: Context): Promise<string | undefined> {
  const timer = setTimeout(
    () => ctx.ui.info("  Reading standard input to its end; < /dev/null leaves it out"),
    SAY_AFTER_MS,
  );
  const stopped = interrupted(ctx.signal).then((): never => {
    throw interruptedError();
  });
  try {
    return await Promise.race([ctx.ui.input(), stopped]);
  } finally {
    clearTimeout(timer);
  }
}

async function openChat(
  ctx: Context,
  options: ChatOptions,
  graph: string | undefined,
): Promise<ChatEndpoint> {
  const { url, header } = options;
  if (url === undefined) return await chatWithGraph(ctx, graph, options);
  return chatWithUrl({
    url,
    apiKey: ctx.env.get("OPENAI_API_KEY"),
    headers: parseHeaders(ctx.env, header),
  });
}

if (import.meta.main) await runTask(command);
