import assert from "node:assert/strict";
import type { AwsSession } from "../aws/session.ts";
import { withContext } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { type PlannedChange, readPlan } from "../terraform/plan_summary.ts";
import type { Stack } from "../terraform/stack.ts";
import { keepInterruptedCluster } from "./interrupted_cluster.ts";

const ADDRESS = "module.eks.aws_eks_cluster.this[0]";

function planned(change: Partial<PlannedChange> = {}) {
  const tainted: PlannedChange = {
    address: ADDRESS,
    type: "aws_eks_cluster",
    action: "replace",
    reason: "replace_because_tainted",
    ...change,
  };
  return { summary: { ...readPlan("{}"), changes: [tainted] } };
}

/** AWS that says these in turn about the cluster; what terraform was then told to do. */
async function keep(
  statuses: readonly (string | undefined)[],
  options: { plan?: ReturnType<typeof planned>; dryRun?: boolean } = {},
): Promise<{ kept: boolean; commands: string[]; asked: number; said: string }> {
  await using made = await testContext();
  const commands: string[] = [];
  let asked = 0;
  const ctx = withContext(made.ctx, {
    clock: { ...made.ctx.clock, sleep: () => Promise.resolve() },
    processes: {
      ...made.ctx.processes,
      run: (_command, args) => {
        commands.push(args.join(" "));
        return Promise.resolve({ code: 0, stdout: "", stderr: "" });
      },
    },
  });
  const describeCluster = () => {
    const status = statuses[asked++];
    return status === undefined
      ? Promise.reject(new TaskError({ code: "AWS_NOT_FOUND", message: "no" }))
      : Promise.resolve({ cluster: { status, arn: "arn:aws:eks:r:1:cluster/c" } });
  };
  const aws = {
    region: "us-west-2",
    eks: () => Promise.resolve({ describeCluster }),
    within: () => aws,
  } as unknown as AwsSession;
  const stack = {
    program: { path: "terraform" },
    folder: made.ctx.home,
    env: {},
    backend: { kind: "local" },
  } as unknown as Stack;
  const kept = await keepInterruptedCluster(ctx, { aws, plan: options.plan ?? planned(), stack }, {
    name: "c",
    dryRun: options.dryRun ?? false,
    onWait: () => {},
  });
  return { kept, commands, asked, said: made.heard.talk.join() };
}

Deno.test("AWS finishes an interrupted cluster, and it is kept", async () => {
  const { kept, commands, asked } = await keep(["CREATING", "CREATING", "ACTIVE"]);
  assert.deepEqual([kept, asked], [true, 3]);
  assert.deepEqual(commands, [`untaint -no-color -lock-timeout=10s ${ADDRESS}`]);
});

Deno.test("one that failed or is gone is made anew, as terraform plans it", async () => {
  for (const status of ["FAILED", "DELETING", undefined]) {
    const { kept, commands } = await keep([status]);
    assert.deepEqual([kept, commands], [false, []], String(status));
  }
  assert.equal((await keep(["CREATING", "FAILED"])).kept, false);
});

Deno.test("a cluster that is replaced for a reason is not held on to; a dry run changes no state", async () => {
  const reason = { reason: "replace_because_cannot_update" };
  assert.equal((await keep(["ACTIVE"], { plan: planned(reason) })).asked, 0);
  const dry = await keep(["ACTIVE"], { dryRun: true });
  assert.deepEqual([dry.kept, dry.commands], [false, []]);
  assert.match(dry.said, /it is kept/);
});
