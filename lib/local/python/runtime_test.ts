import assert from "node:assert/strict";
import { type Context, type ProcessResult, withContext } from "../../cli/context.ts";
import type { TaskError } from "../../cli/errors.ts";
import { silentStep, testContext } from "../../cli/testing.ts";
import { findRuntime, prepareRuntime, pythonFolder } from "./runtime.ts";

const PROBED = {
  path: "/usr/bin/python3.12",
  version: "3.12.1",
  implementation: "CPython",
  libc: "glibc",
  bits: 64,
  gil: true,
  venv: true,
  pip: [24, 2],
  ensurepip: true,
};

const OK: ProcessResult = { code: 0, stdout: "", stderr: "" };

type Pip = (onLine: (line: string) => void) => ProcessResult;

interface Machine {
  readonly ctx: Context;
  /** Command lines that were run. */
  readonly ran: string[];
}

/** A machine with one Python whose pip does this. */
async function machine(
  pip: Pip,
  body: (machine: Machine) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  await using made = await testContext({ env: { HOME: "/nobody", ...env } });
  const ran: string[] = [];
  const ctx = withContext(made.ctx, {
    cache: `${made.ctx.home}/cache`,
    processes: {
      ...made.ctx.processes,
      run: async (command, args, options = {}) => {
        if (command === "df") return { ...OK, code: 1 };
        if (args[1] === "-c") return { ...OK, stdout: JSON.stringify(PROBED) };
        ran.push([command, ...args].join(" "));
        if (args.includes("venv")) {
          const folder = args.at(-1)!;
          await Deno.mkdir(`${folder}/bin`, { recursive: true });
          await Deno.writeTextFile(`${folder}/bin/python`, "");
          return OK;
        }
        return args.includes("pip") ? pip((line) => options.onLine?.(line, "stdout")) : OK;
      },
    },
  });
  await body({ ctx, ran });
}

Deno.test("pip installs exactly the pinned wheels and nothing else, into an environment without pip", async () => {
  await machine(() => OK, async ({ ctx, ran }) => {
    const runtime = await prepareRuntime(ctx, silentStep, "1.6.1");
    assert.match(ran[0]!, /^\/usr\/bin\/python3\.12 -I -m venv --without-pip .*-python-3\.12\.1$/);
    const pip = ran[1]!;
    for (const flag of ["--require-hashes", "--no-deps", "--only-binary=:all:", "--no-input"]) {
      assert.ok(pip.includes(` ${flag} `), `${flag} in ${pip}`);
    }
    assert.ok(pip.endsWith("requirements-1.6.1.txt"));
    assert.equal(runtime.natsServer, undefined);
    ran.length = 0;
    assert.deepEqual(await prepareRuntime(ctx, silentStep, "1.6.1"), runtime);
    assert.deepEqual(ran, []);
  });
});

Deno.test("an environment without its marker is removed and made again", async () => {
  await machine(() => OK, async ({ ctx, ran }) => {
    const { interpreter } = await prepareRuntime(ctx, silentStep, "1.6.1");
    const folder = interpreter.replace(/\/bin\/python$/, "");
    await Deno.remove(`${folder}/complete.json`);
    await Deno.writeTextFile(`${folder}/half`, "");
    assert.equal(await findRuntime(ctx, "1.6.1"), undefined);
    ran.length = 0;
    await prepareRuntime(ctx, silentStep, "1.6.1");
    assert.equal(ran.length, 3);
    await assert.rejects(Deno.stat(`${folder}/half`), Deno.errors.NotFound);
  });
});

Deno.test("an environment whose interpreter was uninstalled does not count", async () => {
  await machine(() => OK, async ({ ctx }) => {
    const { interpreter } = await prepareRuntime(ctx, silentStep, "1.6.1");
    await Deno.remove(interpreter);
    await Deno.symlink("/nowhere/python", interpreter);
    assert.equal(await findRuntime(ctx, "1.6.1"), undefined);
  });
});

Deno.test("an environment of another Python does not stand in for DYNAMO_PYTHON", async () => {
  await machine(() => OK, async ({ ctx }) => {
    await prepareRuntime(ctx, silentStep, "1.6.1");
    const asked = (python: string) => {
      const all = { ...ctx.env.toObject(), DYNAMO_PYTHON: python };
      const env = {
        get: (name: string) => (all as Record<string, string>)[name],
        toObject: () => all,
      };
      return findRuntime(withContext(ctx, { env }), "1.6.1");
    };
    assert.equal(await asked("/opt/python"), undefined);
    assert.notEqual(await asked("/usr/bin/python3.12"), undefined);
  });
});

Deno.test("pip's lines become progress", async () => {
  const seen: string[] = [];
  const ui = {
    ...silentStep,
    update: (detail: string) => seen.push(detail),
    progress: (done: number, total: number | undefined, unit: string) =>
      seen.push(`${done}/${total} ${unit}`),
  };
  await machine((onLine) => {
    onLine("Collecting ai-dynamo-runtime==1.6.1 (from -r requirements-1.6.1.txt (line 9))");
    onLine("  Downloading ai_dynamo_runtime-1.6.1-cp310-abi3-manylinux_2_28_x86_64.whl (74.7 MB)");
    onLine("Progress 37352600 of 74705200");
    onLine("Installing collected packages: uvloop");
    return OK;
  }, async ({ ctx }) => {
    await prepareRuntime(ctx, ui, "1.6.1");
    assert.ok(seen.includes("downloading ai_dynamo_runtime, 74.7 MB (1 of 19)"), String(seen));
    assert.ok(seen.includes("37352600/74705200 bytes"), String(seen));
    assert.ok(seen.includes("unpacking"), String(seen));
  });
});

for (
  const [what, stderr, code, exitCode] of [
    [
      "an index out of reach",
      "WARNING: Retrying (Retry(total=4)) … https://joe:pw@index.example/simple/",
      "PYTHON_PACKAGES",
      3,
    ],
    ["a full disk", "ERROR: [Errno 28] No space left on device", "DISK_FULL", 3],
    ["another failure", "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "PYTHON_INSTALL", 1],
  ] as const
) {
  Deno.test(`pip: ${what} is a clear error, and leaves nothing that counts as complete`, async () => {
    await machine(() => ({ code: 1, stdout: "", stderr }), async ({ ctx }) => {
      await assert.rejects(prepareRuntime(ctx, silentStep, "1.6.1"), (error: TaskError) => {
        assert.equal(error.code, code);
        assert.equal(error.exitCode, exitCode);
        assert.ok(!JSON.stringify(error.evidence).includes("pw@"));
        return true;
      });
      assert.equal(await findRuntime(ctx, "1.6.1"), undefined);
    });
  });
}

Deno.test("0.4.1 on ARM64 is refused before anything is made", async () => {
  await machine(() => OK, async ({ ctx, ran }) => {
    const arm = withContext(ctx, { platform: { os: "linux", arch: "aarch64" } });
    await assert.rejects(
      prepareRuntime(arm, silentStep, "0.4.1"),
      /no Python packages for aarch64/,
    );
    assert.deepEqual(ran, []);
    await assert.rejects(Deno.stat(pythonFolder(ctx)), Deno.errors.NotFound);
  });
});
