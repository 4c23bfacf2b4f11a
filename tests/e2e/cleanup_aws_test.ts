/**
 * `deno task cleanup` on AWS as a user runs it, against moto: audit, sweep and everything; what is
 * refused before anything is touched.
 */
import assert from "node:assert/strict";
import { testContext } from "../../lib/cli/testing.ts";
import { dumpAccount, makeClusterWorld, makeNetwork } from "../integration/aws_sweep_world.ts";
import { withMoto } from "../support/moto.ts";
import { assertTextFits } from "../support/schemas.ts";
import { runTaskProcess } from "../support/task.ts";

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };

Deno.test("cleanup on AWS: audit, refusals, everything, sweep", relaxed, async (t) => {
  await withMoto(async (moto) => {
    await using made = await testContext();
    const aws = await moto.aws(made.ctx);
    const { home } = made.ctx;
    const run = (...words: string[]) =>
      runTaskProcess(["cleanup", ...words], { home, env: moto.env });
    const there = ["--cluster", "dynamo", "--region", "us-west-2"];

    await makeNetwork(aws, "dynamo-2");
    const others = await dumpAccount(aws);
    const clean = await run("--audit", ...there);
    assert.equal(clean.code, 0, clean.stderr);
    assert.match(clean.stdout, /Nothing of dynamo was found in account 123456789012, us-west-2/);

    await makeClusterWorld(aws, "dynamo");
    const whole = await dumpAccount(aws);

    await t.step("--audit tells what bills and ends with 1", async () => {
      const text = await run("--audit", ...there);
      assert.equal(text.code, 1, text.stderr);
      assert.match(text.stdout, /nat-gateway +nat-\w+ +0 h +32\.85 +yes/);
      assert.match(text.stdout, /load-balancer .* \? +yes/);
      const json = await run("--audit", ...there, "--output", "json");
      assert.equal(json.code, 1, json.stderr);
      const report = await assertTextFits("cleanup-audit", json.stdout);
      assert.equal(report.account, "123456789012");
      assert.ok(report.billable >= 10 && report.usdPerMonth > 1000, json.stdout);
    });

    await t.step("what does not fit is refused, and nothing is touched", async () => {
      const folder = `${home}/terraform/us-west-2-dynamo`;
      await Deno.mkdir(folder, { recursive: true });
      const note = { name: "dynamo", region: "us-west-2", backend: { kind: "local" } };
      const remember = (account: string) =>
        Deno.writeTextFile(`${folder}/stack.json`, JSON.stringify({ ...note, account }));
      const refused = async (code: number, says: RegExp, ...words: string[]) => {
        const result = await run(...words);
        assert.equal(result.code, code, result.stderr);
        assert.match(result.stderr, says);
      };
      await remember("210987654321");
      const all = ["--all", "--yes", "--cluster", "dynamo"];
      await refused(3, /in account 210987654321 .* account 123456789012/s, ...all);
      await remember("123456789012");
      await refused(3, /installed in us-west-2/, ...all, "--region", "eu-west-1");
      await refused(3, /is still there/, "--sweep", "--yes", ...there);
      await Deno.remove(folder, { recursive: true });
      await refused(2, /--yes alone is not enough/, "--all", "--yes", "--target", "eks");
      await refused(2, /--yes --cluster dynamo/, "--all", ...there);
      const plan = await run("--all", ...there, "--dry-run");
      assert.equal(plan.code, 0, plan.stderr);
      assert.match(plan.stdout, /cost: 1\.\d\d USD an hour for what is known/);
      assert.match(plan.stdout, /instance i-\w+/);
      assert.deepEqual(await dumpAccount(aws), whole);
    });

    await t.step("--all takes everything of the one cluster and proves it", async () => {
      const result = await run("--all", "--yes", ...there, "--output", "json");
      assert.equal(result.code, 0, result.stderr);
      await assertTextFits("cleanup", result.stdout);
      assert.match(result.stderr, /nothing of it is left/);
      assert.deepEqual(await dumpAccount(aws), others);
      const again = await run("--all", "--yes", ...there);
      assert.equal(again.code, 0, again.stderr);
    });

    await t.step("--sweep deletes what a cluster that is gone has left", async () => {
      await makeNetwork(aws, "dynamo");
      const result = await run("--sweep", "--yes", ...there);
      assert.equal(result.code, 0, result.stderr);
      assert.deepEqual(await dumpAccount(aws), others);
    });
  });
});
