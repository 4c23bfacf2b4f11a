/**
 * Applying a deployment's objects: what changes is shown first, and kept in mind for a roll-back.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, TaskError } from "../cli/errors.ts";
import type { StepUi } from "../cli/ui.ts";
import type { ApplyOptions, Kube, KubeObject, ObjectRef } from "../kube/types.ts";

/** One object that a run has made or changed. */
export interface Change {
  /** As the API server has it now. */
  readonly after: KubeObject;
  /** As it was before; undefined when this run made it. */
  readonly before: KubeObject | undefined;
}

/** Compares an object with the live one: a unified diff, empty when nothing changes. */
export type Compare = (object: KubeObject, live: KubeObject) => Promise<string>;

// An operator that is being replaced, or was started a moment ago.
const WEBHOOK_WITHIN_MS = 15_000;
const WEBHOOK_RETRY_MS = 1_000;
const MOST_DIFF_LINES = 60;

/** `Kind namespace/name`. */
export function objectTitle(object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return `${object.kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/**
 * Applies objects in order. Those that are there already are compared first: their difference is
 * shown, and one without any is left alone. What was made or changed is added to `changes` at once,
 * so that a roll-back knows of it whatever happens next. Returns what was done in a few words.
 *
 * @throws {TaskError} as {@link applyObject}.
 */
export async function applyChanges(
  ctx: Context,
  kube: Kube,
  options: {
    readonly objects: readonly KubeObject[];
    readonly changes: Change[];
    readonly compare: Compare;
  },
  ui: StepUi,
): Promise<string> {
  const { objects, changes, compare } = options;
  const live = await Promise.all(objects.map((object) => kube.get(refOf(object))));
  const counts = { made: 0, changed: 0, unchanged: 0 };
  for (const [index, object] of objects.entries()) {
    const before = live[index];
    if (before !== undefined) {
      const diff = await untilAnswered(ctx, ui, () => compare(object, before));
      if (diff === "") {
        counts.unchanged++;
        continue;
      }
      showDiff(ctx, objectTitle(object), diff);
    }
    const after = await untilAnswered(ctx, ui, () => applyObject(kube, object));
    changes.push({ after, before });
    counts[before === undefined ? "made" : "changed"]++;
    ctx.ui.debug(`applied ${objectTitle(object)}`);
  }
  return Object.entries(counts).filter(([, count]) => count > 0)
    .map(([word, count]) => `${count} ${word}`).join(", ");
}

/** Names an object of the cluster. */
export function refOf({ apiVersion, kind, metadata }: KubeObject): ObjectRef {
  return { apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
}

function showDiff(ctx: Context, title: string, diff: string): void {
  // The two lines with the file names say the same as the title.
  const lines = diff.trimEnd().split("\n").filter((line) => !/^(---|\+\+\+) /.test(line));
  ctx.ui.info(`  ${title} changes:`);
  for (const line of lines.slice(0, MOST_DIFF_LINES)) ctx.ui.info(`    ${line}`);
  const hidden = lines.length - MOST_DIFF_LINES;
  if (hidden > 0) ctx.ui.info(`    … and ${hidden} more lines; --diff shows all`);
}

/** Tries again for a moment while the operator's webhook, which fails closed, does not answer. */
async function untilAnswered<T>(ctx: Context, ui: StepUi, call: () => Promise<T>): Promise<T> {
  const end = ctx.clock.monotonic() + WEBHOOK_WITHIN_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const down = error instanceof TaskError && error.code === "OPERATOR_DOWN";
      if (!down || ctx.clock.monotonic() >= end) throw error;
      ui.update("the operator's webhook does not answer yet");
      await ctx.clock.sleep(WEBHOOK_RETRY_MS, ctx.signal);
    }
  }
}

/**
 * Applies one object and returns it as the server has it then.
 *
 * @throws {TaskError} OPERATOR_DOWN when it was refused because a webhook, which fails closed,
 * does not answer; OBJECT_DENIED when one refuses it; else as `Kube.apply`.
 */
export async function applyObject(
  kube: Kube,
  object: KubeObject,
  options: ApplyOptions = {},
): Promise<KubeObject> {
  try {
    return await kube.apply(object, options);
  } catch (error) {
    throw refusedBy(error, object) ?? error;
  }
}

function refusedBy(error: unknown, object: KubeObject): TaskError | undefined {
  const text = messageOf(error);
  const title = objectTitle(object);
  if (/failed calling webhook|conversion webhook for .* failed/.test(text)) {
    return new TaskError({
      code: "OPERATOR_DOWN",
      message: `${title} was refused: the operator's webhook does not answer`,
      hint: "deno task status shows the operator; deno task install repairs it.",
      evidence: [text],
      cause: error,
    });
  }
  const [, webhook, said] = /admission webhook "([^"]+)" denied the request:\s*(.*)$/s.exec(text) ??
    [];
  if (webhook === undefined) return undefined;
  return new TaskError({
    code: "OBJECT_DENIED",
    message: `${title} was refused by ${webhook}: ${said!.trim()}`,
    hint: "Change what it names and deploy again; --dry-run --output yaml shows the object.",
    cause: error,
  });
}
