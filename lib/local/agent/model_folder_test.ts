import assert from "node:assert/strict";
import { testContext } from "../../cli/testing.ts";
import { modelFiles, writeModelFolder } from "./model_folder.ts";
import { ANSWER_TOKENS, buildBpe, byteAlphabet, SPECIAL_TOKENS } from "./model_tokenizer.ts";

/** Plain BPE over one piece of text, to see what a tokenizer would do with the merges. */
function encode(piece: string): string[] {
  const ranks = new Map(buildBpe().merges.map((pair, rank) => [pair, rank]));
  const alphabet = byteAlphabet();
  const parts = [...new TextEncoder().encode(piece)].map((byte) => alphabet[byte]!);
  for (;;) {
    const best = parts.slice(0, -1)
      .map((part, i) => ({ i, rank: ranks.get(`${part} ${parts[i + 1]}`) ?? Infinity }))
      .reduce((a, b) => b.rank < a.rank ? b : a, { i: -1, rank: Infinity });
    if (best.rank === Infinity) return parts;
    parts.splice(best.i, 2, parts[best.i]! + parts[best.i + 1]!);
  }
}

Deno.test("ids are complete: every number once, every byte there", () => {
  const ids = Object.values(buildBpe().vocab).sort((a, b) => a - b);
  assert.deepEqual(ids, ids.map((_, i) => i));
  assert.equal(new Set(byteAlphabet()).size, 256);
  for (const character of byteAlphabet()) assert.ok(buildBpe().vocab[character]! < 256);
});

Deno.test("every answer of the mocker is a whole word behind a blank", () => {
  const byId = new Map(Object.entries(buildBpe().vocab).map(([token, id]) => [id, token]));
  for (let id = ANSWER_TOKENS.first; id < ANSWER_TOKENS.first + ANSWER_TOKENS.count; id++) {
    assert.match(byId.get(id) ?? "", /^Ġ[a-z]+[,.]?$/);
  }
});

Deno.test("common words are one token, anything else is bytes", () => {
  assert.deepEqual(encode(" the"), ["Ġthe"]);
  assert.deepEqual(encode(" there"), ["Ġthere"]);
  assert.deepEqual(encode("Hello"), ["Hello"]);
  assert.deepEqual(encode("é"), ["Ã", "©"]);
  assert.equal(encode(" zzz").join(""), "Ġzzz");
});

Deno.test("merges make only known tokens", () => {
  const { vocab, merges } = buildBpe();
  for (const pair of merges) {
    const [left = "", right = ""] = pair.split(" ");
    assert.ok(vocab[left] !== undefined && vocab[right] !== undefined);
    assert.ok(vocab[left + right] !== undefined, pair);
  }
});

Deno.test("files agree with one another and are written once", async () => {
  const files = modelFiles();
  const config = JSON.parse(files["config.json"]!);
  const tokenizer = JSON.parse(files["tokenizer.json"]!);
  assert.equal(config.vocab_size, Object.keys(tokenizer.model.vocab).length);
  assert.equal(config.eos_token_id, SPECIAL_TOKENS["<|im_end|>"]);
  assert.deepEqual(files, modelFiles());
  await using test = await testContext();
  const folder = await writeModelFolder(test.ctx, `${test.ctx.home}/model`);
  const first = await Deno.stat(`${folder}/tokenizer.json`);
  await writeModelFolder(test.ctx, folder);
  assert.deepEqual((await Deno.stat(`${folder}/tokenizer.json`)).mtime, first.mtime);
});
