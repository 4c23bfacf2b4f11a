/**
 * The API server's serving certificate. The server makes it by itself at its first start
 * (`--cert-dir`): a certificate for 127.0.0.1 and the authority that signed it, in one file.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { readIfThere, removeAll } from "../cli/files.ts";

// The server signs for one year.
const RENEW_AFTER_MS = 300 * 24 * 3_600_000;

/** Paths in the folder of the serving certificate. */
export function servingPaths(
  folder: string,
): { readonly certificate: string; readonly key: string } {
  return { certificate: `${folder}/apiserver.crt`, key: `${folder}/apiserver.key` };
}

/** Removes a certificate that is incomplete or near its end; the server then makes a new one. */
export async function dropOldCertificate(
  ctx: Pick<Context, "fs" | "clock">,
  folder: string,
): Promise<void> {
  const { certificate, key } = servingPaths(folder);
  const ca = await readAuthority(ctx, folder);
  const complete = ca !== undefined && (await readIfThere(ctx, key))?.includes("-----END") === true;
  if (complete) {
    const { mtime } = await ctx.fs.stat(certificate);
    if (mtime === null || ctx.clock.now() - mtime.getTime() < RENEW_AFTER_MS) return;
  }
  await removeAll(ctx, certificate);
  await removeAll(ctx, key);
}

/** The authority's certificate (PEM), or undefined as long as the server has not made it. */
export async function readAuthority(
  ctx: Pick<Context, "fs">,
  folder: string,
): Promise<string | undefined> {
  const text = await readIfThere(ctx, servingPaths(folder).certificate) ?? "";
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
  // The server's own certificate comes first, the authority's second.
  return blocks[1];
}
