import assert from "node:assert/strict";
import { withContext } from "../cli/context.ts";
import { testContext } from "../cli/testing.ts";
import { compareVersions, findTerraform, terraformEnvironment } from "./program.ts";

Deno.test("a program that is named is taken, or missed by its name", async () => {
  await using made = await testContext({ env: { DYNAMO_TERRAFORM: "/opt/tofu" } });
  const machine = (there: boolean) =>
    withContext(made.ctx, {
      processes: {
        ...made.ctx.processes,
        which: (program) => Promise.resolve(there ? program : undefined),
        run: () => Promise.resolve({ code: 0, stdout: "OpenTofu v1.10.2\non x", stderr: "" }),
      },
    });
  assert.deepEqual(await findTerraform(machine(true)), {
    path: "/opt/tofu",
    product: "tofu",
    version: "1.10.2",
  });
  await assert.rejects(findTerraform(machine(false)), {
    code: "TERRAFORM_MISSING",
    message: "DYNAMO_TERRAFORM is /opt/tofu, and there is no such program",
  });
});

Deno.test("versions are compared by numbers", () => {
  assert.ok(compareVersions("1.10.0", "1.9.9") > 0);
  assert.ok(compareVersions("1.9.0", "1.9.1") < 0);
  assert.equal(compareVersions("1.9.0", "1.9.0"), 0);
});

Deno.test("terraform sees what it needs, no tokens of others, no words put in its mouth", async () => {
  await using made = await testContext({
    env: {
      HF_TOKEN: "hf_planted",
      NGC_API_KEY: "planted",
      CHART_REPOSITORY_PASSWORD: "planted",
      TF_LOG: "trace",
      TF_LOG_PATH: "/tmp/x",
      TF_CLI_ARGS_apply: "-auto-approve",
      TF_WORKSPACE: "other",
      TF_VAR_tags: "{}",
      TF_CLI_CONFIG_FILE: "/etc/mirror",
      AWS_ACCESS_KEY_ID: "AKIA",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_PROFILE: "usual",
    },
  });
  const { PATH: _path, HOME: _home, ...plain } = terraformEnvironment(made.ctx);
  assert.deepEqual(plain, {
    AWS_ACCESS_KEY_ID: "AKIA",
    AWS_SECRET_ACCESS_KEY: "secret",
    AWS_PROFILE: "usual",
    CHECKPOINT_DISABLE: "1",
    TF_CLI_CONFIG_FILE: "/etc/mirror",
    TF_INPUT: "0",
    TF_IN_AUTOMATION: "1",
    TF_VAR_tags: "{}",
  });
  const named = terraformEnvironment(made.ctx, "team");
  assert.deepEqual([named["AWS_PROFILE"], named["AWS_ACCESS_KEY_ID"]], ["team", undefined]);
});
