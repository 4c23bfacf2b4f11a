/**
 * The operator's process on the embedded cluster: a stand-in for Dynamo's operator, with
 * the objects, labels, owners and states of the real one. Started by the node agent.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { denoContext } from "../../cli/context_deno.ts";
import { EXIT, interruptedError, messageOf, TaskError } from "../../cli/errors.ts";
import { plainUi } from "../../cli/ui_plain.ts";
import { connectKube } from "../../kube/client.ts";
import type { Kube } from "../../kube/types.ts";
import type { Log } from "./controller/parts.ts";
import { runOperator } from "./controller/run.ts";
import { serveHealth } from "./health.ts";
import { keepOffering, offerOldVersion } from "./convert/offer.ts";
import { serveConversion } from "./convert/webhook.ts";
import { readOptions } from "./options.ts";

function write(text: string): void {
  try {
    Deno.stdout.writeSync(new TextEncoder().encode(text));
  } catch {
    // The log's reader is gone; the work goes on.
  }
}

const log: Log = (level, message, fields = {}) => {
  write(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }) + "\n");
};

/** Runs until SIGTERM or SIGINT; returns the exit code. */
async function main(words: readonly string[]): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort(interruptedError());
  const signals = ["SIGTERM", "SIGINT"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, onSignal);
  try {
    await operate(words, stop.signal);
    log("info", "stopped");
    return EXIT.ok;
  } catch (error) {
    if (stop.signal.aborted) return EXIT.ok;
    const known = error instanceof TaskError ? error : undefined;
    log("error", messageOf(error), known?.hint === undefined ? {} : { hint: known.hint });
    return known?.exitCode ?? EXIT.failed;
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, onSignal);
  }
}

async function operate(words: readonly string[], signal: AbortSignal): Promise<void> {
  const options = readOptions(words);
  const ui = plainUi({
    writeError: write,
    writeOut: write,
    now: () => performance.now(),
    verbose: false,
    color: false,
    width: 120,
  });
  const ctx = denoContext(ui, signal);
  const { features, restrictNamespace } = options.settings;
  await using cleanup = new AsyncDisposableStack();
  const health = options.healthPort === undefined
    ? undefined
    : cleanup.use(serveHealth(Deno.serve, options.healthPort));
  const kube = await connectKube(ctx, {
    kubeconfig: options.kubeconfig,
    fieldManager: "dynamo-operator",
  });
  cleanup.defer(() => kube.close());
  log("info", "starting", {
    release: features.version,
    behaviour: features.behaviour,
    api: features.graphApiVersion,
    namespaces: restrictNamespace ?? "all",
    server: kube.server,
  });
  const stop = new AbortController();
  const ending = AbortSignal.any([signal, stop.signal]);
  const offering = features.graphApiVersion === "nvidia.com/v1beta1"
    ? await offerConversion(ctx, kube, cleanup, ending)
    : undefined;
  try {
    await runOperator(ctx, kube, {
      settings: options.settings,
      log,
      onReady: () => {
        health?.setReady();
        log("info", "ready");
      },
    });
  } finally {
    stop.abort();
    await offering?.ended;
  }
}

/** Serves the conversion and makes the API server use it, until the signal. */
async function offerConversion(
  ctx: Context,
  kube: Kube,
  cleanup: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<{ readonly ended: Promise<void> }> {
  const server = cleanup.use(await serveConversion(Deno.serve, ctx.clock.now()));
  const onProblem = (error: unknown) =>
    log("warn", `v1alpha1 cannot be offered: ${messageOf(error)}`);
  try {
    if (await offerOldVersion(kube, server)) log("info", "v1alpha1 is offered");
  } catch (error) {
    onProblem(error);
  }
  return { ended: keepOffering(ctx, kube, server, { signal, onProblem }) };
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
