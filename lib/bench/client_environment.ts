/**
 * The machine that a run's load came from.
 *
 * @module
 */
import { cpus } from "node:os";
import type { Context } from "../cli/context.ts";
import type { ClientEnvironment } from "./environment.ts";

/** Reads it; what the system does not tell is null. */
export async function clientEnvironment(
  ctx: Pick<Context, "fs" | "platform" | "root">,
): Promise<ClientEnvironment> {
  const read = (path: string) => ctx.fs.readTextFile(path).catch(() => undefined);
  const [changes, commit] = await Promise.all([
    read(`${ctx.root}/CHANGELOG.md`),
    commitOf(read, ctx.root),
  ]);
  return {
    version: /^## \[(.+?)\]/m.exec(changes ?? "")?.[1]?.toLowerCase() ?? null,
    commit: commit ?? null,
    deno: Deno.version.deno,
    os: `${ctx.platform.os} ${Deno.osRelease()}`,
    arch: ctx.platform.arch,
    cpu: cpus()[0]?.model.trim() || null,
    cpus: navigator.hardwareConcurrency,
    memory_bytes: Deno.systemMemoryInfo().total,
  };
}

// As git keeps it, so that no program has to be run; in a work tree `.git` is a file.
async function commitOf(
  read: (path: string) => Promise<string | undefined>,
  root: string,
): Promise<string | undefined> {
  const link = /^gitdir: (.+)$/m.exec(await read(`${root}/.git`) ?? "")?.[1];
  const folder = link === undefined
    ? `${root}/.git`
    : link.startsWith("/")
    ? link
    : `${root}/${link}`;
  const head = (await read(`${folder}/HEAD`))?.trim();
  if (head === undefined) return undefined;
  const ref = /^ref: (.+)$/.exec(head)?.[1];
  if (ref === undefined) return head;
  const common = (await read(`${folder}/commondir`))?.trim();
  const shared = common === undefined ? folder : `${folder}/${common}`;
  const loose = (await read(`${shared}/${ref}`))?.trim();
  if (loose !== undefined) return loose;
  const packed = await read(`${shared}/packed-refs`) ?? "";
  return packed.split("\n").find((line) => line.endsWith(` ${ref}`))?.split(" ")[0];
}
