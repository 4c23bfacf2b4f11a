/**
 * Every example against the real CustomResourceDefinitions of its release's era, strictly:
 * a field that the definition does not have is an error. The definitions are not part of this
 * project: their folder is named by `DYNAMO_TEST_CRDS_DIR`.
 *
 * @module
 */
import { ERAS, realDefinitionsFolder, specSchemas } from "../../tests/support/definitions.ts";
import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { listExamples, loadExample } from "./examples.ts";
import { type JsonSchema, schemaProblems } from "./json_schema.ts";
import { parseGraph } from "./load.ts";
import { applyOverlays } from "./overlays.ts";
import { problemText } from "./problems.ts";
import { GOLDEN_VERSIONS, renderedOrRefused, testRelease } from "./testing.ts";
import type { Graph } from "./types.ts";

// Uses every field that the renderers know.
const EVERYTHING = `
name: everything
description: A test
engine: vllm
model: { id: a/b, servedName: b, maxLength: 4096 }
secrets: { huggingFace: hf-token-secret }
routing: { mode: kv }
cache: [{ claim: models, mountPath: /models }]
env: { A: all }
components:
  - { name: Frontend, role: frontend, extraArgs: [--x] }
  - name: Decode
    role: decode
    replicas: 0
    gpus: 8
    nodePool: pool
    instanceType: p5.48xlarge
    sharedMemory: 80Gi
    workingDir: /x
    tolerations: [{ key: team, operator: Equal, value: ml, effect: NoSchedule }]
    resources:
      requests: { cpu: 1500m, memory: 2Gi, ephemeral-storage: 50Gi }
      limits: { cpu: 4, memory: 4Gi, vpc.amazonaws.com/efa: 32 }
    env: { TOKEN: { secret: other, key: k } }
    args: { tensorParallel: 8 }
  - { name: Prefill, role: prefill, gpus: 8, args: { tensorParallel: 8 } }
`;

Deno.test("every example is accepted by the definitions of its era", async () => {
  const folder = await realDefinitionsFolder();
  if (folder === undefined) return;
  await using test = await testContext();
  const examples = await Promise.all(
    (await listExamples(test.ctx)).map(({ name }) => loadExample(test.ctx, name)),
  );
  const graphs: Graph[] = [...examples, parseGraph(EVERYTHING, "test")];
  const definitions = new Map<string, Record<string, JsonSchema>>();
  const checked = new Set<string>();
  for (const version of GOLDEN_VERSIONS) {
    const release = testRelease(version);
    const multinode = { nodes: 2, args: { tensorParallel: 16 } };
    for (const graph of graphs) {
      const spread = graph.name === "everything" && version !== "0.4.1"
        ? {
          ...graph,
          components: graph.components.map((c) => c.gpus === 0 ? c : { ...c, ...multinode }),
        }
        : graph;
      const named = graph.request === undefined
        ? [applyOverlays(spread, { image: ["x/y:mine"] })]
        : [];
      for (const one of [spread, ...named]) {
        for (const object of renderedOrRefused(one, release) ?? []) {
          if (!object.apiVersion.startsWith("nvidia.com/")) continue;
          const file: string = `${folder}/${ERAS[version]!}/${object.kind.toLowerCase()}s.yaml`;
          const known: Record<string, JsonSchema> = definitions.get(file) ??
            await specSchemas(file);
          definitions.set(file, known);
          const schema = known[object.apiVersion];
          assert.ok(schema?.properties, `${file} does not serve ${object.apiVersion}`);
          const problems = schemaProblems(schema, object.spec, { closed: true, path: "spec" });
          assert.deepEqual(problems.map(problemText), [], `${graph.name} for ${version}`);
          checked.add(`${object.kind} ${graph.name}`);
        }
      }
    }
  }
  for (const { name, request } of graphs) {
    const kind = `DynamoGraphDeployment${request === undefined ? "" : "Request"}`;
    assert.ok(checked.has(`${kind} ${name}`), `${name} fits no release`);
  }
  assert.ok(checked.has("DynamoModel vllm-lora"));
});

Deno.test("the definitions refuse what they should, so that the check means something", async () => {
  const folder = await realDefinitionsFolder();
  if (folder === undefined) return;
  const schema =
    (await specSchemas(`${folder}/0.4.1/dynamographdeployments.yaml`))["nvidia.com/v1alpha1"]!;
  const problems = schemaProblems(
    schema,
    {
      services: {
        W: {
          componentType: "worker",
          subComponentType: "decode",
          resources: { limits: { gpu: 1 } },
        },
      },
    },
    { closed: true, path: "spec" },
  ).map(problemText);
  assert.equal(problems.length, 2, problems.join("\n"));
  assert.match(problems[0]!, /subComponentType: is not a known key/);
  assert.match(problems[1]!, /gpu: 1 is not a text/);
});
