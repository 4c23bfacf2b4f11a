/**
 * Whether the API server serves a definition's kind yet: it takes a moment after it was
 * accepted, and the condition Established comes before that moment.
 *
 * @module
 */
import type { Context } from "../../../cli/context.ts";
import { TaskError, timeoutError } from "../../../cli/errors.ts";
import type { Kube } from "../../../kube/types.ts";
import { type Crd, storageVersion } from "./crd.ts";

const SERVED_MS = 30_000;

/** Kinds (plural) that the server serves of a group and version; none when it knows neither. */
export async function servedPlurals(kube: Kube, apiVersion: string): Promise<Set<string>> {
  try {
    const list = JSON.parse(await kube.raw(`/apis/${apiVersion}`));
    return new Set((list.resources ?? []).map((one: { name: string }) => one.name));
  } catch (error) {
    if (error instanceof TaskError && error.code === "KUBE_NOTFOUND") return new Set();
    throw error;
  }
}

/**
 * Waits until each definition is served in the version that it stores.
 *
 * @throws {TaskError} CRDS_NOT_SERVED (exit code 4) after 30 seconds.
 */
export async function waitServed(ctx: Context, kube: Kube, crds: readonly Crd[]): Promise<void> {
  const end = ctx.clock.monotonic() + SERVED_MS;
  let waiting = [...crds];
  for (;;) {
    const versions = new Set(waiting.map(apiVersionOf));
    for (const apiVersion of versions) {
      const plurals = await servedPlurals(kube, apiVersion);
      waiting = waiting.filter((crd) =>
        apiVersionOf(crd) !== apiVersion || !plurals.has(crd.spec.names.plural)
      );
    }
    if (waiting.length === 0) return;
    if (ctx.clock.monotonic() >= end) {
      throw timeoutError(
        "CRDS_NOT_SERVED",
        `The API server does not serve ${
          waiting.map((crd) => crd.metadata.name).join(", ")
        } after ${SERVED_MS / 1000} s`,
        { hint: "Run deno task install again; if it stays so, look at the API server's log." },
      );
    }
    await ctx.clock.sleep(50, ctx.signal);
  }
}

function apiVersionOf(crd: Crd): string {
  return `${crd.spec.group}/${storageVersion(crd)}`;
}
