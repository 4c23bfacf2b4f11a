/**
 * Looks into a container's log.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { readIfThere } from "../../cli/files.ts";

/** Whether a text is in the log; the part before it was last rotated away is not searched. */
export async function logContains(
  ctx: Pick<Context, "fs">,
  path: string,
  text: string,
): Promise<boolean> {
  return (await readIfThere(ctx, path))?.includes(text) === true;
}
