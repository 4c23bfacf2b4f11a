import assert from "node:assert/strict";
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { switchEdition } from "./switch.ts";

const EDITIONS = ["cliffy_command", "std_cli", "std_yaml"];
const PACKAGES = ["@cliffy/command", "@std/cli", "@std/yaml"];

/** A project with this one's editions and nothing else to fetch, and the registry at that address. */
async function project(base: Context, jsr: string): Promise<Context> {
  const root = base.home.replace(/\/\.dynamo$/, "");
  for (const edition of EDITIONS) {
    await copyFolder(`${base.root}/lib/linked/${edition}`, `${root}/lib/linked/${edition}`);
  }
  const config = {
    tasks: {},
    links: EDITIONS.map((name) => `./lib/linked/${name}`),
    imports: Object.fromEntries(PACKAGES.map((name) => [name, `jsr:${name}@^1.0.0`])),
    lock: { frozen: true },
  };
  await Deno.writeTextFile(`${root}/deno.json`, JSON.stringify(config, null, 2) + "\n");
  const { run } = base.processes;
  const env = { JSR_URL: jsr };
  return {
    ...base,
    root,
    processes: {
      ...base.processes,
      denoPath: Deno.execPath(),
      run: (command, args, options = {}) =>
        run(command, args, { ...options, env: { ...options.env, ...env } }),
    },
  };
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copyFolder(`${from}/${entry.name}`, `${to}/${entry.name}`);
    else await Deno.copyFile(`${from}/${entry.name}`, `${to}/${entry.name}`);
  }
}

/** A registry on loopback that serves one empty module for each package, as JSR would. */
function startRegistry(): { url: string; stop(): Promise<void> } {
  const module = "export {};\n";
  const answer = async (path: string): Promise<unknown> => {
    const match = /^\/(@[^/]+\/[^/]+)\/(?:meta\.json|([\d.]+)_meta\.json|([\d.]+)\/mod\.ts)$/.exec(
      path,
    );
    if (match === null || !PACKAGES.includes(match[1]!)) return undefined;
    if (match[3] !== undefined) return module;
    if (match[2] === undefined) {
      const [scope, name] = match[1]!.slice(1).split("/");
      return { scope, name, latest: "1.0.0", versions: { "1.0.0": {} } };
    }
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(module));
    return {
      manifest: { "/mod.ts": { size: module.length, checksum: `sha256-${hex(digest)}` } },
      exports: { ".": "./mod.ts" },
      moduleGraph2: { "/mod.ts": {} },
    };
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await answer(new URL(request.url).pathname);
      if (body === undefined) return new Response("not found", { status: 404 });
      return typeof body === "string"
        ? new Response(body, { headers: { "content-type": "application/typescript" } })
        : Response.json(body);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    stop: () => server.shutdown(),
  };
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function read(ctx: Context, name: string): Promise<string> {
  return await Deno.readTextFile(`${ctx.root}/${name}`);
}

Deno.test("switching to the originals and back leaves deno.json as it was", async () => {
  const registry = startRegistry();
  try {
    await using test = await testContext();
    const ctx = await project(test.ctx, registry.url);
    const before = await read(ctx, "deno.json");

    assert.equal(await switchEdition(ctx, "linked"), "was so already");
    assert.equal(await switchEdition(ctx, "jsr"), "switched");
    const config = JSON.parse(await read(ctx, "deno.json"));
    assert.equal(config.links, undefined);
    assert.ok(config.imports["commander"].startsWith("npm:commander@"));
    assert.ok(config.imports["js-yaml"].startsWith("npm:js-yaml@"));
    const lock = JSON.parse(await read(ctx, "deno.lock"));
    assert.deepEqual(Object.keys(lock.jsr), PACKAGES.map((name) => `${name}@1.0.0`));
    assert.equal(lock.workspace.links, undefined);
    assert.equal(await switchEdition(ctx, "jsr"), "was so already");

    assert.equal(await switchEdition(ctx, "linked"), "switched");
    assert.equal(await read(ctx, "deno.json"), before);
    const lockAgain = JSON.parse(await read(ctx, "deno.lock"));
    assert.equal(lockAgain.jsr, undefined);
    assert.equal(Object.keys(lockAgain.workspace.links).length, 3);
  } finally {
    await registry.stop();
  }
});

Deno.test("without JSR the switch is refused and nothing is touched", async () => {
  await using test = await testContext();
  const ctx = await project(test.ctx, "http://127.0.0.1:9/");
  const before = await read(ctx, "deno.json");
  await assert.rejects(switchEdition(ctx, "jsr"), (error) => {
    assert.ok(error instanceof TaskError);
    assert.equal(error.code, "JSR_UNREACHABLE");
    assert.equal(error.exitCode, 3);
    assert.match(error.message, /@cliffy\/command.*nothing was changed/);
    assert.ok(error.evidence.length > 0 && error.hint);
    return true;
  });
  assert.equal(await read(ctx, "deno.json"), before);
  await assert.rejects(Deno.lstat(`${ctx.root}/deno.lock`), Deno.errors.NotFound);
});

Deno.test("when the lock cannot be refreshed, deno.json and deno.lock are as they were", async () => {
  await using test = await testContext();
  const ctx = await project(test.ctx, "http://127.0.0.1:9/");
  await Deno.writeTextFile(`${ctx.root}/deno.lock`, '{"version":"5"}\n');
  const before = await read(ctx, "deno.json");
  const fake: Context = {
    ...ctx,
    processes: {
      ...ctx.processes,
      denoPath: "deno",
      run: () => Promise.resolve({ code: 0, stdout: "", stderr: "" }),
    },
  };
  await assert.rejects(
    switchEdition(fake, "jsr"),
    (error) => error instanceof TaskError && error.code === "LOCK_NOT_REFRESHED",
  );
  assert.equal(await read(ctx, "deno.json"), before);
  assert.equal(await read(ctx, "deno.lock"), '{"version":"5"}\n');
});
