import assert from "node:assert/strict";
import type { Context } from "../cli/context.ts";
import { testContext } from "../cli/testing.ts";
import {
  type DaemonSpec,
  deadError,
  ensureDaemon,
  logPath,
  runningDaemon,
  stopDaemon,
} from "./daemon.ts";
import { localLayout } from "./layout.ts";

const SLEEP: DaemonSpec = {
  name: "sleeper",
  command: ["sleep", "60"],
  env: { PATH: "/usr/bin:/bin" },
  cwd: "/",
  stopMs: 2_000,
};

async function withDaemons(body: (ctx: Context) => Promise<void>): Promise<void> {
  await using made = await testContext();
  try {
    await body(made.ctx);
  } finally {
    await stopDaemon(made.ctx, localLayout(made.ctx), SLEEP.name, 100);
  }
}

Deno.test("a daemon is started once, and again when what it is made from changes", async () => {
  await withDaemons(async (ctx) => {
    const layout = localLayout(ctx);
    assert.equal(await ensureDaemon(ctx, layout, SLEEP), "started");
    const first = await runningDaemon(ctx, layout, "sleeper");
    assert.equal(await ensureDaemon(ctx, layout, SLEEP), "running");
    assert.deepEqual(await runningDaemon(ctx, layout, "sleeper"), first);
    assert.equal(await ensureDaemon(ctx, layout, { ...SLEEP, inputs: ["new"] }), "restarted");
    assert.equal(ctx.processes.alive(first!.identity), false);
    assert.equal(await stopDaemon(ctx, layout, "sleeper", 2_000), true);
    assert.equal(await runningDaemon(ctx, layout, "sleeper"), undefined);
    assert.equal(await stopDaemon(ctx, layout, "sleeper", 2_000), false);
  });
});

Deno.test("the process is known although its starter was killed right after the start", async () => {
  await using made = await testContext();
  const { ctx } = made;
  const script = `
    import { testContext } from "${new URL("../cli/testing.ts", import.meta.url)}";
    import { ensureDaemon } from "${new URL("./daemon.ts", import.meta.url)}";
    import { localLayout } from "${new URL("./layout.ts", import.meta.url)}";
    const { ctx } = await testContext({ home: ${JSON.stringify(ctx.home)} });
    const daemon = ctx.processes.daemon;
    ctx.processes.daemon = async (...args) => { await daemon(...args); Deno.kill(Deno.pid, "SIGKILL"); };
    await ensureDaemon(ctx, localLayout(ctx), ${JSON.stringify(SLEEP)});
  `;
  const result = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", script],
    cwd: ctx.root,
  }).output();
  assert.equal(result.signal, "SIGKILL", new TextDecoder().decode(result.stderr));
  const layout = localLayout(ctx);
  // The process may still be a shell about to write its note.
  for (let i = 0; i < 100 && await runningDaemon(ctx, layout, "sleeper") === undefined; i++) {
    await ctx.clock.sleep(10);
  }
  assert.equal(await ensureDaemon(ctx, layout, SLEEP), "running");
  assert.equal(await stopDaemon(ctx, layout, "sleeper", 2_000), true);
});

Deno.test("a note that names a stranger's number is not believed, and the stranger is left alone", async () => {
  await withDaemons(async (ctx) => {
    const layout = localLayout(ctx);
    const stranger = new Deno.Command("sleep", { args: ["60"] }).spawn();
    try {
      const stat = await Deno.readTextFile(`/proc/${stranger.pid}/stat`);
      const boot = await Deno.readTextFile("/proc/sys/kernel/random/boot_id");
      await Deno.mkdir(`${layout.root}/processes`, { recursive: true });
      // The same number, started a tick earlier: what a reused number looks like.
      const fields = stat.split(" ");
      fields[21] = String(Number(fields[21]) - 1);
      const note = `${layout.root}/processes/sleeper`;
      await Deno.writeTextFile(note, `${fields.join(" ").trim()}\n${boot}x\n`);
      assert.equal(await runningDaemon(ctx, layout, "sleeper"), undefined);
      assert.equal(await stopDaemon(ctx, layout, "sleeper", 100), false);
      // The same start in another boot: what a reboot leaves.
      await Deno.writeTextFile(note, `${stat.trim()}\n${"0".repeat(8)}\nx\n`);
      assert.equal(await runningDaemon(ctx, layout, "sleeper"), undefined);
      assert.equal(await ensureDaemon(ctx, layout, SLEEP), "started");
      assert.doesNotThrow(() => Deno.statSync(`/proc/${stranger.pid}`));
    } finally {
      stranger.kill("SIGKILL");
      await stranger.status;
    }
  });
});

Deno.test("half a note, or none of ours, counts as no process", async () => {
  await withDaemons(async (ctx) => {
    const layout = localLayout(ctx);
    await Deno.mkdir(`${layout.root}/processes`, { recursive: true });
    for (const text of ["", "12", "12 (sleep) S 1 12\n", "nonsense\n\n\n"]) {
      await Deno.writeTextFile(`${layout.root}/processes/sleeper`, text);
      assert.equal(await runningDaemon(ctx, layout, "sleeper"), undefined);
    }
  });
});

Deno.test("a process that ignores SIGTERM is killed after its time", async () => {
  await withDaemons(async (ctx) => {
    const layout = localLayout(ctx);
    const command = ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"];
    await ensureDaemon(ctx, layout, { ...SLEEP, command });
    await ctx.clock.sleep(100);
    const start = ctx.clock.monotonic();
    assert.equal(await stopDaemon(ctx, layout, "sleeper", 300), true);
    const took = ctx.clock.monotonic() - start;
    assert.ok(took >= 300 && took < 3_000, `${took} ms`);
  });
});

Deno.test("the error for a dead process ends with its last words, masked", async () => {
  await withDaemons(async (ctx) => {
    const layout = localLayout(ctx);
    const command = ["/bin/sh", "-c", "echo 'cannot open https://u:p@host/x' >&2; exit 3"];
    await ensureDaemon(ctx, layout, { ...SLEEP, command });
    while (await runningDaemon(ctx, layout, "sleeper") !== undefined) await ctx.clock.sleep(10);
    const error = await deadError(ctx, layout, "sleeper", "ended right after its start");
    assert.equal(error.message, "sleeper ended right after its start");
    assert.deepEqual(error.evidence, ["cannot open https://***@host/x"]);
    assert.equal((await Deno.stat(logPath(layout, "sleeper"))).mode! & 0o777, 0o600);
  });
});
