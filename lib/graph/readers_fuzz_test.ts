/**
 * Mutated input for everything that reads what people write: a result or a {@link TaskError},
 * within a bound of time, and never anything else. `DYNAMO_FUZZ=full` tries 100 000 inputs a
 * reader instead of some thousands; `DYNAMO_FUZZ_SEED` starts elsewhere.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseTfvars, plainValue } from "../blueprint/hcl_parser.ts";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { listExamples, loadExample } from "./examples.ts";
import { parseGraph } from "./load.ts";
import { manifestYaml } from "./manifest.ts";
import { rewriteManifest } from "./manifest_rewrite.ts";
import { setPaths } from "./set_path.ts";
import { renderedOrRefused, seededRandom, testRelease } from "./testing.ts";
import { applyValues, parseValues } from "./values_file.ts";

const INPUTS = Deno.env.get("DYNAMO_FUZZ") === "full" ? 100_000 : 2_000;
const SEED = Number(Deno.env.get("DYNAMO_FUZZ_SEED") ?? 1);
// Inputs take well below 10 ms; the rest is for busy machines, and far from what a hang takes.
const BOUND_MS = 2_000;

const PIECES = [
  ..."{}[]()<>:;,.-=#\"'`\\|&*!%@?~$ \t\n\r\0",
  ...["\n  ", "\n- ", "\n---\n", "<<: ", "&a ", "*a", "!!binary ", "!!js/function ", ": |\n"],
  ...["null", "true", "0x1F", "1e999", "-1", ".nan", "99999999999999999999", "2026-01-01"],
  ...[
    "__proto__",
    "constructor",
    "${x}",
    "%{",
    "<<EOT\n",
    "/*",
    "//",
    "\u{feff}",
    "\u{1f600}",
    "\ud800",
  ],
  "[".repeat(200),
  "{a: ".repeat(200),
  "- ".repeat(200),
  "a".repeat(5_000),
];

const TFVARS = `# A blueprint
name = "dynamo-on-eks"
region = "us-west-2"
availability_zones_count = 3
enable_dynamo_stack = true
dynamo_stack_version = "v0.4.1" // a release
enable_cluster_addons = { "metrics-server" = true, amazon-cloudwatch-observability : false }
node_pools = {
  gpu = { instance_types = ["g6.2xlarge", "g5.2xlarge"], weight = -1.5e2 }
}
`;

const VALUES = [
  "model: { id: Qwen/Qwen3-8B, maxLength: 8192 }\ncomponents:\n  - name: Frontend\n    replicas: 2\n",
  'Common:\n  model: other/model\n  kv-transfer-config: \'{"a":"b"}\'\nFrontend:\n' +
  "  served_model_name: other/model\n  port: 8000\nVllmDecodeWorker:\n  ServiceArgs:\n" +
  "    workers: 2\n    resources: { gpu: 2, cpu: '4' }\n",
];

const SETS = [
  "model.maxLength=8192",
  "components.VllmDecodeWorker.replicas=2",
  "components.decode.env.A=x",
  "cache[0]={claim: c, mountPath: /c, size: 1Gi}",
  'components.decode.resources.limits["vpc.amazonaws.com/efa"]=4',
];

/** Runs `read` on mutations of the texts. */
function fuzz(texts: readonly string[], seed: number, read: (text: string) => void): void {
  const random = seededRandom(SEED * 1_000 + seed);
  let good = 0;
  for (let i = 0; i < INPUTS; i++) {
    const text = mutate(texts, random);
    const started = performance.now();
    try {
      read(text);
      good++;
    } catch (error) {
      assert.ok(
        error instanceof TaskError,
        `input ${i}: ${error instanceof Error ? error.stack : error}\n${JSON.stringify(text)}`,
      );
    }
    const took = performance.now() - started;
    assert.ok(took < BOUND_MS, `input ${i} took ${took.toFixed(0)} ms\n${JSON.stringify(text)}`);
  }
  // Were all refused, or none, nothing behind the first character would have been tried.
  assert.ok(good > INPUTS / 200 && good < INPUTS, `${good} of ${INPUTS} were read`);
}

/** A text with one to four changes: a piece put in, a stretch removed, doubled, moved or swapped with another text's. */
function mutate(texts: readonly string[], random: (n: number) => number): string {
  let text = texts[random(texts.length)]!;
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const from = random(text.length + 1);
    const to = Math.min(text.length, from + random(random(4) === 0 ? 200 : 12));
    const [before, part, after] = [text.slice(0, from), text.slice(from, to), text.slice(to)];
    switch (random(6)) {
      case 0:
        text = before + after;
        break;
      case 1:
        text = before + part + part + after;
        break;
      case 2: {
        const other = texts[random(texts.length)]!;
        text = before + other.slice(random(other.length + 1)).slice(0, 200) + after;
        break;
      }
      case 3:
        text = before + String.fromCharCode(random(random(2) === 0 ? 128 : 65_536)) + after;
        break;
      default:
        text = before + PIECES[random(PIECES.length)]! + after;
    }
  }
  return text;
}

Deno.test("mutated tfvars are read or refused", () => {
  fuzz([TFVARS], 1, (text) => {
    for (const entry of parseTfvars("x.tfvars", text)) plainValue(entry.value);
  });
});

Deno.test("mutated graphs are read, rendered or refused", async () => {
  await using test = await testContext();
  const names = (await listExamples(test.ctx)).map((example) => example.name);
  const texts = await Promise.all(
    names.map((name) => Deno.readTextFile(`${test.ctx.root}/examples/${name}/graph.yaml`)),
  );
  const releases = ["0.4.1", "1.2.0", "1.6.1"].map((version) => testRelease(version));
  let turn = 0;
  fuzz(texts, 2, (text) => {
    const graph = parseGraph(text, "graph.yaml");
    renderedOrRefused(graph, releases[turn++ % releases.length]!);
  });
});

Deno.test("mutated manifests are rewritten or refused", async () => {
  await using test = await testContext();
  const texts: string[] = [];
  for (const name of ["vllm", "vllm-disagg", "vllm-lora"]) {
    const graph = await loadExample(test.ctx, name);
    for (const version of ["0.5.1", "1.6.1"]) {
      const objects = renderedOrRefused(graph, testRelease(version));
      if (objects !== undefined) texts.push(`# Mine\n${manifestYaml(objects)}`);
    }
  }
  const release = testRelease("1.2.0");
  fuzz(texts, 3, (text) => {
    rewriteManifest(text, { file: "dgd.yaml", release, namespace: "ns" });
  });
});

Deno.test("mutated values files are applied or refused", async () => {
  await using test = await testContext();
  const graph = await loadExample(test.ctx, "vllm");
  fuzz(VALUES, 4, (text) => {
    applyValues(graph, [parseValues(text, "values.yaml")]);
  });
});

Deno.test("mutated --set options are applied or refused", async () => {
  await using test = await testContext();
  const graph = await loadExample(test.ctx, "vllm");
  fuzz(SETS, 5, (text) => {
    setPaths(graph, [text]);
  });
});
