/**
 * Every example for every release, compared with `tests/golden/<release>/<example>.yaml`.
 * With `UPDATE_GOLDEN=1` the files are written instead.
 *
 * @module
 */
import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { listExamples, loadExample } from "./examples.ts";
import { manifestYaml, parseManifest } from "./manifest.ts";
import { renderGraph } from "./render.ts";
import { GOLDEN_VERSIONS, testRelease } from "./testing.ts";

const FOLDER = new URL("../../tests/golden/", import.meta.url);
const UPDATE = Deno.env.get("UPDATE_GOLDEN") === "1";

for (const version of GOLDEN_VERSIONS) {
  Deno.test(`examples for ${version} are as in tests/golden`, async () => {
    await using test = await testContext();
    const release = testRelease(version);
    const folder = new URL(`${version}/`, FOLDER);
    if (UPDATE) await Deno.mkdir(folder, { recursive: true });
    const names = (await listExamples(test.ctx)).map((example) => example.name);
    for (const name of names) {
      const graph = await loadExample(test.ctx, name);
      const objects = renderGraph(graph, release, { namespace: "dynamo-cloud" });
      const text = manifestYaml(objects);
      // What is read back is the same, and gives the same text again.
      const back = parseManifest(text);
      assert.deepEqual(back, JSON.parse(JSON.stringify(objects)));
      assert.equal(manifestYaml(back), text);
      const file = new URL(`${name}.yaml`, folder);
      if (UPDATE) await Deno.writeTextFile(file, text);
      else {assert.equal(
          text,
          await Deno.readTextFile(file),
          `${file.pathname}: deno task golden:update`,
        );}
    }
    if (UPDATE) return;
    const files = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
    assert.deepEqual(files.sort(), names.map((name) => `${name}.yaml`).sort());
  });
}
