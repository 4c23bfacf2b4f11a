import assert from "node:assert/strict";
import type { Context } from "../../cli/context.ts";
import { testContext } from "../../cli/testing.ts";
import type { ExitRecord } from "./container_files.ts";
import { lookAtProcess, signalProcess, startProcess } from "./container_process.ts";
import type { ProcessCommand } from "./local_command.ts";
import { testPython } from "./testing.ts";

const linux = { ignore: Deno.build.os !== "linux" };

interface Ran {
  readonly exit: ExitRecord | undefined;
  readonly logs: string;
  readonly folder: string;
}

function command(program: string, args: string[]): ProcessCommand {
  return {
    kind: "process",
    program,
    args,
    env: { SECRET: "hidden-value" },
    files: { "settings.json": "{}" },
    privateNetwork: true,
    waitFor: [],
    warnings: [],
  };
}

async function withPython(
  body: (ctx: Context, start: (of: ProcessCommand) => Promise<string>) => Promise<void>,
): Promise<void> {
  await using test = await testContext();
  const { ctx } = test;
  const python = await testPython(ctx);
  if (python === undefined) return;
  const folder = `${ctx.home}/run/main`;
  await body(ctx, async (of) => {
    await startProcess(ctx, {
      folder,
      logs: `${ctx.home}/logs`,
      command: of,
      python,
      scripts: `${ctx.root}/lib/local/agent/python`,
      network: { id: "public" },
      restartCount: 0,
    });
    return folder;
  });
}

async function ended(ctx: Context, folder: string): Promise<Ran> {
  for (let tries = 0; tries < 500; tries++) {
    const look = await lookAtProcess(ctx, folder);
    if (look.kind === "ended") return { exit: look.exit, logs: `${ctx.home}/logs`, folder };
    await ctx.clock.sleep(20);
  }
  throw new Error("it does not end");
}

async function run(ctx: Context, start: (of: ProcessCommand) => Promise<string>, script: string) {
  return await ended(ctx, await start(command("/bin/sh", ["-c", script])));
}

/** Lines of a CRI log without their times. */
async function lines(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(path);
  return text.trimEnd().split("\n").map((line) => line.replace(/^\S+ /, ""));
}

Deno.test(
  "output becomes CRI lines; the log before it is kept as the previous one",
  linux,
  () =>
    withPython(async (ctx, start) => {
      const first = await run(ctx, start, "echo one; echo two >&2; printf unfinished; exit 7");
      assert.equal(first.exit?.code, 7);
      const found = await lines(`${first.logs}/current.log`);
      assert.deepEqual(found.toSorted(), ["stderr F two", "stdout F one", "stdout F unfinished"]);
      await run(ctx, start, "echo again");
      assert.deepEqual(await lines(`${first.logs}/current.log`), ["stdout F again"]);
      assert.deepEqual((await lines(`${first.logs}/previous.log`)).toSorted(), found.toSorted());
      const { mode } = await Deno.stat(`${first.logs}/current.log`);
      assert.equal(mode! & 0o777, 0o600);
    }),
);

Deno.test(
  "long lines are split and joined again by readers",
  linux,
  () =>
    withPython(async (ctx, start) => {
      const { logs } = await run(
        ctx,
        start,
        "head -c 40000 /dev/zero | tr '\\0' x; echo; echo; echo y",
      );
      const found = await lines(`${logs}/current.log`);
      const joined = found.map((line) =>
        line.replace(/^stdout P /, "").replace(/^stdout F (.*)$/, "$1\n")
      )
        .join("");
      assert.equal(joined, `${"x".repeat(40_000)}\n\ny\n`);
      assert.ok(found.every((line) => line.length < 17_000));
    }),
);

Deno.test(
  "a log does not grow beyond twice ten megabytes",
  linux,
  () =>
    withPython(async (ctx, start) => {
      const line = "0123456789".repeat(10);
      const { logs } = await run(ctx, start, `yes ${line} | head -c 26000000`);
      const size = async (name: string) => (await Deno.stat(`${logs}/${name}`)).size;
      assert.ok(await size("current.log") <= 10 * 1024 * 1024);
      assert.ok(await size("current.log.1") <= 10 * 1024 * 1024);
      assert.match((await lines(`${logs}/current.log`)).at(-2) ?? "", /^stdout F 0123/);
    }),
);

Deno.test(
  "a signal's number is kept; what the process left behind is ended",
  linux,
  () =>
    withPython(async (ctx, start) => {
      const folder = await start(command("/bin/sh", ["-c", "sleep 77 & echo $!; wait"]));
      let child = 0;
      while (child === 0) {
        await ctx.clock.sleep(20);
        const text = await Deno.readTextFile(`${ctx.home}/logs/current.log`).catch(() => "");
        child = Number(/stdout F (\d+)/.exec(text)?.[1] ?? 0);
      }
      await signalProcess(ctx, folder, "SIGKILL");
      const { exit } = await ended(ctx, folder);
      assert.equal(exit?.code, 137);
      assert.equal(exit?.signal, 9);
      await ctx.clock.sleep(50);
      const stat = await Deno.readTextFile(`/proc/${child}/stat`).catch(() => "");
      assert.ok(!stat.includes("(sleep) S"), stat);
    }),
);

Deno.test(
  "SIGTERM reaches the process, which may end in its own way",
  linux,
  () =>
    withPython(async (ctx, start) => {
      const folder = await start(
        command("/bin/sh", [
          "-c",
          "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done",
        ]),
      );
      for (;;) {
        const text = await Deno.readTextFile(`${ctx.home}/logs/current.log`).catch(() => "");
        if (text.includes("up")) break;
        await ctx.clock.sleep(20);
      }
      await signalProcess(ctx, folder, "SIGTERM");
      const { exit, logs } = await ended(ctx, folder);
      assert.equal(exit?.code, 5);
      assert.deepEqual(await lines(`${logs}/current.log`), ["stdout F up", "stdout F bye"]);
    }),
);

Deno.test(
  "a program that is not there is a start error",
  linux,
  () =>
    withPython(async (ctx, start) => {
      const { exit } = await ended(ctx, await start(command("/no/such/program", [])));
      assert.equal(exit?.code, 128);
      assert.match(exit?.error ?? "", /cannot start \/no\/such\/program: No such file/);
    }),
);

Deno.test(
  "the environment is the container's own, and on no command line",
  linux,
  () =>
    withPython(async (ctx, start) => {
      const folder = await start(command("/bin/sh", ["-c", "env; pwd; ls; sleep 1"]));
      await ctx.clock.sleep(300);
      const look = await lookAtProcess(ctx, folder);
      assert.equal(look.kind, "running");
      const record = look.kind === "running" ? look.record : undefined;
      for (const process of [record?.shim, record?.process]) {
        const line = await Deno.readTextFile(`/proc/${process?.pid}/cmdline`);
        assert.ok(!line.includes("hidden-value"));
      }
      const found = await lines(`${ctx.home}/logs/current.log`);
      assert.ok(found.includes("stdout F SECRET=hidden-value"));
      assert.ok(found.includes(`stdout F ${folder}/scratch`));
      assert.ok(found.includes("stdout F settings.json"));
      const names = found.flatMap((line) => /^stdout F ([A-Z_]+)=/.exec(line)?.[1] ?? []);
      // Python adds LC_CTYPE where no locale is set.
      const own = names.filter((name) => name !== "LC_CTYPE");
      assert.deepEqual(own.toSorted(), ["HOME", "PATH", "PWD", "SECRET", "TMPDIR"]);
    }),
);
