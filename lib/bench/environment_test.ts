import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { clientEnvironment } from "./client_environment.ts";
import { redactArgs } from "./environment.ts";

Deno.test("arguments are kept, secrets in them are not", () => {
  // Made up, and put together here so that no scanner takes them for real ones.
  const [hf, key] = [`hf_${"a".repeat(20)}`, `nvapi-${"b".repeat(20)}`];
  assert.deepEqual(
    redactArgs([
      "python3",
      "--model",
      "Qwen/Qwen3-0.6B",
      "--hf-token",
      "anything",
      "--api-key=letmein",
      "--max-num-batched-tokens",
      "8192",
      "--max-tokens=100",
      "--url",
      "https://user:pass@host/x",
      `echo ${hf}`,
      key,
      '{"password":"x y","size":3}',
    ]),
    [
      "python3",
      "--model",
      "Qwen/Qwen3-0.6B",
      "--hf-token",
      "***",
      "--api-key=***",
      "--max-num-batched-tokens",
      "8192",
      "--max-tokens=100",
      "--url",
      "https://***@host/x",
      "echo ***",
      "***",
      '{"password":***,"size":3}',
    ],
  );
});

Deno.test("the machine and the checkout: a branch, a packed one, a work tree, none", async () => {
  await using test = await testContext();
  const root = `${test.ctx.home}/project`;
  const ctx = { ...test.ctx, root };
  const write = async (path: string, text: string) => {
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  };
  const commit = async () => (await clientEnvironment(ctx)).commit;
  assert.equal(await commit(), null);
  await write(`${root}/CHANGELOG.md`, "# Changelog\n\n## [Unreleased]\n\n## [1.2.3]\n");
  await write(`${root}/.git/HEAD`, "ref: refs/heads/main\n");
  await write(`${root}/.git/packed-refs`, "# pack-refs\nabc123 refs/heads/main\n");
  assert.equal(await commit(), "abc123");
  await write(`${root}/.git/refs/heads/main`, "def456\n");
  assert.equal(await commit(), "def456");
  await write(`${root}/.git/HEAD`, "0123456789\n");
  assert.equal(await commit(), "0123456789");
  await write(`${root}/.git/worktrees/two/HEAD`, "ref: refs/heads/main\n");
  await write(`${root}/.git/worktrees/two/commondir`, "../..\n");
  await write(`${root}/two/.git`, `gitdir: ${root}/.git/worktrees/two\n`);
  const tree = await clientEnvironment({ ...ctx, root: `${root}/two` });
  assert.equal(tree.commit, "def456");
  const environment = await clientEnvironment(ctx);
  assert.equal(environment.version, "unreleased");
  assert.equal(environment.deno, Deno.version.deno);
  assert.ok(environment.cpus > 0 && environment.memory_bytes > 1e8);
});
