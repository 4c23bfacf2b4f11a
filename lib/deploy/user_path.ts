/**
 * Paths of the command line.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";

/** Where such a path is: `deno task` moves to the project, the user was elsewhere. */
export function userPath(ctx: Pick<Context, "env">, path: string): string {
  const folder = ctx.env.get("INIT_CWD");
  return path.startsWith("/") || folder === undefined ? path : `${folder}/${path}`;
}
