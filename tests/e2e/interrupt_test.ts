/**
 * Ctrl-C in the middle, two at once, a lost cluster: whatever is left, the next install or
 * cleanup handles it.
 */
import assert from "node:assert/strict";
import { testContext } from "../../lib/cli/testing.ts";
import { processesBelow } from "../support/processes.ts";
import { runTaskProcess } from "../support/task.ts";
import { interruptedCleanups } from "./cleanup_rounds.ts";

const INSTALL = ["install", "--target", "local"];
const INSTALL_TIMEOUT_MS = 20 * 60_000;

Deno.test("installs and cleanups that are broken off are carried on by the next one (DYNAMO_FUZZ=full: 50 cleanups instead of 4)", async (t) => {
  await using test = await testContext();
  const { home } = test.ctx;
  const options = { home, timeoutMs: INSTALL_TIMEOUT_MS };
  const ok = async (...words: string[]) => {
    const result = await runTaskProcess(words, options);
    assert.equal(result.code, 0, `${words.join(" ")}\n${result.stderr}`);
    return result;
  };
  try {
    for (const afterMs of [300, 1_500, 4_000]) {
      await t.step(`Ctrl-C during install, after ${afterMs} ms`, async () => {
        const result = await runTaskProcess(INSTALL, {
          ...options,
          onStart: (child) => {
            setTimeout(() => {
              try {
                child.kill("SIGINT");
              } catch {
                // It was done before.
              }
            }, afterMs);
          },
        });
        assert.ok([0, 130].includes(result.code), `${result.code}\n${result.stderr}`);
        assert.ok(result.ms < afterMs + 15_000, `took ${result.ms} ms to stop`);
      });
    }
    await t.step("the next install carries on", async () => void await ok(...INSTALL));
    await t.step("a killed cluster is named as such, and all of it goes", async () => {
      // The node agent and the API server die; the pods' processes stay behind.
      for (const { pid, command } of await processesBelow(home)) {
        if (/agent\/main\.ts|kube-apiserver/.test(command)) Deno.kill(pid, "SIGKILL");
      }
      for (const words of [["status"], ["cleanup", "--graphs", "--yes"]]) {
        const refused = await runTaskProcess(words, options);
        assert.equal(refused.code, 3, refused.stderr);
        assert.match(refused.stderr, /does not answer.*deno task install/s);
      }
      const cleaned = await ok("cleanup", "--all", "--yes");
      assert.match(cleaned.stderr, /cannot be looked at .* go\s+all\s+the same/s);
      assert.deepEqual(await processesBelow(home), []);
    });
    await t.step("cleanups broken off at random moments", async () => {
      const seed = Number(Deno.env.get("DYNAMO_FUZZ_SEED") ?? Date.now() % 1_000_000);
      const rounds = Deno.env.get("DYNAMO_FUZZ") === "full" ? 50 : 4;
      await interruptedCleanups(test.ctx, { rounds, seed, ok });
    });
  } finally {
    await ok("cleanup", "--all", "--yes");
  }
  assert.deepEqual(await processesBelow(home), []);
});

Deno.test("two installs at once: the second says who is at work", async () => {
  await using test = await testContext();
  const options = { home: test.ctx.home, timeoutMs: INSTALL_TIMEOUT_MS };
  try {
    const first = runTaskProcess(INSTALL, options);
    let second = await runTaskProcess(INSTALL, options);
    // The first may not have taken the lock when the second looked; one of the two was refused.
    const results = [await first, second].sort((a, b) => a.code - b.code);
    second = results[1]!;
    assert.equal(results[0]!.code, 0, results[0]!.stderr);
    assert.equal(second.code, 3, second.stderr);
    assert.match(second.stderr, /deno task install \(process \d+, since .*\) is at work/);
  } finally {
    const cleaned = await runTaskProcess(["cleanup", "--all", "--yes"], options);
    assert.equal(cleaned.code, 0, cleaned.stderr);
  }
  assert.deepEqual(await processesBelow(test.ctx.home), []);
});
