/**
 * Asking a deployed graph something: a graph is ready for a user when it answers.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { interruptedError, messageOf, timeoutError } from "../cli/errors.ts";
import type { StepUi } from "../cli/ui.ts";
import type { Kube } from "../kube/types.ts";
import { chat } from "../serving/completions.ts";
import type { Endpoint } from "../serving/endpoint.ts";
import { listModels } from "../serving/probes.ts";
import { graphEvidence } from "./evidence.ts";
import { forwardFrontend } from "./frontend.ts";
import { listGraphs, pickGraph } from "./graphs.ts";
import { greeting } from "./hello_world.ts";

/** Which graph to ask what. */
export interface ProbeOptions {
  /** Namespace of the graph. */
  readonly namespace: string;
  /** Name of the graph. */
  readonly name: string;
  /** API version in which the graph is read. */
  readonly apiVersion: string;
  /** A chat at its HTTP endpoint, hello-world's greeting in its log, or nothing that we know of. */
  readonly ask: "chat" | "greeting" | "nothing";
  /** Service of the HTTP endpoint, for a chat. */
  readonly service?: string;
  /** Name of the model; the first one listed unless given. */
  readonly model?: string;
}

// Workers register a moment after their pods are ready.
const ANSWER_WITHIN_MS = 90_000;
const RETRY_MS = 300;

/**
 * Asks until there is an answer: the model is listed and completes a chat; hello-world's
 * client has printed what its worker sent. Returns the answer in a few words.
 *
 * @throws {TaskError} PROBE_TIMEOUT (exit code 4) with the last refusal and the pods' state.
 */
export async function probeGraph(
  ctx: Context,
  kube: Kube,
  options: ProbeOptions,
  ui: StepUi,
): Promise<string> {
  if (options.ask === "nothing") return "there is nothing to ask";
  if (options.ask === "greeting" || options.service === undefined) {
    return await askUntil(ctx, kube, options, ui, async () => {
      const state = pickGraph(await listGraphs(kube, options), options.name);
      return await greeting(ctx, kube, state);
    });
  }
  const where = { namespace: options.namespace, service: options.service, quiet: true };
  const forwarder = await forwardFrontend(ctx, kube, where);
  try {
    const endpoint = { url: forwarder.url };
    return await askUntil(ctx, kube, options, ui, () => askModel(ctx, endpoint, options.model));
  } finally {
    await forwarder.close();
  }
}

async function askUntil(
  ctx: Context,
  kube: Kube,
  options: ProbeOptions,
  ui: StepUi,
  ask: () => Promise<string | undefined>,
): Promise<string> {
  const end = ctx.clock.monotonic() + ANSWER_WITHIN_MS;
  let refusal = "no answer yet";
  while (ctx.clock.monotonic() < end) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      if (ctx.signal.aborted) throw interruptedError();
      refusal = messageOf(error);
    }
    ui.update(refusal);
    await ctx.clock.sleep(RETRY_MS, ctx.signal);
  }
  throw timeoutError(
    "PROBE_TIMEOUT",
    `Graph ${options.namespace}/${options.name} is ready but did not answer within ${
      ANSWER_WITHIN_MS / 1000
    } s: ${refusal}`,
    {
      hint: hintFor(options.name, refusal),
      evidence: await graphEvidence(kube, options, undefined),
    },
  );
}

// Dynamo 0.4.1 (lib/llm/src/discovery/watcher.rs) turns its endpoints off when one of several
// workers of a model leaves, and on again only when one registers.
function hintFor(name: string, refusal: string): string {
  const logs = `deno task logs ${name} shows what it says.`;
  return !/answered 503 with no body$/.test(refusal) ? logs : `${logs} ` +
    "When a worker leaves, the frontend of Dynamo 0.4.1 turns its endpoints off though others " +
    "serve the model, until a worker registers: deploy the graph anew after deno task cleanup " +
    `${name}.`;
}

async function askModel(
  ctx: Context,
  endpoint: Endpoint,
  wanted: string | undefined,
): Promise<string | undefined> {
  const models = await listModels(ctx, endpoint);
  const model = wanted === undefined
    ? models[0]?.id
    : models.find((known) => known.id === wanted)?.id;
  if (model === undefined) {
    throw new Error(
      models.length === 0
        ? "no model is served yet"
        : `${wanted} is not served yet (${models.map((known) => known.id).join(", ")} is)`,
    );
  }
  const answer = await chat(ctx, endpoint, {
    model,
    messages: "Say hello.",
    maxTokens: 16,
  });
  if (answer.text === "") throw new Error("the answer was empty");
  return `${model} answered in ${Math.round(answer.ms)} ms`;
}
