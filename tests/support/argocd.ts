/**
 * Argo CD's real definition of an Application, from its Go module.
 *
 * @module
 */
import { parse } from "@std/yaml";
import type { Context } from "../../lib/cli/context.ts";
import { readIfThere, writeFileAtomic } from "../../lib/cli/files.ts";
import type { KubeObject } from "../../lib/kube/types.ts";

const MODULE = "github.com/argoproj/argo-cd/v2";
const VERSION = "v2.14.21";

/** The definition, fetched into the cache on first use; the reason when it cannot be had. */
export async function applicationDefinition(
  ctx: Context,
): Promise<KubeObject | { readonly reason: string }> {
  const file = `${ctx.cache}/argocd/${VERSION}/application-crd.yaml`;
  const text = await readIfThere(ctx, file) ?? await fetchDefinition(ctx, file);
  return typeof text === "string" ? parse(text) as KubeObject : text;
}

async function fetchDefinition(
  ctx: Context,
  file: string,
): Promise<string | { readonly reason: string }> {
  const args = ["mod", "download", "-json", `${MODULE}@${VERSION}`];
  try {
    const result = await ctx.processes.run("go", args, {
      cwd: "/",
      signal: AbortSignal.timeout(300_000),
    });
    if (result.code !== 0) return { reason: `go ${args.join(" ")} failed` };
    const { Dir: folder } = JSON.parse(result.stdout) as { Dir: string };
    const text = await ctx.fs.readTextFile(`${folder}/manifests/crds/application-crd.yaml`);
    await writeFileAtomic(ctx, file, text);
    return text;
  } catch (error) {
    return { reason: String(error) };
  }
}
