// The security scan. checkov without an account knows no severities, so every finding counts: it
// is mended, or a comment `#checkov:skip=ID:reason` beside the line says why it stays.

import assert from "node:assert/strict";
import type { Context } from "../../lib/cli/context.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { pythonEnvironment } from "../support/python_environment.ts";
import { PROJECT_ROOT } from "../support/task.ts";

const VERSION = "3.3.30";

interface Finding {
  readonly check_id: string;
  readonly check_name: string;
  readonly file_path: string;
  readonly file_line_range: readonly [number, number];
  readonly check_result: { readonly suppress_comment?: string };
}

interface Report {
  readonly results: {
    readonly passed_checks: readonly Finding[];
    readonly failed_checks: readonly Finding[];
    readonly skipped_checks: readonly Finding[];
    readonly parsing_errors: readonly string[];
  };
}

Deno.test("checkov finds nothing in terraform/ that has no written reason", async () => {
  await withCheckov(async (ctx, checkov) => {
    const { results } = await scan(ctx, checkov, `${PROJECT_ROOT}/terraform`);
    assert.deepEqual(results.parsing_errors, []);
    assert.deepEqual(results.failed_checks.map(describe), []);
    const unexplained = results.skipped_checks.filter((one) => {
      const reason = one.check_result.suppress_comment ?? "";
      return reason.trim().split(/\s+/).length < 3;
    });
    assert.deepEqual(unexplained.map(describe), []);
    assert.ok(results.passed_checks.length + results.skipped_checks.length > 10, "scanned little");
  });
});

Deno.test("checkov finds what is wrong, so that silence means something", async () => {
  await withCheckov(async (ctx, checkov) => {
    const folder = `${ctx.home}/planted`;
    await ctx.fs.mkdir(folder, { recursive: true });
    await ctx.fs.writeTextFile(
      `${folder}/open.tf`,
      `resource "aws_security_group" "open" {
  description = "planted"
  ingress {
    description = "planted"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
`,
    );
    const { results } = await scan(ctx, checkov, folder);
    assert.ok(results.failed_checks.some((one) => one.check_id === "CKV_AWS_24"));
  });
});

function describe(one: Finding): string {
  return `${one.file_path}:${one.file_line_range[0]} ${one.check_id} ${one.check_name}`;
}

/** Runs `body` with the program, or prints SKIPPED. */
async function withCheckov(body: (ctx: Context, checkov: string) => Promise<void>): Promise<void> {
  await using made = await testContext();
  const checkov = await findCheckov(made.ctx);
  if (typeof checkov !== "string") {
    // deno-lint-ignore no-console -- a test that cannot run says so
    return console.log(`SKIPPED: no checkov on this machine: ${checkov.reason}`);
  }
  await body(made.ctx, checkov);
}

/** The one that CHECKOV names, or ours in the cache, or else whichever is on the PATH. */
async function findCheckov(ctx: Context): Promise<string | { readonly reason: string }> {
  const named = Deno.env.get("CHECKOV");
  if (named !== undefined && named !== "") return named;
  const bin = await pythonEnvironment(ctx, {
    name: "checkov",
    version: VERSION,
    requirement: `checkov==${VERSION}`,
  });
  if (typeof bin === "string") return `${bin}/checkov`;
  const found = await ctx.processes.run("checkov", ["--version"]).catch(() => undefined);
  return found?.code === 0 ? "checkov" : bin;
}

async function scan(ctx: Context, checkov: string, folder: string): Promise<Report> {
  // Asks nobody for guidelines.
  const args = ["--skip-download", "--framework", "terraform", "--compact", "--output", "json"];
  const { code, stdout, stderr } = await ctx.processes.run(
    checkov,
    ["--directory", folder, ...args],
    { signal: AbortSignal.timeout(300_000) },
  );
  assert.ok(code === 0 || code === 1, `checkov ended with ${code}: ${stderr.slice(-1000)}`);
  return JSON.parse(stdout);
}
