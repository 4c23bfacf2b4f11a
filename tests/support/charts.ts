/**
 * A chart repository for tests: small charts of ours, packed by helm in the versions asked
 * for, served on loopback with an index as helm writes it.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Context } from "../../lib/cli/context.ts";

const CHARTS = fileURLToPath(new URL("../fixtures/charts", import.meta.url));

/** A running repository. */
export interface ChartRepository extends AsyncDisposable {
  /** URL for `--chart-repository`. */
  readonly url: string;
  /** Folder with the packed charts. */
  readonly folder: string;
  /** Paths asked for, with whether there was a login. */
  readonly requests: { readonly path: string; readonly authorization: string | undefined }[];
  /** Answers 503 to everything from now on. */
  isDown: boolean;
}

/** Packs the charts in these versions and serves them. */
export async function serveCharts(
  ctx: Context,
  helm: string,
  charts: readonly (readonly [name: string, version: string])[],
): Promise<ChartRepository> {
  const folder = await Deno.makeTempDir({ prefix: "dynamo-eks-charts-" });
  const run = async (args: string[]) => {
    const result = await ctx.processes.run(helm, args);
    if (result.code !== 0) throw new Error(`helm ${args.join(" ")}: ${result.stderr}`);
  };
  for (const [name, version] of charts) {
    await run(["package", `${CHARTS}/${name}`, "--version", version, "-d", folder]);
  }
  await run(["repo", "index", folder]);
  const requests: { path: string; authorization: string | undefined }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const authorization = request.headers.get("authorization") ?? undefined;
    requests.push({ path: pathname, authorization });
    if (repository.isDown) return new Response("down", { status: 503 });
    const file = await Deno.readFile(`${folder}/${pathname.split("/").at(-1)}`).catch(() => null);
    return new Response(file, { status: file === null ? 404 : 200 });
  });
  const repository: ChartRepository = {
    url: `http://127.0.0.1:${server.addr.port}/charts`,
    folder,
    requests,
    isDown: false,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
  return repository;
}
