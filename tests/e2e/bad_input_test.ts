/**
 * Wrong input, as a user types it: a clear message, the right exit code, nothing touched.
 */
import assert from "node:assert/strict";
import { exists } from "../../lib/cli/files.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { runTaskProcess } from "../support/task.ts";

interface Case {
  readonly title: string;
  readonly words: readonly string[];
  readonly env?: Record<string, string>;
  readonly code: number;
  readonly says: readonly RegExp[];
}

const CASES: readonly Case[] = [
  {
    title: "an unknown example is refused with a suggestion",
    words: ["deploy", "vlm", "--dry-run"],
    code: 2,
    says: [/vlm/, /Did you mean "vllm"/],
  },
  {
    title: "an unknown flag is refused with a suggestion",
    words: ["deploy", "vllm", "--dry-runn"],
    code: 2,
    says: [/--dry-runn/, /--dry-run/],
  },
  {
    title: "deploy without an example and without a terminal lists them",
    words: ["deploy"],
    code: 2,
    says: [/Which example/, /hello-world/, /kv-routing/],
  },
  {
    title: "an impossible DYNAMO_VERSION names the variable and the accepted form",
    words: ["config"],
    env: { DYNAMO_VERSION: "latest version" },
    code: 3,
    says: [/DYNAMO_VERSION/, /latest version/, /X\.Y\.Z/],
  },
  {
    title: "a release older than the oldest supported one is refused",
    words: ["config"],
    env: { DYNAMO_VERSION: "v0.2.0" },
    code: 3,
    says: [/0\.2\.0/, /0\.4\.1/],
  },
  {
    title: "deploy before install says what to do",
    words: ["deploy", "vllm"],
    code: 3,
    says: [/Nothing is installed yet/, /deno task install/],
  },
  {
    title: "status before install says what to do",
    words: ["status"],
    code: 3,
    says: [/Nothing is installed yet/],
  },
  {
    title: "install without a target and without a terminal says how to choose",
    words: ["install"],
    code: 2,
    says: [/--target local/],
  },
  {
    title: "cleanup without a level and without a terminal says how to choose",
    words: ["cleanup"],
    code: 2,
    says: [/--graphs/, /--all/],
  },
  {
    title: "cleanup without a yes removes nothing",
    words: ["cleanup", "--all"],
    code: 2,
    says: [/--yes/],
  },
  {
    title: "contradicting levels of cleanup are refused",
    words: ["cleanup", "vllm", "--all"],
    code: 2,
    says: [/one of/],
  },
  {
    title: "a replica count for a component that is not there names those that are",
    words: ["deploy", "vllm", "--replicas", "Worker1=2", "--dry-run"],
    code: 2,
    says: [/Worker1/, /VllmDecodeWorker/],
  },
  {
    title: "a number that is none is refused",
    words: ["bench", "--requests", "many"],
    code: 2,
    says: [/requests/, /many/],
  },
  {
    title: "an unknown shell is refused",
    words: ["completions", "tcsh"],
    code: 2,
    says: [/tcsh/, /bash/],
  },
];

for (const { title, words, env, code, says } of CASES) {
  Deno.test(title, async () => {
    await using test = await testContext();
    const result = await runTaskProcess(words, { home: test.ctx.home, ...(env ? { env } : {}) });
    assert.equal(result.code, code, result.stderr);
    for (const pattern of says) assert.match(result.stderr, pattern);
    assert.equal(result.stdout, "", "talk must not be on stdout");
    assert.ok(!/\n\s+at .*\.ts:/.test(result.stderr), `a stack was shown:\n${result.stderr}`);
    assert.equal(await exists(test.ctx, test.ctx.home), false, "the state folder was touched");
  });
}

Deno.test("malformed tfvars: file, line, column and what was expected", async () => {
  await using test = await testContext();
  const folder = await Deno.makeTempDir();
  const file = `${folder}/blueprint.tfvars`;
  await Deno.writeTextFile(file, 'name = "demo"\nregion = \nenable_argocd = true\n');
  const result = await runTaskProcess(["config"], {
    home: test.ctx.home,
    env: { DYNAMO_BLUEPRINT: file },
  });
  assert.equal(result.code, 3, result.stderr);
  assert.match(result.stderr, /blueprint\.tfvars:2:\d+/);
  assert.match(result.stderr, /expected/i);
  await Deno.remove(folder, { recursive: true });
});
