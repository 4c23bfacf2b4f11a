import assert from "node:assert/strict";
import { resolveRelease } from "../blueprint/release.ts";
import { type Context, withContext } from "../cli/context.ts";
import type { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { localDeleteSteps } from "./delete.ts";
import { type LocalInstallOptions, localInstallSteps, localNotices } from "./install_steps.ts";
import { localLayout } from "./layout.ts";

const OPTIONS: LocalInstallOptions = {
  release: resolveRelease("v1.6.1"),
  namespace: "dynamo",
  operator: { kind: "stand-in" },
};

/** A machine with an empty cache, a usable Python, and Go or not; the network is out of reach. */
async function machine(
  go: boolean,
  body: (ctx: Context) => Promise<void>,
): Promise<void> {
  await using made = await testContext({ env: { HOME: "/nobody" } });
  const probed = {
    path: "/usr/bin/python3",
    version: "3.11.7",
    implementation: "CPython",
    libc: "glibc",
    bits: 64,
    gil: true,
    venv: true,
    pip: [24, 2],
    ensurepip: true,
  };
  const answer = (stdout: string) => Promise.resolve({ code: 0, stdout, stderr: "" });
  await body(withContext(made.ctx, {
    cache: `${made.ctx.home}/cache`,
    net: { ...made.ctx.net, fetch: () => Promise.reject(new TypeError("out of reach")) },
    processes: {
      ...made.ctx.processes,
      run: (command) => {
        if (command === "python3") return answer(JSON.stringify(probed));
        if (command === "go" && go) return answer('{"GOVERSION":"go1.26.8"}');
        return Promise.reject(new Deno.errors.NotFound(command));
      },
    },
  }));
}

async function refusal(attempt: Promise<unknown>): Promise<TaskError> {
  try {
    await attempt;
  } catch (error) {
    return error as TaskError;
  }
  return assert.fail("it was not refused");
}

Deno.test("an install has six steps, and planning it touches nothing", async () => {
  await machine(true, async (ctx) => {
    const steps = await localInstallSteps(ctx, OPTIONS);
    assert.deepEqual(
      steps.map(({ id, title, skip }) => [id, title, skip]),
      [
        ["python", "Python packages of Dynamo 1.6.1", undefined],
        [
          "programs",
          "Kubernetes programs: etcd, API server, controllers, scheduler, kwok",
          undefined,
        ],
        ["control-plane", "Start the control plane", undefined],
        ["nodes", "Simulated nodes", undefined],
        ["platform", "Dynamo platform 1.6.1", undefined],
        ["node-agent", "Node agent and operator", undefined],
      ],
    );
    for (const step of steps) assert.ok(step.touches.length > 0, step.id);
    await assert.rejects(Deno.stat(ctx.home), Deno.errors.NotFound);
    await assert.rejects(Deno.stat(ctx.cache), Deno.errors.NotFound);
  });
});

Deno.test("what the machine lacks is told before anything is touched", async () => {
  await machine(false, async (ctx) => {
    const go = await refusal(localInstallSteps(ctx, OPTIONS));
    assert.deepEqual([go.code, go.exitCode], ["GO_MISSING", 3]);
    const run = () => Promise.reject(new Deno.errors.NotFound("x"));
    const bare = withContext(ctx, { processes: { ...ctx.processes, run } });
    const python = await refusal(localInstallSteps(bare, OPTIONS));
    assert.deepEqual([python.code, python.exitCode], ["PYTHON_MISSING", 3]);
    const mac = withContext(ctx, { platform: { os: "darwin", arch: "aarch64" } });
    assert.equal((await refusal(localInstallSteps(mac, OPTIONS))).code, "LOCAL_PLATFORM");
    await assert.rejects(Deno.stat(ctx.home), Deno.errors.NotFound);
  });
});

Deno.test("--operator must be a program", async () => {
  await machine(true, async (ctx) => {
    const file = `${ctx.root}/deno.json`;
    for (
      const [path, words] of [["/not/there", /is not there/], [file, /is no program/]] as const
    ) {
      const options: LocalInstallOptions = { ...OPTIONS, operator: { kind: "binary", path } };
      const error = await refusal(localInstallSteps(ctx, options));
      assert.deepEqual([error.code, error.exitCode], ["OPERATOR_FILE", 3]);
      assert.match(error.message, words);
    }
  });
});

Deno.test("the notices say what is simulated, which operator runs, and which packages stand in", () => {
  assert.deepEqual(localNotices(OPTIONS), [
    "GPUs are simulated, and engines are Dynamo's mocker: answers are random words",
    "The operator is this project's stand-in, not NVIDIA's",
  ]);
  const other = localNotices({
    release: resolveRelease("v1.5.0"),
    operator: { kind: "binary", path: "/opt/manager" },
  });
  assert.equal(other[1], "The operator is the program /opt/manager");
  assert.equal(other[2], "Dynamo 1.5.0 is stood for by the Python packages of 1.6.1");
});

Deno.test("removing where nothing is does nothing", async () => {
  await machine(true, async (ctx) => {
    const steps = await localDeleteSteps(ctx, { cache: true });
    assert.deepEqual(steps.map(({ id, skip }) => [id, skip]), [
      ["node-agent", "not running"],
      ["control-plane", "not running"],
      ["files", "none there"],
      ["cache", "none there"],
    ]);
  });
});

Deno.test("removing takes the cluster's files and, when asked, the cache; nothing else", async () => {
  await machine(true, async (ctx) => {
    const layout = localLayout(ctx);
    for (
      const folder of [
        layout.etcd,
        `${ctx.home}/bench`,
        `${ctx.cache}/python/x`,
        `${ctx.cache}/other`,
      ]
    ) {
      await Deno.mkdir(folder, { recursive: true });
    }
    await Deno.writeTextFile(layout.kubeconfig, "");
    for (const cache of [false, true]) {
      for (const step of await localDeleteSteps(ctx, { cache })) {
        const ui = { update() {}, progress() {}, done() {}, skip() {}, fail() {} };
        if (step.skip === undefined) await step.run(ctx, ui);
      }
      await assert.rejects(Deno.stat(layout.root), Deno.errors.NotFound);
      await assert.rejects(Deno.stat(layout.kubeconfig), Deno.errors.NotFound);
      assert.ok((await Deno.stat(`${ctx.home}/bench`)).isDirectory);
      assert.ok((await Deno.stat(`${ctx.cache}/other`)).isDirectory);
      const python = Deno.stat(`${ctx.cache}/python`);
      if (cache) await assert.rejects(python, Deno.errors.NotFound);
      else await python;
    }
  });
});
