/**
 * `deploy --atomic`: taking back what a run made or changed, and nothing else.
 *
 * @module
 */
import { type Context, withContext } from "../cli/context.ts";
import { messageOf, TaskError } from "../cli/errors.ts";
import type { StepUi } from "../cli/ui.ts";
import { isCode } from "../kube/objects.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { appliedFields } from "./applied_fields.ts";
import { applyObject, type Change, objectTitle, refOf } from "./apply.ts";
import { comparable } from "./diff.ts";
import { GRAPH_KIND } from "./graph_state.ts";
import { removeGraph } from "./remove.ts";

const FIELD_MANAGER = "dynamo-eks";
const GONE_WITHIN_MS = 120_000;
const ROLL_BACK_MS = 180_000;

/**
 * Takes changes back, the last one first: what this run made is removed, what it changed is applied
 * as it was. Works after an interruption, too. Returns what became of each, a line each; what could
 * not be taken back is one of them.
 */
export async function rollBack(
  ctx: Context,
  kube: Kube,
  changes: readonly Change[],
): Promise<{ readonly lines: string[]; readonly complete: boolean }> {
  const ui = ctx.ui.step("Roll back");
  const inner = withContext(ctx, { signal: AbortSignal.timeout(ROLL_BACK_MS) });
  const lines: string[] = [];
  let complete = true;
  for (const change of changes.toReversed()) {
    const title = objectTitle(change.after);
    try {
      lines.push(`${title}: ${await takeBack(inner, kube, change, ui)}`);
    } catch (error) {
      complete = false;
      lines.push(`${title} is not as it was: ${messageOf(error)}`);
    }
  }
  if (changes.length === 0) ui.skip("this run has changed nothing");
  else if (complete) ui.done(lines.join("; "));
  else ui.fail(lines.join("; "));
  return { lines, complete };
}

async function takeBack(
  ctx: Context,
  kube: Kube,
  { after, before }: Change,
  ui: StepUi,
): Promise<string> {
  const ref = refOf(after);
  if (before !== undefined) return await restore(kube, before);
  const live = await kube.get(ref);
  if (live === undefined) return "gone already";
  // Somebody has removed ours and made another one of that name.
  if (live.metadata.uid !== after.metadata.uid) return "somebody else's by now, left alone";
  if (ref.kind === GRAPH_KIND) {
    const place = { apiVersion: ref.apiVersion, namespace: ref.namespace ?? "", name: ref.name };
    await removeGraph(ctx, kube, { ...place, timeoutMs: GONE_WITHIN_MS }, ui);
  } else {
    await kube.delete(ref, {
      propagation: "Background",
      ...(after.metadata.uid === undefined ? {} : { uid: after.metadata.uid }),
    });
  }
  return "removed";
}

/** Applies what this manager had applied before; where that does not bring it back, replaces it. */
async function restore(kube: Kube, before: KubeObject): Promise<string> {
  const ref = refOf(before);
  const applied = appliedFields(before, FIELD_MANAGER);
  if (applied !== undefined) {
    const now = await applyObject(kube, applied, { fieldValidation: "Warn" });
    if (sameContent(now, before)) return "as before";
  }
  for (let tries = 0; tries < 3; tries++) {
    const live = await kube.get(ref);
    if (live === undefined) {
      throw new TaskError({ code: "ROLLBACK_GONE", message: "somebody has removed it" });
    }
    try {
      const { resourceVersion } = live.metadata;
      await kube.replace({
        ...before,
        metadata: {
          ...before.metadata,
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
        },
      });
      return "as before";
    } catch (error) {
      if (!isCode(error, "KUBE_CONFLICT")) throw error;
    }
  }
  throw new TaskError({ code: "ROLLBACK_CONFLICT", message: "somebody keeps changing it" });
}

function sameContent(a: KubeObject, b: KubeObject): boolean {
  return JSON.stringify(sorted(comparable(a))) === JSON.stringify(sorted(comparable(b)));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([k, v]) => [k, sorted(v)]),
  );
}
