import assert from "node:assert/strict";
import { s3Backend } from "./backend.ts";
import { terraformError, type TerraformFailure } from "./errors.ts";
import type { Diagnostic } from "./stream.ts";
import { recorded } from "./testing.ts";

function failure(diagnostics: readonly Diagnostic[]): TerraformFailure {
  return { command: "apply", code: 1, diagnostics, text: [], logFile: "/folder/log" };
}

function said(summary: string, detail = ""): Diagnostic {
  return { severity: "error", summary, detail };
}

Deno.test("a recorded lock: who has it, since when, and what to do by the kind of backend", async () => {
  const diagnostics = (await recorded("locked")).flatMap((event) =>
    event.kind === "diagnostic" ? [event.diagnostic] : []
  );
  const local = terraformError({ ...failure(diagnostics), backend: { kind: "local" } });
  assert.equal(local.code, "TERRAFORM_LOCKED");
  assert.equal(local.exitCode, 3);
  assert.match(
    local.message,
    /somebody@laptop has had it locked since 2026-11-24 17:38:19 UTC \(apply\)/,
  );
  assert.doesNotMatch(local.hint!, /unlock/);
  const backend = s3Backend("123456789012", { region: "eu-west-1", name: "team" });
  const s3 = terraformError({ ...failure(diagnostics), backend });
  assert.match(
    s3.hint!,
    /deno task infra unlock c4090c2e-0053-b625-bcd9-1533732ae72f --name team --region eu-west-1/,
  );
});

Deno.test("what AWS says decides what to do", () => {
  const cases: [string, string, number][] = [
    [
      "operation error EKS: CreateCluster, StatusCode: 403, ExpiredTokenException",
      "AWS_EXPIRED",
      3,
    ],
    ["The security token included in the request is expired", "AWS_EXPIRED", 3],
    ["No valid credential sources found", "AWS_NO_CREDENTIALS", 3],
    ["StatusCode: 429, TooManyRequestsException", "AWS_THROTTLED", 1],
    [
      "operation error EC2: api error RequestLimitExceeded: Request limit exceeded",
      "AWS_THROTTLED",
      1,
    ],
    ["api error VcpuLimitExceeded: You have requested more vCPU capacity", "AWS_QUOTA", 3],
    ["The maximum number of VPCs has been reached.", "AWS_QUOTA", 3],
    ["api error UnauthorizedOperation: You are not authorized", "AWS_DENIED", 3],
    ["api error EntityAlreadyExists: Role with name x already exists.", "TERRAFORM_EXISTS", 3],
    ["something else", "TERRAFORM_FAILED", 1],
  ];
  for (const [detail, code, exitCode] of cases) {
    const error = terraformError(failure([said("creating", detail)]));
    assert.deepEqual([error.code, error.exitCode], [code, exitCode], detail);
    assert.ok(error.hint, detail);
  }
});

Deno.test("what stands in the way of a destroy is in use, whatever AWS calls it", () => {
  const details = [
    "api error DependencyViolation: The vpc 'vpc-1' has dependencies and cannot be deleted.",
    "ResourceInUseException: Cluster has nodegroups attached",
    "DeleteConflict: Cannot delete entity, must detach all policies first.",
    "RepositoryNotEmptyException: The repository is not empty",
  ];
  for (const detail of details) {
    const error = terraformError({ ...failure([said("deleting", detail)]), command: "destroy" });
    assert.deepEqual([error.code, error.exitCode], ["TERRAFORM_IN_USE", 1], detail);
    assert.match(error.hint!, /cleanup --audit/);
  }
  const expired = terraformError({
    ...failure([said("deleting", "ExpiredToken"), said("deleting", details[0])]),
    command: "destroy",
  });
  assert.equal(expired.code, "AWS_EXPIRED");
});

Deno.test("the first error is the message, others are evidence once, halting says nothing", () => {
  const error = terraformError(failure([
    said("execution halted"),
    { ...said("First", "line one\n  line two"), address: "aws_vpc.a", place: "vpc.tf:3" },
    said("Second"),
    said("Second"),
    { severity: "warning", summary: "Old", detail: "" },
  ]));
  assert.equal(error.message, "aws_vpc.a: First: line one line two (vpc.tf:3)");
  assert.deepEqual(error.evidence, ["Second", "Everything it said: /folder/log"]);
});

Deno.test("without a word of its own: exit code or signal, and its last lines", () => {
  const crash = terraformError({ command: "plan", code: 137, diagnostics: [], text: ["killed"] });
  assert.equal(crash.message, "terraform plan ended with signal 9");
  assert.deepEqual(crash.evidence, ["killed"]);
});

Deno.test("an error of a destroy is given the address at which it failed", () => {
  const one = terraformError({
    ...failure([said("deleting EKS Cluster")]),
    failed: ["module.eks.a"],
  });
  assert.equal(one.message, "module.eks.a: deleting EKS Cluster");
  const two = terraformError({
    ...failure([said("No"), said("Nor")]),
    failed: ["a.b", "c.d", "a.b"],
  });
  assert.equal(two.message, "No");
  assert.deepEqual(two.evidence.slice(0, 2), ["Nor", "Failed: a.b, c.d"]);
  const known = { ...said("No"), address: "a.b" };
  assert.deepEqual(terraformError({ ...failure([known]), failed: ["a.b"] }).message, "a.b: No");
});
