import assert from "node:assert/strict";
import { describe, terraformError } from "./errors.ts";
import { readEvent, type TerraformEvent } from "./stream.ts";
import { recorded } from "./testing.ts";

Deno.test("a recorded plan: every resource with its action, and the sums", async () => {
  const events = await recorded("plan");
  const planned = events.filter((event) => event.kind === "planned");
  assert.equal(planned.length, 9);
  assert.ok(planned.every(({ action }) => action === "create"));
  assert.ok(planned.some(({ address }) => address === "aws_subnet.this[1]"));
  assert.deepEqual(events.find((event) => event.kind === "version"), {
    kind: "version",
    version: "1.11.4",
  });
  assert.deepEqual(events.find((event) => event.kind === "summary"), {
    kind: "summary",
    operation: "plan",
    add: 9,
    change: 0,
    remove: 0,
  });
});

Deno.test("a recorded plan with changes tells a replacement from an update", async () => {
  const planned = (await recorded("plan-changes")).filter((event) => event.kind === "planned");
  assert.deepEqual(
    planned.map(({ address, action }) => `${action} ${address}`).sort(),
    ["replace aws_nat_gateway.this", "update aws_eks_cluster.this"],
  );
});

Deno.test("a recorded apply that fails: what ran, for how long, and what failed where", async () => {
  const events = await recorded("apply-fails");
  const of = (kind: TerraformEvent["kind"]) =>
    events.flatMap((event) => event.kind === kind && "address" in event ? [event] : []);
  assert.equal(of("done").length, 8);
  assert.deepEqual(of("failed").map(({ address }) => address), ["helm_release.monitoring"]);
  const slow = of("progress").flatMap((event) =>
    event.address === "aws_eks_cluster.this" && "seconds" in event ? [event.seconds] : []
  );
  assert.deepEqual(slow, [10, 20]);
  const done = of("done").find(({ address }) => address === "aws_nat_gateway.this")!;
  assert.ok("id" in done && done.id?.startsWith("nat-"));
  const diagnostics = events.flatMap((event) =>
    event.kind === "diagnostic" ? [event.diagnostic] : []
  );
  assert.equal(
    describe(diagnostics[0]!),
    "helm_release.monitoring: Injected failure: create of helm_release failed: as asked " +
      "(TFSTUB_FAIL) (main.tf:70)",
  );
  const error = terraformError({ command: "apply", code: 1, diagnostics, text: [] });
  assert.equal(error.code, "TERRAFORM_FAILED");
  assert.equal(error.exitCode, 1);
});

Deno.test("a recorded interrupt: terraform says that it stops, and halts", async () => {
  const events = await recorded("apply-interrupted");
  const texts = events.flatMap((event) => event.kind === "text" ? [event.text] : []);
  assert.ok(texts.some((text) => text.startsWith("Interrupt received.")));
  assert.ok(texts.includes("Stopping operation..."));
});

Deno.test("lines that are no events: text is kept, unknown types are left out", () => {
  assert.deepEqual(readEvent("panic: oh"), { kind: "text", text: "panic: oh" });
  assert.deepEqual(readEvent('{"cut'), { kind: "text", text: '{"cut' });
  assert.equal(readEvent('{"type":"something_new"}'), undefined);
  assert.equal(readEvent('{"type":"outputs","outputs":{"a":{"value":1}}}'), undefined);
  assert.equal(readEvent(""), undefined);
  // Whatever a later version leaves out or spells otherwise must not end an install.
  assert.deepEqual(readEvent('{"type":"apply_start","hook":null}'), {
    kind: "started",
    address: "",
    type: "",
    action: "other",
    seconds: 0,
  });
});
