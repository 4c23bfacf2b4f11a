/**
 * Every example for every release, compared with `tests/golden/<release>/<example>.yaml`, or with
 * `<example>.refused.txt` where the release lacks something. With `UPDATE_GOLDEN=1` the files are written instead.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Release } from "../blueprint/types.ts";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import type { KubeObject } from "../kube/types.ts";
import { listExamples, loadExample } from "./examples.ts";
import { manifestYaml, parseManifest } from "./manifest.ts";
import { renderGraph } from "./render.ts";
import { GOLDEN_VERSIONS, testRelease } from "./testing.ts";
import type { Graph } from "./types.ts";

const FOLDER = new URL("../../tests/golden/", import.meta.url);
const UPDATE = Deno.env.get("UPDATE_GOLDEN") === "1";

for (const version of GOLDEN_VERSIONS) {
  Deno.test(`examples for ${version} are as in tests/golden`, async () => {
    await using test = await testContext();
    const release = testRelease(version);
    const folder = new URL(`${version}/`, FOLDER);
    if (UPDATE) await Deno.mkdir(folder, { recursive: true });
    const expected: string[] = [];
    for (const { name } of await listExamples(test.ctx)) {
      const graph = await loadExample(test.ctx, name);
      const rendered = render(graph, release);
      const refused = typeof rendered === "string";
      const text = refused ? rendered : manifestYaml(rendered);
      if (!refused) {
        // What is read back is the same, and gives the same text again.
        const back = parseManifest(text);
        assert.deepEqual(back, JSON.parse(JSON.stringify(rendered)));
        assert.equal(manifestYaml(back), text);
      }
      expected.push(`${name}${refused ? ".refused.txt" : ".yaml"}`);
      const file = new URL(expected.at(-1)!, folder);
      if (UPDATE) await Deno.writeTextFile(file, text);
      else {
        const golden = await Deno.readTextFile(file);
        assert.equal(text, golden, `${file.pathname}: deno task golden:update`);
      }
    }
    const files = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
    const surplus = files.filter((file) => !expected.includes(file));
    if (UPDATE) await Promise.all(surplus.map((file) => Deno.remove(new URL(file, folder))));
    else assert.deepEqual(surplus, []);
  });
}

function render(graph: Graph, release: Release): KubeObject[] | string {
  try {
    return renderGraph(graph, release, { namespace: "dynamo-cloud" });
  } catch (error) {
    if (!(error instanceof TaskError) || error.code !== "GRAPH_UNFIT") throw error;
    return `${error.message}\n${error.hint}\n`;
  }
}
