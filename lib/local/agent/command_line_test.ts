import assert from "node:assert/strict";
import { expandReferences, pythonProgram } from "./command_line.ts";
import { flagNumber, flagValue, withoutFlag } from "./flags.ts";
import { splitShell } from "./shell_words.ts";

const table: [string, string[], ReturnType<typeof pythonProgram>][] = [
  ["module", ["python3", "-m", "dynamo.frontend"], {
    module: "dynamo.frontend",
    args: [],
    env: {},
  }],
  ["module with options", ["/usr/bin/python3.12", "-u", "-m", "dynamo.vllm", "--model", "M"], {
    module: "dynamo.vllm",
    args: ["--model", "M"],
    env: {},
  }],
  ["shell", ["/bin/sh", "-c", "python3 -m dynamo.vllm --model Qwen/Qwen3-0.6B"], {
    module: "dynamo.vllm",
    args: ["--model", "Qwen/Qwen3-0.6B"],
    env: {},
  }],
  ["shell with a pipe", ["sh", "-c", "python3 hello_world.py 2>&1 | tee /tmp/hello_world.log"], {
    script: "hello_world.py",
    args: [],
    env: {},
  }],
  ["several commands", [
    "bash",
    "-lc",
    "cd /workspace && export A=1; B='x y' exec python3 -m dynamo.sglang \\\n  --page-size=16 --json '{\"a\": \"b\"}' > log",
  ], {
    module: "dynamo.sglang",
    args: ["--page-size=16", "--json", '{"a": "b"}'],
    env: { B: "x y" },
  }],
  ["launcher", ["mpirun", "-n", "2", "python3", "-m", "dynamo.trtllm"], {
    module: "dynamo.trtllm",
    args: [],
    env: {},
  }],
  [
    "variables",
    ["sh", "-c", 'python3 -m dynamo.vllm --model "${MODEL}" --x ${NONE:-d} --y $MODEL'],
    {
      module: "dynamo.vllm",
      args: ["--model", "my model", "--x", "d", "--y", "my model"],
      env: {},
    },
  ],
  ["inline code", ["python3", "-c", "print(1)"], undefined],
  ["other program", ["/bin/sh", "-c", "sleep 10"], undefined],
  ["nothing", [], undefined],
];

for (const [name, words, expected] of table) {
  Deno.test(`pythonProgram: ${name}`, () => {
    assert.deepEqual(pythonProgram(words, { MODEL: "my model" }), expected);
  });
}

Deno.test("splitShell keeps redirections out and comments away", () => {
  assert.deepEqual(
    splitShell("a 1 >out 2>>err & # never\nb <in; c \\; d").map((command) => command.words),
    [["a", "1"], ["b"], ["c", ";", "d"]],
  );
});

Deno.test("expandReferences follows Kubernetes", () => {
  const env = { A: "1" };
  assert.equal(expandReferences("x $(A) $(B) $$(A) $A", env), "x 1 $(B) $(A) $A");
});

Deno.test("flags in both forms; the last one counts", () => {
  const args = ["--a", "1", "--b=2", "--c", "--a", "3", "--n", "-1"];
  assert.equal(flagValue(args, "--a"), "3");
  assert.equal(flagValue(args, "--b"), "2");
  assert.equal(flagValue(args, "--c"), undefined);
  assert.equal(flagNumber(args, "--n"), undefined);
  assert.deepEqual(withoutFlag(args, "--a", "--b", "--c"), ["--n", "-1"]);
});
