/**
 * A real control plane for tests: one for all tests of a run, in a temporary folder, with the
 * programs from the user's cache. A watcher takes it away when the test run ends, however it ends.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Context } from "../../lib/cli/context.ts";
import { messageOf } from "../../lib/cli/errors.ts";
import { exists } from "../../lib/cli/files.ts";
import { withLock } from "../../lib/cli/lock.ts";
import { silentStep, testContext } from "../../lib/cli/testing.ts";
import { connectKube } from "../../lib/kube/client.ts";
import type { Kube } from "../../lib/kube/types.ts";
import { preparePrograms, type Programs } from "../../lib/local/binaries/programs.ts";
import { type RunningCluster, startCluster } from "../../lib/local/cluster.ts";
import { ensureNodes } from "../../lib/local/nodes.ts";

/** What a test of {@link withCluster} gets. */
export interface TestCluster {
  /** Context whose state folder is that of the cluster. */
  readonly ctx: Context;
  /** Client with all rights; closed by `withCluster`. */
  readonly kube: Kube;
  /** The control plane, with its layout and programs. */
  readonly cluster: RunningCluster;
  /** An empty namespace of this test's own, deleted afterwards. */
  readonly namespace: string;
}

/** The programs from the cache, or made (minutes); undefined, with a line that says why, when they cannot be had. */
export async function testPrograms(ctx: Context): Promise<Programs | undefined> {
  try {
    return await preparePrograms(ctx, silentStep);
  } catch (error) {
    // deno-lint-ignore no-console -- a test that cannot run says so
    console.log(`SKIPPED: no control plane on this machine: ${messageOf(error)}`);
    return undefined;
  }
}

/** Options of {@link withCluster}. */
export interface WithClusterOptions {
  /** A control plane of this name, for tests of what a cluster can bear only once; the run's common one unless given. */
  readonly name?: string;
}

/** Runs `body` against the run's control plane, which has the simulated nodes and nothing else. */
export async function withCluster(
  body: (cluster: TestCluster) => Promise<void>,
  options: WithClusterOptions = {},
): Promise<void> {
  // All test files of a run share a process, and so this folder.
  const name = options.name === undefined ? "" : `-${options.name}`;
  const home = `${await temporaryFolder()}/dynamo-eks-test-cluster-${Deno.pid}${name}/.dynamo`;
  await using made = await testContext({ home });
  const { ctx } = made;
  const programs = await testPrograms(ctx);
  if (programs === undefined) return;
  const cluster = await withLock(ctx, "test", async () => {
    await startWatcher(ctx);
    return await startCluster(ctx, programs, silentStep);
  });
  const kube = await connectKube(ctx, { kubeconfig: cluster.layout.kubeconfig });
  const namespace = `test-${crypto.randomUUID().slice(0, 8)}`;
  const ref = { apiVersion: "v1", kind: "Namespace", name: namespace } as const;
  try {
    await ensureNodes(ctx, kube, programs.versions.kubernetes, silentStep);
    await kube.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    try {
      await body({ ctx, kube, cluster, namespace });
    } finally {
      await kube.delete(ref);
    }
  } finally {
    kube.close();
  }
}

async function temporaryFolder(): Promise<string> {
  return await Deno.realPath(Deno.env.get("TMPDIR") ?? "/tmp");
}

// Nobody runs code after the last test of a run, so a process of its own waits for the end.
async function startWatcher(ctx: Context): Promise<void> {
  const note = `${ctx.home}/watcher`;
  if (await exists(ctx, note)) return;
  await ctx.fs.writeTextFile(note, "", { mode: 0o600 });
  const { self } = ctx.processes;
  const script = fileURLToPath(new URL("cluster_watcher.ts", import.meta.url));
  await ctx.processes.daemon(ctx.processes.denoPath, [
    "run",
    "--quiet",
    "--no-prompt",
    "--allow-all",
    script,
    ctx.home,
    String(self.pid),
    self.started,
  ], { env: ctx.env.toObject(), cwd: ctx.root, logFile: `${ctx.home}/watcher.log` });
}
