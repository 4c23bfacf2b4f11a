/**
 * Taking Applications away: with what they installed, or leaving it.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { preconditionError, timeoutError } from "../../cli/errors.ts";
import { isCode } from "../../kube/objects.ts";
import type { Kube, ObjectRef } from "../../kube/types.ts";
import type { FoundApplication } from "../state.ts";
import { CASCADE_FINALIZER } from "./application.ts";
import { APPLICATION_KIND, findArgoCd } from "./controller.ts";
import { syncEvidence } from "./sync.ts";

/** Which Application. */
export type ApplicationName = Pick<FoundApplication, "name" | "namespace">;

/** Options of {@link deleteApplication}. */
export interface DeleteApplicationOptions {
  /** Milliseconds to wait. */
  readonly timeoutMs: number;
}

/**
 * Deletes an Application with all that it installed, while its controller lives.
 *
 * @throws {TaskError} ARGOCD_MISSING (exit code 3), APPLICATION_STUCK (exit code 4).
 */
export async function deleteApplication(
  ctx: Context,
  kube: Kube,
  found: ApplicationName,
  options: DeleteApplicationOptions,
): Promise<void> {
  const ref = refOf(found);
  const application = await kube.get(ref);
  if (application === undefined) return;
  const argocd = await findArgoCd(kube);
  if (!argocd.ready) {
    throw preconditionError(
      "ARGOCD_MISSING",
      `Application ${found.namespace}/${found.name} cannot go: ${argocd.problem}`,
      "Bring Argo CD back and run the task again: only it takes away what it installed.",
    );
  }
  // Else a sync could make anew what is being deleted.
  await stopSync(kube, found);
  const finalizers = application.metadata.finalizers ?? [];
  if (
    !finalizers.includes(CASCADE_FINALIZER) && application.metadata.deletionTimestamp === undefined
  ) {
    await kube.patch(ref, "merge", {
      metadata: { finalizers: [...finalizers, CASCADE_FINALIZER] },
    });
  }
  const { uid } = application.metadata;
  await kube.delete(ref, {
    propagation: "Background",
    ...(uid === undefined ? {} : { uid }),
  });
  const end = ctx.clock.monotonic() + options.timeoutMs;
  for (;;) {
    const left = await kube.get(ref);
    if (left === undefined || left.metadata.uid !== uid) return;
    if (ctx.clock.monotonic() >= end) {
      throw timeoutError(
        "APPLICATION_STUCK",
        `Application ${found.namespace}/${found.name} is still there after ` +
          `${Math.round(options.timeoutMs / 1000)} s`,
        {
          hint: "Run the task again; it goes on waiting. Do not take its finalizer away: what it " +
            "installed would stay.",
          evidence: await syncEvidence(kube, left),
        },
      );
    }
    await ctx.clock.sleep(500, ctx.signal);
  }
}

/** Deletes an Application and leaves what it installed; one that goes meanwhile is no error. */
export async function forgetApplication(kube: Kube, found: ApplicationName): Promise<void> {
  const ref = refOf(found);
  const application = await kube.get(ref);
  if (application === undefined) return;
  // All of Argo CD's cascading finalizers (there is one for the background, too).
  const finalizers = (application.metadata.finalizers ?? [])
    .filter((one) => !one.startsWith(CASCADE_FINALIZER));
  try {
    await stopSync(kube, found);
    await kube.patch(ref, "merge", { metadata: { finalizers } });
  } catch (error) {
    if (!isCode(error, "KUBE_NOTFOUND")) throw error;
    return;
  }
  await kube.delete(ref, { propagation: "Background" });
}

async function stopSync(kube: Kube, found: ApplicationName): Promise<void> {
  await kube.patch(refOf(found), "merge", { spec: { syncPolicy: { automated: null } } });
}

function refOf({ name, namespace }: ApplicationName): ObjectRef {
  return { ...APPLICATION_KIND, name, namespace };
}
