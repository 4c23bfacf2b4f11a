import assert from "node:assert/strict";
import { withContext } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { silentStep, testContext } from "../cli/testing.ts";
import { type PlannedChange, readPlan } from "../terraform/plan_summary.ts";
import type { Stage } from "../terraform/stages.ts";
import { applySteps } from "./apply.ts";
import type { Infrastructure } from "./infrastructure.ts";

const STAGES: readonly Stage[] = [
  { name: "vpc", title: "Network", targets: ["module.vpc"] },
  { name: "eks", title: "Cluster", targets: ["module.vpc", "module.eks"] },
  { name: "addons", title: "Add-ons", targets: [] },
];

function change(address: string, action: PlannedChange["action"] = "create"): PlannedChange {
  return { address, type: address.split(".").at(-2)!, action };
}

function found(changes: readonly PlannedChange[]): Infrastructure {
  return {
    stages: STAGES,
    plan: {
      file: "/folder/whole.tfplan",
      summary: { ...readPlan("{}"), changes, applyable: changes.length > 0 },
      warnings: [],
    },
    stack: {
      program: { path: "terraform", product: "terraform", version: "1.11.4" },
      backend: { kind: "local" },
      env: {},
    },
  } as unknown as Infrastructure;
}

const emit = () => {};

function skips(changes: readonly PlannedChange[], stage?: "vpc" | "eks" | "addons") {
  return applySteps(found(changes), { emit, stage }).map((
    { id, skip },
  ) => [id, skip === undefined]);
}

Deno.test("only stages in which something changes are run", () => {
  assert.deepEqual(skips([change("module.vpc.aws_vpc.this"), change("helm_release.x")]), [
    ["terraform-vpc", true],
    ["terraform-eks", false],
    ["terraform-addons", true],
  ]);
  assert.deepEqual(skips([change("module.eks.module.a.aws_x.y"), change("module.vpc2.aws_x.y")]), [
    ["terraform-vpc", false],
    ["terraform-eks", true],
    ["terraform-addons", true],
  ]);
  assert.deepEqual(skips([]).map(([, runs]) => runs), [false, false, false]);
  assert.deepEqual(skips([change("module.vpc.aws_vpc.this")], "vpc"), [["terraform-vpc", true]]);
});

/** Runs the steps with a terraform that gives these plans, and notes what it is called with. */
async function run(
  agreed: readonly PlannedChange[],
  later: readonly PlannedChange[],
): Promise<string[]> {
  await using made = await testContext();
  const calls: string[] = [];
  const folder = `${made.ctx.home}/work`;
  await Deno.mkdir(folder, { recursive: true });
  const ctx = withContext(made.ctx, {
    processes: {
      ...made.ctx.processes,
      kill: () => {},
      start: async (_command, args, { logFile }) => {
        calls.push(
          args.filter((word) => !word.startsWith("-") || word.startsWith("-target")).join(" "),
        );
        await Deno.writeTextFile(logFile, "");
        return { identity: { pid: 1, started: "x" }, ended: Promise.resolve(0) };
      },
      run: () =>
        Promise.resolve({
          code: 0,
          stderr: "",
          stdout: JSON.stringify({
            resource_changes: later.map(({ address, type, action }) => ({
              address,
              type,
              mode: "managed",
              change: { actions: action === "replace" ? ["delete", "create"] : [action] },
            })),
          }),
        }),
    },
  });
  const infrastructure = found(agreed);
  Object.assign(infrastructure.stack, { folder });
  for (const step of applySteps(infrastructure, { emit })) {
    if (step.skip === undefined) await step.run(ctx, silentStep);
  }
  return calls;
}

Deno.test("without stages before it the last one applies what was agreed to, as it is", async () => {
  assert.deepEqual(await run([change("helm_release.x")], []), ["apply whole.tfplan"]);
});

Deno.test("stages have plans of their own, and what is left gets a new one", async () => {
  const all = [change("module.vpc.aws_vpc.this"), change("helm_release.x")];
  assert.deepEqual(await run(all, all), [
    "plan -target=module.vpc",
    "apply vpc.tfplan",
    "plan",
    "apply addons.tfplan",
  ]);
});

Deno.test("what a later plan destroys without a yes is not applied", async () => {
  const agreed = [change("module.vpc.aws_vpc.this")];
  for (const action of ["delete", "replace"] as const) {
    await assert.rejects(
      run(agreed, [change("module.vpc.aws_nat_gateway.this", action)]),
      (error) =>
        error instanceof TaskError && error.code === "PLAN_CHANGED" && error.exitCode === 3,
    );
  }
});
