/**
 * The embedded cluster from nothing to an operator that runs, twice; through a power cut; gone.
 *
 * @module
 */
import assert from "node:assert/strict";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import type { Context } from "../../lib/cli/context.ts";
import { EXIT, messageOf, TaskError } from "../../lib/cli/errors.ts";
import { runPlan, type Step } from "../../lib/cli/plan.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { connectKube } from "../../lib/kube/client.ts";
import { clusterState } from "../../lib/local/cluster.ts";
import { localDeleteSteps } from "../../lib/local/delete.ts";
import { localInstallSteps } from "../../lib/local/install_steps.ts";
import { localLayout } from "../../lib/local/layout.ts";
import { readState } from "../../lib/local/state.ts";
import { localStatus } from "../../lib/local/status.ts";
import { processesBelow } from "../support/processes.ts";

const OPTIONS = {
  release: resolveRelease("v1.6.1"),
  namespace: "dynamo",
  operator: { kind: "stand-in" },
} as const;

async function apply(ctx: Context, steps: readonly Step[]): Promise<void> {
  await runPlan(ctx, { task: "test", facts: {}, warnings: [], steps });
}

async function install(ctx: Context): Promise<number> {
  const start = performance.now();
  await apply(ctx, await localInstallSteps(ctx, OPTIONS));
  return performance.now() - start;
}

/** Steps that cannot be planned here, because a tool is missing, are no failure of ours. */
async function possible(ctx: Context): Promise<boolean> {
  try {
    await localInstallSteps(ctx, OPTIONS);
    return true;
  } catch (error) {
    if (!(error instanceof TaskError) || error.exitCode !== EXIT.precondition) throw error;
    // deno-lint-ignore no-console -- a test that cannot run says so
    console.log(`SKIPPED: the embedded cluster needs what is not here: ${messageOf(error)}`);
    return false;
  }
}

async function operatorRestarts(ctx: Context): Promise<number[]> {
  const kube = await connectKube(ctx, { kubeconfig: localLayout(ctx).kubeconfig });
  try {
    const pods = await kube.list({ apiVersion: "v1", kind: "Pod" }, {
      namespace: OPTIONS.namespace,
      labelSelector: "control-plane=controller-manager",
    });
    return pods.items.map((pod) => {
      assert.equal(pod.status.containerStatuses[0].ready, true);
      return pod.status.containerStatuses[0].restartCount;
    });
  } finally {
    kube.close();
  }
}

Deno.test("install, again, after a power cut, and removal", async (t) => {
  await using made = await testContext();
  const { ctx } = made;
  if (!await possible(ctx)) return;
  try {
    await t.step("the operator runs", async () => {
      await install(ctx);
      assert.deepEqual(await operatorRestarts(ctx), [0]);
      const state = await readState(ctx, localLayout(ctx));
      assert.deepEqual(state?.installed, {
        release: "1.6.1",
        namespace: "dynamo",
        operator: { kind: "stand-in" },
      });
    });

    await t.step(
      "the second install changes nothing and takes less than three seconds",
      async () => {
        const pids = async () => (await localStatus(ctx)).processes.map(({ pid }) => pid);
        const before = await pids();
        const took = await install(ctx);
        assert.deepEqual(await pids(), before);
        assert.ok(took < 3_000, `${Math.round(took)} ms`);
      },
    );

    await t.step("after a power cut everything comes back, and is waited for", async () => {
      for (const { pid } of await processesBelow(ctx.home)) {
        // It may have ended with its parent.
        try {
          Deno.kill(pid, "SIGKILL");
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
      // A large process needs a moment to be gone.
      for (let i = 0; i < 100 && await clusterState(ctx) !== "stopped"; i++) {
        await ctx.clock.sleep(50);
      }
      assert.equal(await clusterState(ctx), "stopped");
      await install(ctx);
      assert.deepEqual(await operatorRestarts(ctx), [1]);
    });
  } finally {
    await apply(ctx, await localDeleteSteps(ctx, { cache: false }));
  }
  assert.deepEqual(await processesBelow(ctx.home), []);
  const left: string[] = [];
  for await (const entry of Deno.readDir(ctx.home)) left.push(entry.name);
  assert.deepEqual(left, []);
});
