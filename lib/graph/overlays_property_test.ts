/**
 * What holds for overlays whatever they are: random ones, alone and together, on every example
 * for every release that golden files are kept for. And how long rendering them all takes.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ERAS, realDefinitionsFolder, specSchemas } from "../../tests/support/definitions.ts";
import type { Release } from "../blueprint/types.ts";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import type { KubeObject } from "../kube/types.ts";
import { renderedProblems } from "./check_rendered.ts";
import { listExamples, loadExample } from "./examples.ts";
import { type JsonSchema, schemaProblems } from "./json_schema.ts";
import { manifestYaml, parseManifest } from "./manifest.ts";
import { overlayOptions, type Overlays } from "./overlay_options.ts";
import { applyOverlays } from "./overlays.ts";
import { problemText } from "./problems.ts";
import { renderGraph } from "./render.ts";
import { GOLDEN_VERSIONS, renderedOrRefused, seededRandom, testRelease } from "./testing.ts";
import type { Graph } from "./types.ts";
import { parseValues } from "./values_file.ts";

const ROUNDS = Deno.env.get("DYNAMO_FUZZ") === "full" ? 50 : 3;
const SEED = Number(Deno.env.get("DYNAMO_FUZZ_SEED") ?? 1);
const RENDER_ALL_MS = 1_000;
const OPTIONS = { namespace: "ns" };

type Pick = <T>(list: readonly T[]) => T;
type Flag = keyof typeof overlayOptions;

// None of the good values is one that an example has.
function overlay(flag: Flag, graph: Graph, pick: Pick): Overlays {
  const named = graph.components.map((component) => `${component.name}=`);
  const target = pick(["", ...named, "decode=", "prefill=", "frontend=", "Nobody=", "="]);
  switch (flag) {
    case "name":
      return { name: pick(["other", "b-2", "x".repeat(30), "x".repeat(63), "9a", "A", ""]) };
    case "model":
      return { model: pick(["org/other", "/models/x", "", "two words", "a/b/c", "ü/x"]) };
    case "servedModelName":
      return { servedModelName: pick(["other", "a b", "", "x: y", "'\"", "x".repeat(300)]) };
    case "maxModelLen":
      return { maxModelLen: pick([-1, 0, 17, 4_095, 2 ** 31, 2 ** 53, NaN, 1.5]) };
    case "tensorParallel":
      return {
        tensorParallel: [target + pick(["0", "3", "5", "32", "-1", "2.5", "1e9", "", "x"])],
      };
    case "gpus":
      return { gpus: [target + pick(["3", "5", "16", "-1", "1e9", "99999999999", ""])] };
    case "replicas":
      return { replicas: [target + pick(["0", "7", "-1", "1e9", "2147483648", "x", ""])] };
    case "nodePool":
      return { nodePool: [target + pick(["other", "UPPER", "x".repeat(64), "a..b", "true"])] };
    case "instanceType":
      return { instanceType: [target + pick(["g6e.xlarge", "p5.4xlarge", "g5", "g5.", "a.b.c"])] };
    case "sharedMemory":
      return { sharedMemory: [target + pick(["17Gi", "1", "many", "1e3Gi", "-1Gi", "20000000"])] };
    case "hfTokenSecret":
      return { hfTokenSecret: pick(["other-token", "Bad_", "x".repeat(254), "", "123"]) };
    case "cachePvc":
      return {
        cachePvc: pick(["other-claim", "c:/elsewhere", "c:relative", "C", "c:/", "c:/a:b"]),
      };
    case "image":
      return {
        image: [target + pick(["x/y:1.2.3", "x/y:mine", "x", ":", "x/y@sha256:12", "a b"])],
      };
    case "env":
      return {
        env: [
          target.replace("=", ":") + pick(["NEW=1", "NEW=", "NEW=a\nb", "X", "1X=1", "A_TOKEN=1"]),
        ],
      };
    case "values":
      return {
        values: [pick([
          "Common: { model: other/model, tp: 3 }",
          "Frontend: { ServiceArgs: { workers: 3 } }",
          "model: { maxLength: 4095 }",
          "env: { NEW: x }",
          "components: { worker: { replicas: 9 } }",
          "components: { Extra: { role: client, command: [sleep, '1'] } }",
          "cache: [{ claim: new, mountPath: /new, size: 3Ti }]",
          "components: []",
          "model: {}",
          "unknown: 1",
        ])],
      };
    case "set": {
      const path = graph.components.length === 0 ? "request" : `components.${target.slice(0, -1)}`;
      return {
        set: [pick([
          `${path}.replicas=7`,
          `${path}.nodes=3`,
          `${path}.env.NEW=1`,
          `${path}.extraArgs=[--a, "b c"]`,
          `${path}.resources.limits["a.b/c"]=1`,
          `${path}.resources.requests.cpu=33`,
          `${path}.tolerations=[{key: k, operator: Exists}]`,
          `${path}.args.tensorParallel=3`,
          "model.id=some/other",
          "model.maxLength=4095",
          "cache[0]={claim: c, mountPath: /c, size: 1Gi}",
          "cache[0].size=",
          "env.NEW=true",
          "nonsense=1",
        ])],
      };
    }
  }
}

// A request does not carry the Secret's name: there the option changes only which Secret is looked
// for before the request is made.
function changesNoObject(flag: Flag, graph: Graph): boolean {
  return flag === "hfTokenSecret" && graph.request !== undefined;
}

/** The objects, or undefined when anything refused before the last look at them. */
function rendered(graph: Graph, overlays: Overlays, release: Release): KubeObject[] | undefined {
  try {
    const files = (overlays.values ?? []).map((text) => parseValues(text, "values.yaml"));
    return renderGraph(applyOverlays(graph, overlays, files), release, OPTIONS);
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    assert.notEqual(error.code, "RENDERED_INVALID", error.message);
    return undefined;
  }
}

async function examples(): Promise<Graph[]> {
  await using test = await testContext();
  const names = (await listExamples(test.ctx)).map((example) => example.name);
  return await Promise.all(names.map((name) => loadExample(test.ctx, name)));
}

async function realSchemas(): Promise<(version: string, object: KubeObject) => string[]> {
  const folder = await realDefinitionsFolder();
  const known = new Map<string, Record<string, JsonSchema>>();
  if (folder !== undefined) {
    for (const era of new Set(Object.values(ERAS))) {
      for await (const { name } of Deno.readDir(`${folder}/${era}`)) {
        if (!/^dynamo(graphdeployment(request)?|model)s\.yaml$/.test(name)) continue;
        known.set(`${era}/${name}`, await specSchemas(`${folder}/${era}/${name}`));
      }
    }
  }
  return (version, object) => {
    if (folder === undefined || !object.apiVersion.startsWith("nvidia.com/")) return [];
    const file = `${ERAS[version]}/${object.kind.toLowerCase()}s.yaml`;
    const schema = known.get(file)?.[object.apiVersion];
    if (schema === undefined) return [`${file} does not serve ${object.apiVersion}`];
    return schemaProblems(schema, object["spec"], { closed: true, path: "spec" }).map(problemText);
  };
}

Deno.test("random overlays change something or are refused, and give what all schemas accept", async (t) => {
  const graphs = await examples();
  const realProblems = await realSchemas();
  const flags = Object.keys(overlayOptions) as Flag[];
  const changedBy = new Map<Flag, number>();
  for (const version of GOLDEN_VERSIONS) {
    await t.step(version, () => {
      const release = testRelease(version);
      const random = seededRandom(SEED * 100 + GOLDEN_VERSIONS.indexOf(version));
      const pick: Pick = (list) => list[random(list.length)]!;
      const check = (objects: KubeObject[], what: string) => {
        const problems = [
          ...renderedProblems(objects, release).map(problemText),
          ...objects.flatMap((object) => realProblems(version, object)),
        ];
        assert.deepEqual(problems, [], what);
        const text = manifestYaml(objects);
        const back = parseManifest(text);
        assert.deepEqual(back, JSON.parse(JSON.stringify(objects)), what);
        assert.equal(manifestYaml(back), text, what);
        return text;
      };
      for (const graph of graphs) {
        const plain = renderedOrRefused(graph, release);
        if (plain === undefined) continue;
        const before = manifestYaml(plain);
        for (let round = 0; round < ROUNDS; round++) {
          for (const flag of flags) {
            const one = overlay(flag, graph, pick);
            const more = random(2) === 0 ? {} : overlay(pick(flags), graph, pick);
            const what = `${graph.name} for ${version}: ${JSON.stringify(one)}`;
            const objects = rendered(graph, one, release);
            if (objects !== undefined) {
              const after = check(objects, what);
              if (!changesNoObject(flag, graph)) assert.notEqual(after, before, what);
              changedBy.set(flag, (changedBy.get(flag) ?? 0) + 1);
            }
            const both = rendered(graph, { ...more, ...one }, release);
            if (both !== undefined) check(both, `${what} and ${JSON.stringify(more)}`);
          }
        }
      }
    });
  }
  const never = flags.filter((flag) => !changedBy.has(flag));
  assert.deepEqual(never, [], "options that never were accepted");
});

Deno.test("all examples for all releases are rendered within a second", async () => {
  const graphs = await examples();
  const releases = GOLDEN_VERSIONS.map((version) => testRelease(version));
  // The best of three: this is about the program, not about what else the machine does.
  const took = Math.min(...[1, 2, 3].map(() => {
    const started = performance.now();
    for (const release of releases) {
      for (const graph of graphs) {
        const objects = renderedOrRefused(graph, release);
        if (objects !== undefined) manifestYaml(objects);
      }
    }
    return performance.now() - started;
  }));
  assert.ok(took < RENDER_ALL_MS, `${took.toFixed(0)} ms`);
});
