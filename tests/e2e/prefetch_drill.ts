/**
 * A model on its way into the shared cache and out of it again: the Job with the real
 * huggingface_hub against a hub on loopback, a pod that is deleted in the middle, downloads that
 * cannot succeed, a graph that finds the model, and what cleanup leaves.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { CommandSpec } from "../../lib/cli/command.ts";
import { exists } from "../../lib/cli/files.ts";
import { runCommand } from "../../lib/cli/main.ts";
import { silentStep, testContext } from "../../lib/cli/testing.ts";

import { localLayout } from "../../lib/local/layout.ts";
import { prepareRuntime } from "../../lib/local/python/runtime.ts";
import { command as cleanup } from "../../tasks/cleanup.ts";
import { command as prefetch } from "../../tasks/prefetch.ts";
import { type HubFile, noise, startHub } from "../support/hub.ts";
import { assertTextFits } from "../support/schemas.ts";
import { type DrillCluster, GRAPH, NAMESPACE, until, VERSION } from "./deploy_support.ts";

const MODEL = "Qwen/Qwen3-0.6B";
const TOKEN = "hf_plantedTokenOfTheDrill";
const FILES: readonly HubFile[] = [
  { name: "config.json", bytes: new TextEncoder().encode('{"model_type": "qwen3"}\n') },
  { name: "model-00001-of-00002.safetensors", bytes: noise(6_000_000, 5) },
  { name: "model-00002-of-00002.safetensors", bytes: noise(2_000_000, 6) },
];
const LARGE = FILES[1]!.name;
const CLAIM = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  namespace: NAMESPACE,
  name: "model-cache",
} as const;
const JOBS = { namespace: NAMESPACE, labelSelector: "app.kubernetes.io/component=prefetch" };

/** Downloads, deploys, and takes all of it away. */
export async function prefetchesAndDeploys(cluster: DrillCluster): Promise<void> {
  const { ctx, kube, home } = cluster;
  await using hub = startHub({ model: MODEL, files: FILES, bytesPerSecond: 2_000_000 });
  const env = { DYNAMO_VERSION: VERSION, HF_ENDPOINT: hub.url, HF_TOKEN: TOKEN };
  const heard: string[] = [];
  // deno-lint-ignore no-explicit-any -- commands with options of their own
  const run = async (command: CommandSpec<any>, ...words: string[]) => {
    await using test = await testContext({ home, env });
    const begun = performance.now();
    const code = await runCommand(test.ctx, command, words);
    const [data, talk] = [test.heard.data.join("\n"), test.heard.talk.join("\n")];
    heard.push(data, talk);
    return { code, data, talk, ms: performance.now() - begun };
  };
  const pods = async () => (await kube.list({ apiVersion: "v1", kind: "Pod" }, JOBS)).items;
  const podOf = async (claim: string) =>
    (await pods()).find((pod) => pod["spec"].volumes[1].persistentVolumeClaim.claimName === claim);

  const loading = run(prefetch, MODEL, "--output", "json");
  const unknown = run(prefetch, "acme/none", "--cache-pvc", "other", "--output", "json");
  const disk = run(prefetch, "acme/disk", "--cache-pvc", "disk", "--storage-class", "gp3");
  const part = ["--include", "config.json", "--cache-pvc", "part", "--output", "json"];
  const background = run(prefetch, MODEL, ...part, "--no-wait");
  // In the middle of the large file the pod goes; the next one asks for the rest.
  await until(() => Promise.resolve(hub.requests.some(({ what, cdn }) => what === LARGE && cdn)));
  await ctx.clock.sleep(1_500);
  const first = await podOf(CLAIM.name);
  assert.ok(first !== undefined);
  const objects = [
    ...await pods(),
    ...(await kube.list({ apiVersion: "batch/v1", kind: "Job" }, JOBS)).items,
  ];
  await kube.delete({
    apiVersion: "v1",
    kind: "Pod",
    namespace: NAMESPACE,
    name: first.metadata.name,
  });
  const none = await unknown;
  assert.equal(none.code, 3, none.talk);
  assert.match(none.talk, /acme\/none was not downloaded: the hub has no model acme\/none/);
  assert.match(none.talk, /Check the name/);
  await assertTextFits("prefetch", none.data);
  const pending = await disk;
  assert.equal(pending.code, 1, pending.talk);
  assert.match(
    pending.talk,
    /cannot start: claim disk finds no volume: storage class gp3 makes none/,
  );
  const loaded = await loading;
  assert.equal(loaded.code, 0, loaded.talk);
  const result = await assertTextFits("prefetch", loaded.data);
  assert.equal(result.state, "complete");
  assert.equal(result.bytes, FILES.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const resumed = hub.requests.filter(({ what, from }) => what === LARGE && from > 0);
  assert.ok(resumed.length > 0 && resumed[0]!.from >= 1_000_000, JSON.stringify(hub.requests));
  assert.match(loaded.talk, /going on with model-00001-of-00002\.safetensors at/);

  // Nobody waited for it: whoever asks next finds that it is complete.
  assert.equal(JSON.parse((await background).data).state, "running");
  const found = await assertTextFits("prefetch", (await run(prefetch, MODEL, ...part)).data);
  assert.deepEqual([found.state, found.files, found.whole], ["cached", 1, false]);
  const again = await run(prefetch, MODEL, "--output", "json");
  assert.equal((await assertTextFits("prefetch", again.data)).state, "cached", again.talk);
  const list = await run(prefetch, "--output", "json");
  const { caches } = await assertTextFits("prefetch-caches", list.data);
  const cache = caches.find((one: { claim: string }) => one.claim === CLAIM.name);
  assert.equal(cache.models[0].model, MODEL);

  // The graph finds it; huggingface_hub, too, without a hub.
  const deployed = await cluster.deploy("vllm", "--name", "cached").done;
  assert.equal(deployed.code, 0, deployed.talk);
  assert.match(deployed.talk, /Qwen\/Qwen3-0\.6B from claim model-cache, without the hub/);
  const graph = await kube.get({ ...GRAPH, name: "cached" });
  for (const component of graph!["spec"].components) {
    const { containers: [main], volumes } = component.podTemplate.spec;
    const value = (name: string) =>
      main.env.find((one: { name: string }) => one.name === name)?.value;
    assert.deepEqual([value("HF_HUB_OFFLINE"), value("HF_HOME")], ["1", "/models"], component.name);
    assert.equal(main.volumeMounts[0].mountPath, "/models");
    assert.equal(volumes[0].persistentVolumeClaim.claimName, CLAIM.name);
  }
  const claim = await kube.get(CLAIM);
  const folder = `${localLayout(ctx).volumes}/${claim!.metadata.uid}`;
  const runtime = await prepareRuntime(ctx, silentStep, "1.6.1");
  const script = "import sys, huggingface_hub; " +
    "print(huggingface_hub.snapshot_download(sys.argv[1], local_files_only=True))";
  const offline = await ctx.processes.run(runtime.interpreter, ["-B", "-c", script, MODEL], {
    env: { HF_HOME: folder, HF_HUB_OFFLINE: "1" },
  });
  assert.equal(offline.code, 0, offline.stderr);
  const snapshot = offline.stdout.trim();
  for (const { name, bytes } of FILES) {
    assert.equal((await Deno.stat(`${snapshot}/${name}`)).size, bytes.length);
  }

  // Nothing tells the token; Jobs go with cleanup, models only when told.
  assert.ok(hub.requests.some(({ token }) => token === TOKEN), "it was used");
  for (const text of [JSON.stringify(objects), ...heard]) assert.ok(!text.includes(TOKEN));
  const kept = await run(cleanup, "--graphs", "--yes");
  assert.equal(kept.code, 0, kept.talk);
  assert.match(kept.talk, /Claim dynamo-cloud\/model-cache .* stays/);
  assert.deepEqual((await kube.list({ apiVersion: "batch/v1", kind: "Job" }, JOBS)).items, []);
  assert.ok(await exists(ctx, folder));
  const gone = await run(cleanup, "--graphs", "--volumes", "--yes");
  assert.equal(gone.code, 0, gone.talk);
  await until(async () => !await exists(ctx, folder));
}
