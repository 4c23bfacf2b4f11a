import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type Context,
  type ProcessResult,
  type RunOptions,
  withContext,
} from "../../cli/context.ts";
import type { TaskError } from "../../cli/errors.ts";
import { silentStep, testContext } from "../../cli/testing.ts";
import { type PinnedDownload, PROGRAM_NAMES, type ProgramName } from "./pinned.ts";
import { findPrograms, preparePrograms, programsFolder, requireProgramSource } from "./programs.ts";

type Go = (args: readonly string[], options: RunOptions) => ProcessResult | Promise<ProcessResult>;

const OK: ProcessResult = { code: 0, stdout: "", stderr: "" };
const GO_ENV = { ...OK, stdout: '{"GOVERSION":"go1.26.8","GOMODCACHE":"/m","GOCACHE":"/b"}' };
const failed = (stderr: string): ProcessResult => ({ code: 1, stdout: "", stderr });

/** A context with a cache of its own, no network unless asked, and this Go instead of the real one. */
async function sandbox(
  body: (ctx: Context, talk: string[]) => Promise<void>,
  go?: Go,
  net?: Partial<Context["net"]>,
): Promise<void> {
  await using made = await testContext();
  const real = made.ctx;
  const fetch = () => Promise.reject(new TypeError("no network in this test"));
  const ctx = withContext(real, {
    cache: `${real.home}/cache`,
    net: { ...real.net, fetch, ...net },
    processes: {
      ...real.processes,
      run: async (command, args, options = {}) => {
        if (command !== "go") return await real.processes.run(command, args, options);
        if (go === undefined) throw new Deno.errors.NotFound("go");
        return await go(args, options);
      },
    },
  });
  await body(ctx, made.heard.talk);
}

/** A Go that "compiles" a few packages. */
const WORKING_GO: Go = async (args, options) => {
  if (args[0] === "env") return GO_ENV;
  if (args[0] === "list") {
    options.onLine?.("go: downloading k8s.io/kubernetes v1.36.3", "stderr");
    return { ...OK, stdout: "fmt\nk8s.io/api\ndynamo-eks.local/control-plane\n" };
  }
  for (const line of ["fmt", "k8s.io/api", "dynamo-eks.local/control-plane"]) {
    options.onLine?.(line, "stderr");
  }
  const output = args.indexOf("-o");
  if (output >= 0) await Deno.writeTextFile(args[output + 1]!, "#!/bin/sh\n", { mode: 0o755 });
  return OK;
};

async function archive(folder: string, members: readonly string[]): Promise<Uint8Array> {
  for (const member of members) {
    const path = `${folder}/${member}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, `#!/bin/sh\necho ${member}\n`);
  }
  const file = `${folder}/archive.tar.gz`;
  const args = ["-czf", file, "-C", folder, ...members];
  const { success } = await new Deno.Command("tar", { args }).output();
  assert.ok(success);
  return await Deno.readFile(file);
}

interface Published {
  readonly downloads: PinnedDownload[];
  readonly serve: (request: Request) => Response;
}

async function publish(folder: string): Promise<Published> {
  const files = new Map<string, Uint8Array>();
  const add = (file: string, bytes: Uint8Array): Pick<PinnedDownload, "file" | "url" | "hash"> => {
    files.set(`/${file}`, bytes);
    const hex = createHash("sha256").update(bytes).digest("hex");
    return { file, url: `http://files.example/${file}`, hash: { algorithm: "SHA-256", hex } };
  };
  const members = (prefix: string, names: readonly ProgramName[]) =>
    Object.fromEntries(names.map((name) => [name, `${prefix}/${name}`]));
  const server = members("kubernetes/server/bin", PROGRAM_NAMES.slice(1, 4));
  const etcd = members("etcd-v1", ["etcd"]);
  return {
    downloads: [
      {
        ...add("server.tar.gz", await archive(`${folder}/1`, Object.values(server))),
        members: server,
      },
      { ...add("etcd.tar.gz", await archive(`${folder}/2`, Object.values(etcd))), members: etcd },
      { ...add("kwok", new TextEncoder().encode("#!/bin/sh\necho kwok\n")), program: "kwok" },
    ],
    serve: (request) => {
      const bytes = files.get(new URL(request.url).pathname);
      return new Response(bytes === undefined ? null : new Uint8Array(bytes), {
        status: bytes === undefined ? 404 : 200,
      });
    },
  };
}

const served = (serve: Published["serve"]): Partial<Context["net"]> => ({
  fetch: (input, init) => Promise.resolve(serve(new Request(input, init))),
});

Deno.test("published files become five programs, found again without a network", async () => {
  await using files = await testContext();
  const { downloads, serve } = await publish(files.ctx.home);
  await sandbox(
    async (ctx) => {
      const programs = await preparePrograms(ctx, silentStep, downloads);
      assert.equal(programs.origin, "download");
      for (const name of PROGRAM_NAMES) {
        const [path = ""] = programs.commands[name];
        const { stdout } = await ctx.processes.run(path, []);
        assert.ok(stdout.trim().endsWith(name), `${name}: ${stdout}`);
      }
      const offline = withContext(ctx, { net: { ...ctx.net, fetch: () => Promise.reject("no") } });
      assert.deepEqual(await preparePrograms(offline, silentStep, downloads), programs);
    },
    undefined,
    served(serve),
  );
});

Deno.test("files that are not the published ones are told of, and the programs are built", async () => {
  await using files = await testContext();
  const { downloads, serve } = await publish(files.ctx.home);
  const changed = downloads.map((each) => ({
    ...each,
    hash: { ...each.hash, hex: "0".repeat(64) },
  }));
  await sandbox(
    async (ctx, talk) => {
      const programs = await preparePrograms(ctx, silentStep, changed);
      assert.equal(programs.origin, "build");
      assert.match(talk.join("\n"), /is not the published file.*building from source instead/);
    },
    WORKING_GO,
    served(serve),
  );
});

Deno.test("without published files the programs are built, with a bar over the packages", async () => {
  await sandbox(async (ctx, talk) => {
    const seen: unknown[] = [];
    const ui = {
      ...silentStep,
      update: (detail: string) => seen.push(detail),
      progress: (done: number, total: number | undefined, unit: string) =>
        seen.push(`${done}/${total} ${unit}`),
    };
    const programs = await preparePrograms(ctx, ui);
    assert.equal(programs.origin, "build");
    assert.deepEqual(programs.commands.kwok.slice(1), ["kwok"]);
    assert.ok(seen.includes("downloading Go modules: 1"), String(seen));
    assert.ok(seen.includes("2/3 packages"), String(seen));
    assert.deepEqual(await findPrograms(ctx), programs);
    for await (const { name } of Deno.readDir(programsFolder(ctx))) {
      assert.ok(!name.endsWith(".partial"), name);
    }
    // Being offline is no cause for a warning.
    assert.deepEqual(talk, []);
  }, WORKING_GO);
});

Deno.test("a half-made build is removed and made again; a shortened program as well", async () => {
  await sandbox(async (ctx) => {
    const programs = await preparePrograms(ctx, silentStep);
    const path = programs.commands.etcd[0]!;
    const folder = path.slice(0, path.lastIndexOf("/"));
    await Deno.writeTextFile(path, "#!");
    assert.equal(await findPrograms(ctx), undefined);
    await Deno.mkdir(`${folder}.partial`);
    await Deno.writeTextFile(`${folder}.partial/control-plane`, "half");
    assert.deepEqual(await preparePrograms(ctx, silentStep), programs);
    await assert.rejects(Deno.stat(`${folder}.partial`), Deno.errors.NotFound);
  }, WORKING_GO);
});

Deno.test("with neither published files nor Go it says what to install, before anything is made", async () => {
  await sandbox(async (ctx) => {
    for (const attempt of [requireProgramSource(ctx), preparePrograms(ctx, silentStep)]) {
      await assert.rejects(attempt, (error: TaskError) => {
        assert.equal(error.code, "GO_MISSING");
        assert.equal(error.exitCode, 3);
        assert.match(error.hint ?? "", /Install Go 1\.26/);
        return true;
      });
    }
  });
});

for (
  const [what, stderr, code, exitCode, words] of [
    [
      "a full disk",
      "write /x/_pkg_.a: no space left on device",
      "DISK_FULL",
      3,
      /The disk became full/,
    ],
    [
      "an old Go that may not fetch a newer one",
      "go: go.mod requires go >= 1.26.0 (running go 1.24.1; GOTOOLCHAIN=local)",
      "GO_OLD",
      3,
      /newer Go than the installed go1\.26\.8/,
    ],
    [
      "modules out of reach",
      'go: x: Get "https://joe:pw@proxy.example/x": dial tcp: lookup proxy.example: no such host',
      "GO_MODULES",
      3,
      /could not be downloaded/,
    ],
    ["anything else", "main.go:1:1: expected 'package'", "GO_BUILD", 1, /failed/],
  ] as const
) {
  Deno.test(`building: ${what} is a clear error`, async () => {
    await sandbox(async (ctx) => {
      await assert.rejects(preparePrograms(ctx, silentStep), (error: TaskError) => {
        assert.equal(error.code, code);
        assert.equal(error.exitCode, exitCode);
        assert.match(error.message, words);
        assert.ok(!JSON.stringify(error.evidence).includes("pw@"), String(error.evidence));
        return true;
      });
    }, (args) => args[0] === "env" ? GO_ENV : failed(stderr));
  });
}

Deno.test("a Go from before tool chains is refused by its version", async () => {
  await sandbox(async (ctx) => {
    await assert.rejects(preparePrograms(ctx, silentStep), /needs Go 1\.26, and .* is go1\.19\.8/);
  }, () => ({ ...OK, stdout: '{"GOVERSION":"go1.19.8"}' }));
});

Deno.test("an interruption during the build is not reported as a failed build", async () => {
  const stop = new AbortController();
  await sandbox(async (ctx) => {
    const running = preparePrograms(withContext(ctx, { signal: stop.signal }), silentStep);
    await assert.rejects(running, /Ctrl-C/);
  }, (args) => {
    if (args[0] === "env") return GO_ENV;
    stop.abort(new Error("Ctrl-C"));
    return failed("signal: terminated");
  });
});
