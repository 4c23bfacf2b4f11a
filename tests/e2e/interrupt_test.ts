/**
 * Ctrl-C in the middle, two at once, a lost cluster: whatever is left, the next install or
 * cleanup handles it.
 */
import assert from "node:assert/strict";
import { testContext } from "../../lib/cli/testing.ts";
import { processesBelow } from "../support/processes.ts";
import { runTaskProcess } from "../support/task.ts";

const INSTALL = ["install", "--target", "local"];
const INSTALL_TIMEOUT_MS = 20 * 60_000;

Deno.test("Ctrl-C during install ends with 130, and the next install carries on", async (t) => {
  await using test = await testContext();
  const home = test.ctx.home;
  const options = { home, timeoutMs: INSTALL_TIMEOUT_MS };
  try {
    for (const afterMs of [300, 1_500, 4_000]) {
      await t.step(`after ${afterMs} ms`, async () => {
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
    const whole = await runTaskProcess(INSTALL, options);
    assert.equal(whole.code, 0, whole.stderr);
  } finally {
    const cleaned = await runTaskProcess(["cleanup", "--all", "--yes"], options);
    assert.equal(cleaned.code, 0, cleaned.stderr);
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

Deno.test("cleanup ends what a killed cluster left, and a dead cluster is named as such", async () => {
  await using test = await testContext();
  const options = { home: test.ctx.home, timeoutMs: INSTALL_TIMEOUT_MS };
  try {
    const installed = await runTaskProcess(INSTALL, options);
    assert.equal(installed.code, 0, installed.stderr);
    // The node agent and the API server die; the pods' processes stay behind.
    for (const { pid, command } of await processesBelow(test.ctx.home)) {
      if (/agent\/main\.ts|kube-apiserver/.test(command)) Deno.kill(pid, "SIGKILL");
    }
    const status = await runTaskProcess(["status"], options);
    assert.equal(status.code, 3, status.stderr);
    assert.match(status.stderr, /does not answer.*deno task install/s);
  } finally {
    const cleaned = await runTaskProcess(["cleanup", "--all", "--yes"], options);
    assert.equal(cleaned.code, 0, cleaned.stderr);
  }
  assert.deepEqual(await processesBelow(test.ctx.home), []);
});
