/**
 * A model folder without weights: what a Dynamo frontend and mocker read of a
 * Hugging Face model, so that nothing has to be downloaded.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { readIfThere, writeFileAtomic } from "../../cli/files.ts";
import { buildBpe, SPECIAL_TOKENS, tokenizerJson } from "./model_tokenizer.ts";

/** Longest sequence (prompt and answer, tokens) of the simulated model. */
export const MAX_SEQUENCE = 32_768;

const END_OF_TEXT = "<|endoftext|>";
const END_OF_TURN = "<|im_end|>";

/** ChatML, with text parts taken out of structured content. */
const CHAT_TEMPLATE = [
  "{%- for message in messages -%}",
  "{{- '<|im_start|>' + message.role + '\\n' -}}",
  "{%- if message.content is string -%}{{- message.content -}}",
  "{%- else -%}{%- for part in message.content -%}",
  "{%- if part.type == 'text' -%}{{- part.text -}}{%- endif -%}",
  "{%- endfor -%}{%- endif -%}",
  "{{- '<|im_end|>' + '\\n' -}}",
  "{%- endfor -%}",
  "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}",
].join("");

/** The files of the folder, by name. The same with every call. */
export function modelFiles(): Record<string, string> {
  const bpe = buildBpe();
  const text = (value: unknown) => JSON.stringify(value) + "\n";
  return {
    "tokenizer.json": text(tokenizerJson(bpe)),
    "tokenizer_config.json": text(tokenizerConfig()),
    "config.json": text(modelConfig(Object.keys(bpe.vocab).length)),
    "generation_config.json": text(generationConfig()),
  };
}

/** Writes the folder, or only what differs in it, and returns its path. */
export async function writeModelFolder(
  ctx: Pick<Context, "fs" | "processes">,
  folder: string,
): Promise<string> {
  for (const [name, content] of Object.entries(modelFiles())) {
    const path = `${folder}/${name}`;
    if (await readIfThere(ctx, path) !== content) await writeFileAtomic(ctx, path, content);
  }
  return folder;
}

function tokenizerConfig(): Record<string, unknown> {
  return {
    added_tokens_decoder: Object.fromEntries(
      Object.entries(SPECIAL_TOKENS).map(([content, id]) => [String(id), {
        content,
        lstrip: false,
        normalized: false,
        rstrip: false,
        single_word: false,
        special: true,
      }]),
    ),
    add_bos_token: false,
    add_prefix_space: false,
    bos_token: null,
    chat_template: CHAT_TEMPLATE,
    clean_up_tokenization_spaces: false,
    eos_token: END_OF_TURN,
    errors: "replace",
    model_max_length: MAX_SEQUENCE,
    pad_token: END_OF_TEXT,
    split_special_tokens: false,
    tokenizer_class: "Qwen2Tokenizer",
    unk_token: null,
  };
}

// Sizes of a 0.6B model of the Qwen3 family: the mocker reads them to size its KV cache.
function modelConfig(vocabularySize: number): Record<string, unknown> {
  return {
    architectures: ["Qwen3ForCausalLM"],
    attention_bias: false,
    attention_dropout: 0,
    bos_token_id: SPECIAL_TOKENS[END_OF_TEXT],
    eos_token_id: SPECIAL_TOKENS[END_OF_TURN],
    head_dim: 128,
    hidden_act: "silu",
    hidden_size: 1024,
    initializer_range: 0.02,
    intermediate_size: 3072,
    max_position_embeddings: MAX_SEQUENCE,
    max_window_layers: 28,
    model_type: "qwen3",
    num_attention_heads: 16,
    num_hidden_layers: 28,
    num_key_value_heads: 8,
    rms_norm_eps: 1e-6,
    rope_scaling: null,
    rope_theta: 1_000_000,
    sliding_window: null,
    tie_word_embeddings: true,
    torch_dtype: "bfloat16",
    use_cache: true,
    use_sliding_window: false,
    vocab_size: vocabularySize,
  };
}

function generationConfig(): Record<string, unknown> {
  return {
    bos_token_id: SPECIAL_TOKENS[END_OF_TEXT],
    do_sample: true,
    eos_token_id: [SPECIAL_TOKENS[END_OF_TURN], SPECIAL_TOKENS[END_OF_TEXT]],
    pad_token_id: SPECIAL_TOKENS[END_OF_TEXT],
    temperature: 0.6,
    top_k: 20,
    top_p: 0.95,
  };
}
