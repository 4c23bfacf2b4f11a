import assert from "node:assert/strict";
import { type Context, withContext } from "../../cli/context.ts";
import type { TaskError } from "../../cli/errors.ts";
import { testContext } from "../../cli/testing.ts";
import { findInterpreter } from "./interpreter.ts";

const GOOD = {
  path: "/usr/bin/python",
  version: "3.12.1",
  implementation: "CPython",
  libc: "glibc",
  bits: 64,
  gil: true,
  venv: true,
  pip: [24, 2] as [number, number] | null,
  ensurepip: true,
};

/** A machine with these programs; what is not named is not there. */
async function machine(
  pythons: Record<string, Partial<typeof GOOD> | number>,
  body: (ctx: Context) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  await using made = await testContext({ env: { HOME: "/nobody", ...env } });
  const ctx = withContext(made.ctx, {
    processes: {
      ...made.ctx.processes,
      run: (command) => {
        const python = pythons[command];
        if (python === undefined) return Promise.reject(new Deno.errors.NotFound(command));
        if (typeof python === "number") {
          return Promise.resolve({ code: python, stdout: "", stderr: "" });
        }
        const stdout = JSON.stringify({ ...GOOD, path: `/real/${command}`, ...python });
        return Promise.resolve({ code: 0, stdout, stderr: "" });
      },
    },
  });
  await body(ctx);
}

Deno.test("the order is 3.12, 3.11, 3.13, 3.10, then python3", async () => {
  const only = (...names: [string, string][]) =>
    Object.fromEntries(names.map(([name, version]) => [name, { version }]));
  const all = only(["python3.10", "3.10.2"], ["python3.13", "3.13.0"], ["python3", "3.11.7"]);
  await machine(all, async (ctx) => {
    assert.equal((await findInterpreter(ctx, "1.6.1")).version, "3.13.0");
    // 0.4.1 has no wheels for 3.13.
    assert.equal((await findInterpreter(ctx, "0.4.1")).version, "3.10.2");
  });
  await machine(only(["python3", "3.11.7"]), async (ctx) => {
    assert.equal((await findInterpreter(ctx, "1.6.1")).path, "/real/python3");
  });
});

Deno.test("a shim that refuses to run is passed over", async () => {
  await machine({ "python3.12": 127, "python3.11": { version: "3.11.2" } }, async (ctx) => {
    assert.equal((await findInterpreter(ctx, "1.6.1")).version, "3.11.2");
  });
});

Deno.test("pyenv's newest patch is found without a shim", async () => {
  await using made = await testContext();
  const root = `${made.ctx.home}/pyenv`;
  for (const version of ["3.12.1", "3.12.10", "3.9.18"]) {
    await Deno.mkdir(`${root}/versions/${version}`, { recursive: true });
  }
  const newest = `${root}/versions/3.12.10/bin/python`;
  const older = `${root}/versions/3.12.1/bin/python`;
  await machine({ [newest]: { version: "3.12.10" }, [older]: {} }, async (ctx) => {
    assert.equal((await findInterpreter(ctx, "1.6.1")).version, "3.12.10");
  }, { PYENV_ROOT: root });
});

Deno.test("DYNAMO_PYTHON comes before all others", async () => {
  await machine({ "python3.12": {}, "/opt/py": { version: "3.10.9" } }, async (ctx) => {
    assert.equal((await findInterpreter(ctx, "1.6.1")).version, "3.10.9");
  }, { DYNAMO_PYTHON: "/opt/py" });
});

for (
  const [what, python, words] of [
    ["too old", { version: "3.9.18" }, /it is Python 3\.9\.18/],
    ["PyPy", { implementation: "PyPy" }, /it is PyPy/],
    ["without venv", { venv: false }, /venv module is missing/],
    ["without pip", { pip: null, ensurepip: false }, /neither pip 22\.3 nor ensurepip/],
    ["on musl", { libc: "" }, /no glibc/],
    ["free-threaded", { gil: false }, /free-threaded/],
    ["32-bit", { bits: 32 }, /32-bit/],
    ["broken", 1, /ended with code 1/],
  ] as const
) {
  Deno.test(`DYNAMO_PYTHON that is ${what} is refused with the reason`, async () => {
    const pythons = { "/opt/py": python as Partial<typeof GOOD> | number };
    await machine(pythons, async (ctx) => {
      await assert.rejects(findInterpreter(ctx, "1.6.1"), (error: TaskError) => {
        assert.equal(error.code, "PYTHON_UNUSABLE");
        assert.equal(error.exitCode, 3);
        assert.match(error.message, /^DYNAMO_PYTHON=\/opt\/py cannot run Dynamo 1\.6\.1: /);
        assert.match(error.message, words);
        return true;
      });
    }, { DYNAMO_PYTHON: "/opt/py" });
  });
}

Deno.test("none at all: what was looked at and what to install", async () => {
  await machine({ "python3": { version: "3.9.2" } }, async (ctx) => {
    await assert.rejects(findInterpreter(ctx, "0.4.1"), (error: TaskError) => {
      assert.equal(error.code, "PYTHON_MISSING");
      assert.equal(error.exitCode, 3);
      assert.match(error.message, /\(python3: it is Python 3\.9\.2\)$/);
      assert.match(error.hint ?? "", /CPython 3\.10, 3\.11, 3\.12 with venv and pip .*apt install/);
      return true;
    });
  });
});

Deno.test("the Pythons of this machine answer the questions that are asked of them", async () => {
  await using made = await testContext();
  let found;
  try {
    found = await findInterpreter(made.ctx, "1.6.1");
  } catch {
    // deno-lint-ignore no-console -- a test that has nothing to test says so
    console.log("SKIPPED: no usable Python on this machine");
    return;
  }
  assert.match(found.version, /^3\.1\d\.\d+$/);
  assert.ok((await Deno.stat(found.path)).isFile);
});
