/**
 * Waiting for an Application: Synced and Healthy in the version and with the values asked for.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { TaskError, timeoutError } from "../../cli/errors.ts";
import { evidence } from "../../kube/events.ts";
import type { Kube, KubeObject, ObjectRef } from "../../kube/types.ts";
import { sameValue } from "../same_value.ts";
import { APPLICATION_KIND } from "./controller.ts";

/** Options of {@link waitSynced}. */
export interface WaitSyncedOptions {
  /** The Application as it was applied. */
  readonly application: KubeObject;
  /** Milliseconds to wait. */
  readonly timeoutMs: number;
  /** Told what is waited for. */
  readonly onWait: (what: string) => void;
}

const EVERY_MS = 500;
const MOST_LINES = 12;

/**
 * Waits until Argo CD says Synced and Healthy about what the Application asks for now.
 *
 * @throws {TaskError} APPLICATION_FAILED when Argo CD gave up, APPLICATION_NOT_SYNCED (exit code
 * 4) at the deadline; both with Argo CD's words and the pods' state.
 */
export async function waitSynced(
  ctx: Context,
  kube: Kube,
  options: WaitSyncedOptions,
): Promise<void> {
  const wanted = options.application;
  const { name, namespace } = wanted.metadata;
  const ref: ObjectRef = { ...APPLICATION_KIND, name, namespace };
  const end = ctx.clock.monotonic() + options.timeoutMs;
  for (;;) {
    const application = await kube.get(ref);
    const reason = whyNotSynced(application, wanted);
    if (reason === undefined) return;
    options.onWait(reason);
    if (application !== undefined && hasGivenUp(application, wanted)) {
      throw new TaskError({
        code: "APPLICATION_FAILED",
        message: `Argo CD could not install ${name}: ${
          application["status"].operationState.message ?? "it does not say why"
        }`,
        hint: "When the cause is gone, run the task again.",
        evidence: await syncEvidence(kube, application),
      });
    }
    if (ctx.clock.monotonic() >= end) {
      throw timeoutError(
        "APPLICATION_NOT_SYNCED",
        `Application ${namespace}/${name} is not Synced and Healthy after ` +
          `${Math.round(options.timeoutMs / 1000)} s: ${reason}`,
        {
          hint: "Run the task again; it goes on waiting where it stopped.",
          evidence: application === undefined ? [] : await syncEvidence(kube, application),
        },
      );
    }
    await ctx.clock.sleep(EVERY_MS, ctx.signal);
  }
}

/** Why an Application is not what is wanted, in words; undefined when it is. */
export function whyNotSynced(
  application: KubeObject | undefined,
  wanted: KubeObject,
): string | undefined {
  if (application === undefined) return "the Application is gone";
  if (application.metadata.deletionTimestamp !== undefined) return "it is being deleted";
  const status = application["status"] ?? {};
  if (status.sync === undefined) return "Argo CD has not looked at it yet";
  // What Argo CD says may be about what the Application asked for before.
  const compared = status.sync.comparedTo?.source;
  if (!isSameSource(compared, wanted["spec"].source)) {
    return "Argo CD has not looked at this version yet";
  }
  const { phase } = status.operationState ?? {};
  if (phase === "Running") return `${words(status)}, syncing`;
  return status.sync.status === "Synced" && status.health?.status === "Healthy"
    ? undefined
    : words(status);
}

interface Source {
  readonly repoURL?: string;
  readonly chart?: string;
  readonly targetRevision?: string;
  readonly helm?: { readonly releaseName?: string; readonly valuesObject?: unknown };
}

function isSameSource(compared: Source | undefined, wanted: Source): boolean {
  return compared?.repoURL === wanted.repoURL && compared?.chart === wanted.chart &&
    compared?.targetRevision === wanted.targetRevision &&
    sameValue(compared?.helm?.valuesObject ?? {}, wanted.helm?.valuesObject ?? {});
}

// deno-lint-ignore no-explicit-any -- status of an Application
function words(status: any): string {
  const health = status.health?.status ?? "no health";
  const message = status.health?.message === undefined ? "" : ` (${status.health.message})`;
  return `${status.sync?.status ?? "Unknown"}, ${health}${message}`;
}

// Argo CD retries by itself until the limit; a failure before that is not the last word.
function hasGivenUp(application: KubeObject, wanted: KubeObject): boolean {
  const state = application["status"]?.operationState;
  if (state?.phase !== "Failed" && state?.phase !== "Error") return false;
  if (
    !isSameSource(state.operation?.sync?.source ?? state.syncResult?.source, wanted["spec"].source)
  ) {
    return false;
  }
  const limit = wanted["spec"].syncPolicy?.retry?.limit ?? 0;
  return (state.retryCount ?? 0) >= limit;
}

/** What Argo CD and the pods say about an Application that is not well. Never throws. */
export async function syncEvidence(kube: Kube, application: KubeObject): Promise<string[]> {
  const status = application["status"] ?? {};
  const conditions: { type: string; message: string }[] = status.conditions ?? [];
  const resources: {
    kind: string;
    name: string;
    status?: string;
    health?: { status?: string; message?: string };
  }[] = status.resources ?? [];
  const results: { kind: string; name: string; status?: string; message?: string }[] =
    status.operationState?.syncResult?.resources ?? [];
  const lines = [
    ...conditions.map(({ type, message }) => `${type}: ${message}`),
    ...(status.operationState === undefined
      ? []
      : [`operation ${status.operationState.phase}: ${status.operationState.message ?? ""}`]),
    ...results.filter((one) => one.status === "SyncFailed")
      .map((one) => `${one.kind} ${one.name} failed to sync: ${one.message ?? ""}`),
    ...resources.filter((one) =>
      one.status === "OutOfSync" ||
      (one.health?.status !== undefined && one.health.status !== "Healthy")
    ).map((one) => {
      const health = one.health?.status === undefined ? "" : `, ${one.health.status}`;
      const message = one.health?.message === undefined ? "" : `: ${one.health.message}`;
      return `${one.kind} ${one.name}: ${one.status ?? "Unknown"}${health}${message}`;
    }),
  ].slice(0, MOST_LINES);
  const namespace: string = application["spec"]?.destination?.namespace ?? "default";
  return [...lines, ...await evidence(kube, { namespace })];
}
