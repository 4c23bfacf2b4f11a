/**
 * The download's program with the real huggingface_hub of each runtime, against a hub on loopback.
 */
import assert from "node:assert/strict";
import { silentStep, testContext } from "../../lib/cli/testing.ts";
import type { Context } from "../../lib/cli/context.ts";
import { messageOf } from "../../lib/cli/errors.ts";
import { prepareRuntime } from "../../lib/local/python/runtime.ts";
import type { RuntimeVersion } from "../../lib/local/python/runtime_versions.ts";
import {
  blobName,
  type Hub,
  type HubOptions,
  type HubRequest,
  noise,
  startHub,
} from "../support/hub.ts";
import { type Message, readMessage } from "../../lib/deploy/prefetch/messages.ts";

const MODEL = "acme/tiny";
const FILES = [
  { name: "config.json", bytes: new TextEncoder().encode('{"model_type": "tiny"}\n') },
  { name: "model-00001-of-00002.safetensors", bytes: noise(6_000_000, 1) },
  { name: "model-00002-of-00002.safetensors", bytes: noise(3_000_000, 2) },
  { name: "original/consolidated.00.pth", bytes: noise(2_000_000, 3) },
];
const LARGE = FILES[1]!;
const SECRET = "hf_neverToBeSeenAnywhere0";
const ONE_SECOND = { "Retry-After": "1" };

interface Ended {
  readonly code: number;
  readonly messages: readonly Message[];
  readonly output: string;
}

interface Lab {
  readonly ctx: Context;
  readonly hub: Hub;
  /** HF_HOME. */
  readonly cache: string;
  run(
    args?: readonly string[],
    more?: { readonly env?: Record<string, string>; readonly until?: (line: string) => boolean },
  ): Promise<Ended>;
}

async function withProgram(
  version: RuntimeVersion,
  options: Partial<HubOptions>,
  body: (lab: Lab) => Promise<void>,
): Promise<void> {
  await using made = await testContext();
  const { ctx } = made;
  const runtime = await prepareRuntime(ctx, silentStep, version).catch(messageOf);
  if (typeof runtime === "string") {
    // deno-lint-ignore no-console -- a test that cannot run says so
    return console.log(`SKIPPED: ${runtime}`);
  }
  await using hub = startHub({ model: MODEL, files: FILES, ...options });
  const cache = `${ctx.home}/cache`;
  await ctx.fs.mkdir(cache, { recursive: true });
  await body({
    ctx,
    hub,
    cache,
    async run(args = [], { env = {}, until } = {}) {
      const program = `${ctx.root}/lib/deploy/prefetch/program/download_model.py`;
      const words = ["-B", program, `--model=${MODEL}`, ...args];
      const messages: Message[] = [];
      const stop = new AbortController();
      const result = await ctx.processes.run(runtime.interpreter, words, {
        clearEnv: true,
        env: {
          PATH: "/usr/bin:/bin",
          HOME: ctx.home,
          HF_HOME: cache,
          HF_ENDPOINT: hub.url,
          NO_PROXY: "127.0.0.1",
          PREFETCH_EVERY_SECONDS: "0.1",
          ...env,
        },
        signal: stop.signal,
        onLine: (line) => {
          const message = readMessage(line);
          if (message !== undefined) messages.push(message);
          if (until?.(line) === true) stop.abort();
        },
      }).catch((error) => {
        if (!stop.signal.aborted) throw error;
        return { code: 137, stdout: "", stderr: "" };
      });
      return { code: result.code, messages, output: result.stdout + result.stderr };
    },
  });
}

function kinds(messages: readonly Message[]): string[] {
  return [...new Set(messages.map(({ prefetch }) => prefetch))];
}

function bytesSent(hub: Hub, name: string): number[] {
  return hub.requests.filter(({ what, method }) => what === name && method === "GET")
    .map(({ from }) => from);
}

async function readCached({ cache, hub }: Lab, name: string): Promise<Uint8Array> {
  const folder = `${cache}/hub/models--acme--tiny`;
  const commit = (await Deno.readTextFile(`${folder}/refs/main`)).trim();
  assert.equal(commit, hub.commit);
  return await Deno.readFile(`${folder}/snapshots/${commit}/${name}`);
}

for (const version of ["1.6.1", "0.4.1"] as const) {
  Deno.test(`prefetch with the huggingface_hub of ${version}: whole, resumed after a kill, patient with 429, 503 and broken connections`, () =>
    withProgram(version, { bytesPerSecond: 4_000_000 }, async (lab) => {
      const { hub, run, cache } = lab;
      // Killed in the middle: the next one goes on there.
      const killed = await run(["--concurrency=1"], {
        until: (line) => Number(/"progress", "bytes": (\d+)/.exec(line)?.[1]) > 3_000_000,
      });
      assert.notEqual(killed.code, 0, killed.output);
      const { bytesPerSecond: _slow, ...fast } = hub.options;
      const faults = [
        ({ what }: HubRequest) => what === "config.json" ? busy(429, ONE_SECOND) : undefined,
        ({ what, cdn }: HubRequest) => what === LARGE.name && cdn ? 1_500_000 : undefined,
        ({ what }: HubRequest) => what === FILES[2]!.name ? busy(503) : undefined,
      ];
      hub.options = {
        ...fast,
        fault: (seen) => {
          if (seen.method !== "GET") return undefined;
          const at = faults.findIndex((one) => one(seen) !== undefined);
          return at < 0 ? undefined : faults.splice(at, 1)[0]!(seen);
        },
      };
      const before = hub.requests.length;
      const ended = await run();
      assert.equal(ended.code, 0, ended.output);
      assert.deepEqual(faults, [], "all faults were met");
      const later = hub.requests.slice(before).filter(({ what, method, from }) =>
        what === LARGE.name && method === "GET" && from > 0
      );
      assert.ok(later.length >= 1 && later[0]!.from >= 2_000_000, JSON.stringify(later));
      for (const { name, bytes } of FILES.slice(0, 3)) {
        assert.ok((await readCached(lab, name)).every((byte, i) => byte === bytes[i]), name);
      }
      const done = ended.messages.at(-1);
      assert.deepEqual(done, {
        prefetch: "done",
        commit: hub.commit,
        bytes: 9_000_023,
        files: 3,
        whole: true,
      });
      // Another form of the same weights is left out.
      assert.equal(hub.requests.some(({ what }) => what.startsWith("original/")), false);
      // Once more: nothing is downloaded. Damaged: only that file is.
      const again = hub.requests.length;
      assert.equal((await run()).code, 0);
      assert.deepEqual(hub.requests.slice(again).filter(({ what }) => what !== "api"), []);
      const blob = `${cache}/hub/models--acme--tiny/blobs/${blobName(LARGE)}`;
      const damaged = await Deno.readFile(blob);
      damaged[4_000_000]! ^= 1;
      await Deno.writeFile(blob, damaged);
      const loads = bytesSent(hub, FILES[2]!.name).length;
      const repaired = await run(["--verify"]);
      assert.equal(repaired.code, 0, repaired.output);
      assert.ok(kinds(repaired.messages).includes("damaged"));
      assert.deepEqual(await readCached(lab, LARGE.name), LARGE.bytes);
      assert.equal(bytesSent(hub, FILES[2]!.name).length, loads);
    }));
}

function busy(status: number, headers: Record<string, string> = {}): Response {
  return new Response("busy", { status, headers });
}

Deno.test("prefetch: what cannot mend itself ends at once with exit code 3, and shows no token", () =>
  withProgram("1.6.1", { tokens: ["hf_somebodyElses"] }, async ({ hub, run }) => {
    const open = await run();
    const gated = await run([], { env: { HF_TOKEN: SECRET } });
    const revision = await run(["--revision=nope"]);
    const pattern = await run(["--include=*.nothing"]);
    hub.options = { ...hub.options, model: "acme/other" };
    const stranger = await run();
    const absent = await run([], { env: { HF_TOKEN: SECRET } });
    const told = [open, gated, revision, pattern, stranger, absent].map(({ code, messages }) => {
      const last = messages.at(-1);
      return last?.prefetch === "failed" ? [code, last.code, last.final, last.message] : [code];
    });
    assert.deepEqual(told.map(([code, word, final]) => [code, word, final]), [
      [3, "GATED", true],
      [3, "GATED", true],
      [3, "NO_REVISION", true],
      [3, "NO_FILES", true],
      [3, "UNAUTHORISED", true],
      [3, "NO_MODEL", true],
    ]);
    assert.match(String(told[0]![3]), /HTTP 401.*no token was sent/);
    assert.match(String(told[1]![3]), /HTTP 403\)$/);
    assert.ok(hub.requests.some(({ token }) => token === SECRET), "it was sent");
    for (const { output } of [open, gated, stranger, absent]) assert.ok(!output.includes(SECRET));
  }));

Deno.test("prefetch: stale locks and fragments go, those of living processes stay; a full disk is told", () =>
  withProgram("1.6.1", {}, async ({ cache, run, ctx, hub }) => {
    const locks = `${cache}/hub/.locks/models--acme--tiny`;
    const blobs = `${cache}/hub/models--acme--tiny/blobs`;
    for (const folder of [locks, blobs]) await Deno.mkdir(folder, { recursive: true });
    const old = new Date(ctx.clock.now() - 3 * 86_400_000);
    const [stale, held, fragment] = [
      `${locks}/stale.lock`,
      `${locks}/held.lock`,
      `${blobs}/x.incomplete`,
    ];
    for (const path of [stale!, held!, fragment!]) {
      await Deno.writeTextFile(path, "");
      await Deno.utime(path, old, old);
    }
    using lock = await Deno.open(held!, { write: true });
    await lock.lock(true);
    const ended = await run(["--include=config.json"]);
    assert.equal(ended.code, 0, ended.output);
    const tidied = ended.messages.find(({ prefetch }) => prefetch === "tidied");
    assert.deepEqual(tidied, { prefetch: "tidied", removed: 2 });
    const there = [];
    for await (const { name } of Deno.readDir(locks)) there.push(name);
    assert.ok(there.includes("held.lock") && !there.includes("stale.lock"), there.join());
    const done = ended.messages.at(-1);
    assert.ok(done?.prefetch === "done" && !done.whole, "a part only");
    // More than any disk holds, by the hub's word.
    const huge = { name: "huge.safetensors", bytes: noise(2_000_000, 4), told: 1e17 };
    hub.options = { ...hub.options, files: [huge] };
    const full = await run();
    const last = full.messages.at(-1);
    assert.equal(full.code, 3, full.output);
    assert.ok(last?.prefetch === "failed" && last.code === "DISK_FULL", full.output);
  }));
