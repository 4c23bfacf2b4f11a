/**
 * Where the project, its state and its cache are.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Environment } from "./context.ts";

/** The folder that holds deno.json. */
export function projectRoot(): string {
  return fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
}

/** State folder: `DYNAMO_HOME` (taken from the project's root when relative), else `.dynamo` there. */
export function stateFolder(env: Environment, root: string): string {
  const home = env.get("DYNAMO_HOME")?.replace(/(.)\/+$/, "$1") ?? ".dynamo";
  return home.startsWith("/") ? home : `${root}/${home}`;
}

/** Cache folder as the XDG base directory specification has it: `$XDG_CACHE_HOME` or `~/.cache`. */
export function cacheFolder(env: Environment, root: string): string {
  const base = env.get("XDG_CACHE_HOME");
  if (base?.startsWith("/")) return `${base}/dynamo-eks`;
  const home = env.get("HOME");
  return home === undefined ? `${root}/.dynamo/cache` : `${home}/.cache/dynamo-eks`;
}
