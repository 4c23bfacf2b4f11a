/**
 * Cleanups that are broken off at random moments and then run to their end: always clean, never
 * more than was asked for.
 *
 * @module
 */
import assert from "node:assert/strict";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import { exists } from "../../lib/cli/files.ts";
import type { Context } from "../../lib/cli/context.ts";
import { loadExample } from "../../lib/graph/examples.ts";
import { renderGraph } from "../../lib/graph/render.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/kube/types.ts";
import { openTarget, resolveTarget, type Target } from "../../lib/target/target.ts";
import { contentOf, refOf } from "../support/leftovers.ts";
import { processesBelow } from "../support/processes.ts";
import { PROJECT_ROOT, type TaskResult } from "../support/task.ts";

const LEVELS = ["graph", "graphs", "platform", "all"] as const;
type Level = typeof LEVELS[number];

/** Milliseconds within which a cleanup of the level is broken off; what it takes, and a little more. */
const SPAN_MS: Readonly<Record<Level, number>> = {
  graph: 1_500,
  graphs: 1_500,
  platform: 4_000,
  all: 2_500,
};
const WORDS: Readonly<Record<Level, readonly string[]>> = {
  graph: ["hello-world"],
  graphs: ["--graphs"],
  platform: ["--platform"],
  all: ["--all"],
};

/** What rounds need. */
export interface RoundsOptions {
  /** How many; each level has its turn. */
  readonly rounds: number;
  /** Makes the same moments again. */
  readonly seed: number;
  /** Runs a task that has to end well. */
  readonly ok: (...words: string[]) => Promise<TaskResult>;
}

/** Runs the rounds in the state folder of the context. */
export async function interruptedCleanups(ctx: Context, options: RoundsOptions): Promise<void> {
  const random = generator(options.seed);
  const stranger = new Deno.Command("sleep", { args: ["3600"] }).spawn();
  const note = `${ctx.home}/bench/of-somebody.json`;
  try {
    await Deno.mkdir(`${ctx.home}/bench`, { recursive: true });
    await Deno.writeTextFile(note, "{}");
    for (let round = 0; round < options.rounds; round++) {
      const level = LEVELS[round % LEVELS.length]!;
      const afterMs = Math.round(150 + random() * SPAN_MS[level]);
      const signal = random() < 0.5 ? "SIGINT" : "SIGKILL";
      const what = `round ${
        round + 1
      }: ${level}, ${signal} after ${afterMs} ms (seed ${options.seed})`;
      // deno-lint-ignore no-console -- a failure has to be repeatable
      console.log(what);
      try {
        await oneRound(ctx, options, { level, afterMs, signal });
        assert.ok(await exists(ctx, note), "results of bench are gone");
        assert.ok(await exists(ctx, `${ctx.cache}/control-plane`), "the cache is gone");
        Deno.kill(stranger.pid, "SIGCONT");
      } catch (error) {
        throw new Error(what, { cause: error });
      }
    }
  } finally {
    stranger.kill("SIGKILL");
    await stranger.status;
  }
}

interface Break {
  readonly level: Level;
  readonly afterMs: number;
  readonly signal: "SIGINT" | "SIGKILL";
}

async function oneRound(ctx: Context, { ok }: RoundsOptions, broken: Break): Promise<void> {
  const { level } = broken;
  await ok("install", "--target", "local");
  await Promise.all([ok("deploy", "hello-world", "--no-wait"), ok("deploy", "vllm", "--no-wait")]);
  const target = await resolveTarget(ctx, {});
  const kube = await openTarget(ctx, target);
  try {
    // A platform with a graph of others stays, which is another test's matter.
    const withGraph = level === "graph" || level === "graphs";
    const foreign = await plantForeign(ctx, kube, target, withGraph);
    const kept = [...foreign, ...notAsked(target, level)];
    const before = await contentOf(kube, kept);
    const { code, text } = await breakOff(ctx, broken);
    const codes = broken.signal === "SIGINT" ? [0, 130] : [0, 137];
    assert.ok(codes.includes(code), `ended with ${code}\n${text}`);
    if (level !== "all") assert.deepEqual(await contentOf(kube, kept), before, "while broken off");
    await toTheEnd(ctx, level);
    if (level === "all") {
      assert.deepEqual(await processesBelow(ctx.home), []);
      assert.equal(await exists(ctx, `${ctx.home}/local`), false);
      assert.equal(await exists(ctx, `${ctx.home}/target.json`), false);
      return;
    }
    assert.deepEqual(await contentOf(kube, kept), before);
    await nothingLeft(kube, target, level);
    // The next round begins with the same.
    for (const ref of foreign) await kube.delete(ref);
  } finally {
    kube.close();
  }
}

/** What nobody asked to remove at a level. */
function notAsked({ namespace, release }: Target, level: Level): ObjectRef[] {
  const system = { apiVersion: "v1", kind: "Namespace", name: "kube-system" };
  const platform = [
    { apiVersion: "v1", kind: "Secret", namespace, name: "hf-token-secret" },
    { apiVersion: "v1", kind: "Namespace", name: namespace },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      namespace,
      name: "dynamo-platform-dynamo-operator-controller-manager",
    },
  ];
  const vllm = {
    apiVersion: resolveRelease(release).graphApiVersion,
    kind: "DynamoGraphDeployment",
    namespace,
    name: "vllm",
  };
  if (level === "all") return [];
  if (level === "platform") return [system];
  return level === "graphs" ? [system, ...platform] : [system, ...platform, vllm];
}

async function plantForeign(
  ctx: Context,
  kube: Kube,
  { namespace, release }: Target,
  withGraph: boolean,
): Promise<ObjectRef[]> {
  const objects: KubeObject[] = [{
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace, name: "of-somebody" },
    data: { a: "b" },
  }];
  if (withGraph) {
    const example = await loadExample(ctx, "hello-world");
    const options = { namespace, name: "of-somebody" };
    const graph = renderGraph(example, resolveRelease(release), options).at(-1)!;
    delete graph.metadata.labels?.["app.kubernetes.io/managed-by"];
    objects.push(graph);
  }
  for (const object of objects) await kube.apply(object);
  return objects.map(refOf);
}

/** The task's own process, not `deno task` above it: that one killed would leave it at work. */
function start(ctx: Context, level: Level): Deno.ChildProcess {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${PROJECT_ROOT}/deno.json`)) as {
    tasks: Record<string, { command: string }>;
  };
  const [, ...args] = tasks["cleanup"]!.command.split(" ");
  return new Deno.Command(Deno.execPath(), {
    args: [...args, ...WORDS[level], "--yes"],
    cwd: PROJECT_ROOT,
    env: { DYNAMO_HOME: ctx.home, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

async function breakOff(
  ctx: Context,
  { level, afterMs, signal }: Break,
): Promise<{ code: number; text: string }> {
  const child = start(ctx, level);
  const timer = setTimeout(() => {
    try {
      child.kill(signal);
    } catch {
      // It was done before.
    }
  }, afterMs);
  const { code, stderr } = await child.output();
  clearTimeout(timer);
  return { code, text: new TextDecoder().decode(stderr) };
}

async function toTheEnd(ctx: Context, level: Level): Promise<void> {
  const { code, stderr } = await start(ctx, level).output();
  const text = new TextDecoder().decode(stderr);
  // What is named and is gone already is no graph any more.
  if (level === "graph" && code === 2) assert.match(text, /No graph "hello-world" is deployed/);
  else assert.equal(code, 0, text);
}

async function nothingLeft(
  kube: Kube,
  { namespace, release }: Target,
  level: Level,
): Promise<void> {
  const { graphApiVersion: apiVersion } = resolveRelease(release);
  const names = async (apiVersion: string, kind: string) =>
    (await kube.list({ apiVersion, kind }, { namespace })).items.map((one) => one.metadata.name);
  const expected = { graph: ["of-somebody", "vllm"], graphs: ["of-somebody"] } as const;
  const graphs = level === "graph" || level === "graphs" ? expected[level] : [];
  assert.deepEqual((await names(apiVersion, "DynamoGraphDeployment")).sort(), graphs);
  const prefix = level === "graph" ? "hello-world-" : /^(hello-world|vllm)-/;
  const pods = (await names("v1", "Pod")).filter((name) => name.match(prefix));
  assert.deepEqual(pods, []);
  if (level !== "platform") return;
  assert.deepEqual(await names("apps/v1", "Deployment"), []);
  assert.deepEqual(await names("apps/v1", "StatefulSet"), []);
}

/** A small generator of random numbers (mulberry32): the same seed, the same numbers. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
