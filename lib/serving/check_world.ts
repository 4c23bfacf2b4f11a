/**
 * What the checks of an endpoint know of it, and find out together.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { chat, type ChatOptions, type Completion, completions } from "./completions.ts";
import type { Endpoint } from "./endpoint.ts";
import { listModels, type Model } from "./probes.ts";
import { failed } from "./check_run.ts";

/** What is known of what is behind an endpoint. Nothing is known of a URL: then all is tried. */
export interface ServedTraits {
  /** Dynamo's release, for what differs between releases. */
  readonly release?: string | undefined;
  /** Why answers have no meaning (a mocker produces random tokens); undefined for real engines. */
  readonly meaningless?: string | undefined;
  /** Whether workers parse calls of tools; undefined when not known. */
  readonly tools?: boolean | undefined;
  /** Whether the model takes images; undefined when not known. */
  readonly multimodal?: boolean | undefined;
  /** Whether prefill and decode are workers of their own; undefined when not known. */
  readonly disaggregated?: boolean | undefined;
  /** Whether the router looks at the workers' KV caches; undefined when not known. */
  readonly kvRouter?: boolean | undefined;
  /** Names of LoRA adapters that are to be served; undefined when not known. */
  readonly adapters?: readonly string[] | undefined;
}

/** Most tokens asked for in a check. */
export const MAX_TOKENS = 16;
/** What the checks ask. */
export const PROMPT = "Say hello in one short sentence.";
/** Stands in curl lines for a model that is not known. */
export const NO_MODEL = "MODEL";

/** The endpoint, the model that is asked, and the answers so far. */
export class CheckWorld {
  /** Answers of completions, for the check of their token counts. */
  readonly answers: Completion[] = [];
  /** Models listed, once they were asked for. */
  models: readonly Model[] | undefined;

  /** Nothing is asked yet. */
  constructor(
    readonly ctx: Context,
    readonly endpoint: Endpoint,
    readonly traits: ServedTraits,
    readonly wanted: string | undefined,
  ) {}

  /** Name of the model to ask, as far as it is known by now. */
  get model(): string | undefined {
    return this.wanted ?? this.models?.[0]?.id;
  }

  /** Lists the models and remembers them. */
  async listModels(): Promise<readonly Model[]> {
    return this.models = await listModels(this.ctx, this.endpoint);
  }

  /** Name of the model to ask; asks for the list when it is not known. Undefined: there is none. */
  async findModel(): Promise<string | undefined> {
    if (this.model === undefined) await this.listModels().catch(() => undefined);
    return this.model;
  }

  /** Options of a chat, with what the checks have in common. */
  chatOptions(more: Partial<ChatOptions> = {}): ChatOptions {
    return { model: this.model ?? NO_MODEL, maxTokens: MAX_TOKENS, messages: PROMPT, ...more };
  }

  /** A chat whose answer must not be empty. */
  async chat(more: Partial<ChatOptions> = {}): Promise<Completion> {
    return notEmpty(await chat(this.ctx, this.endpoint, this.chatOptions(more)));
  }

  /** A plain completion whose answer must not be empty. */
  async complete(stream: boolean): Promise<Completion> {
    const model = this.model ?? NO_MODEL;
    const options = { model, maxTokens: MAX_TOKENS, stream, prompt: PROMPT };
    return notEmpty(await completions(this.ctx, this.endpoint, options));
  }
}

function notEmpty(answer: Completion): Completion {
  if (answer.text === "" && answer.reasoning === "" && !answer.toolCall) {
    throw failed("the answer is empty");
  }
  return answer;
}
