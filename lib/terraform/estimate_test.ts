import assert from "node:assert/strict";
import { aboutText, estimateSeconds, progressMeter, progressText } from "./estimate.ts";
import type { PlannedChange } from "./plan_summary.ts";
import { recorded } from "./testing.ts";

function creates(...addresses: string[]): PlannedChange[] {
  return addresses.map((address) => ({
    address,
    type: address.split(".").at(-2)!,
    action: "create",
  }));
}

const CLUSTER = "module.eks.aws_eks_cluster.this[0]";
const PLAN = creates(
  "module.vpc.aws_nat_gateway.this",
  CLUSTER,
  "module.eks.aws_eks_node_group.core",
  "aws_iam_role.a",
);

Deno.test("an estimate adds waves, takes the longest of each, and says nothing of quick things", () => {
  const whole = estimateSeconds(PLAN)!;
  assert.ok(whole > 700 && whole < 900, String(whole));
  const twoGateways = [...PLAN, ...creates("aws_nat_gateway.second")];
  assert.equal(estimateSeconds(twoGateways), whole, "they are made at once");
  assert.equal(estimateSeconds(creates("aws_iam_role.a", "aws_iam_role.b")), undefined);
});

Deno.test("an estimate shrinks with time, follows this account's pace, and tells what is late", () => {
  const meter = progressMeter(PLAN);
  const start = (address: string, now: number) =>
    meter.observe({ kind: "started", address, type: "", action: "create", seconds: 0 }, now);
  const before = meter.progress(0).secondsLeft!;
  start("module.vpc.aws_nat_gateway.this", 0);
  assert.equal(meter.progress(60_000).secondsLeft, before - 60);
  meter.observe({
    kind: "done",
    address: "module.vpc.aws_nat_gateway.this",
    type: "aws_nat_gateway",
    action: "create",
    seconds: 220,
  }, 220_000);
  const after = meter.progress(220_000);
  assert.equal(after.done, 1);
  assert.ok(after.secondsLeft! > 1_300, "it took twice as long as usual, so does the rest");
  start(CLUSTER, 220_000);
  assert.deepEqual(meter.progress(400_000).late, []);
  const late = meter.progress(220_000 + 2_000_000);
  assert.deepEqual(late.late, [CLUSTER]);
  assert.ok(late.secondsLeft! > 0, "it is not done as long as it runs");
  assert.match(
    progressText(late),
    /^1 of 4, eks\.aws_eks_cluster\.this\[0\] for 2000 s, about .* left, .* takes longer than usual$/,
  );
});

Deno.test("a recorded apply counts to the end; what failed is not done and not waited for", async () => {
  const events = await recorded("apply-fails");
  const planned = (await recorded("plan")).flatMap((event) =>
    event.kind === "planned"
      ? [{ address: event.address, type: event.address.split(".")[0]!, action: "create" as const }]
      : []
  );
  const meter = progressMeter(planned);
  events.forEach((event, index) => meter.observe(event, index * 1000));
  const end = meter.progress(events.length * 1000);
  assert.deepEqual([end.done, end.total], [8, 9]);
  assert.deepEqual(end.running, []);
  assert.equal(end.secondsLeft, undefined);
});

Deno.test("an apply that is joined late knows since when things run", () => {
  const meter = progressMeter(PLAN);
  meter.observe(
    { kind: "progress", address: CLUSTER, type: "", action: "create", seconds: 300 },
    1_000,
  );
  assert.deepEqual(meter.progress(11_000).running, [{ address: CLUSTER, seconds: 310 }]);
});

Deno.test("durations are told as roughly as they are known", () => {
  assert.deepEqual([20, 89, 700, 1500, 3700].map(aboutText), [
    "less than a minute",
    "about 1 min",
    "about 12 min",
    "about 25 min",
    "about 60 min",
  ]);
});
