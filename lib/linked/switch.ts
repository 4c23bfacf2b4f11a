/**
 * `deno task deps:jsr` and `deno task deps:linked`: whether `@cliffy/command`, `@std/cli` and
 * `@std/yaml` are the originals from JSR, or the linked editions beside this file.
 *
 * deno.json names the originals in both cases; `links` puts the editions in their place.
 * Nothing here imports one of the three, so that the way back always works.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { denoContext, denoEnvironment } from "../cli/context_deno.ts";
import { messageOf, preconditionError, TaskError, usageError } from "../cli/errors.ts";
import { readIfThere, writeFileAtomic } from "../cli/files.ts";
import { terminalUi } from "../cli/terminal.ts";

/** Where the three packages come from. */
export type Edition = "jsr" | "linked";

/** What {@link switchEdition} did. */
export type SwitchResult = "switched" | "was so already";

interface Config {
  links?: string[];
  imports?: Record<string, string>;
  [name: string]: unknown;
}

const FOLDERS = ["cliffy_command", "std_cli", "std_yaml"].map((name) => `./lib/linked/${name}`);
const FETCH_DEADLINE_MS = 120_000;

/**
 * Changes deno.json and deno.lock. When anything fails, both are as they were.
 *
 * @throws {TaskError} JSR_UNREACHABLE, LOCK_NOT_REFRESHED or CONFIG_BROKEN (exit code 3).
 */
export async function switchEdition(ctx: Context, edition: Edition): Promise<SwitchResult> {
  const configPath = `${ctx.root}/deno.json`;
  const lockPath = `${ctx.root}/deno.lock`;
  const before = {
    config: await ctx.fs.readTextFile(configPath),
    lock: await readIfThere(ctx, lockPath),
  };
  const config = parseConfig(before.config);
  if ((config.links === undefined ? "jsr" : "linked") === edition) return "was so already";
  const engines = await engineImports(ctx);
  if (edition === "jsr") await fetchOriginals(ctx, config);
  const changed = edition === "jsr" ? withoutLinks(config, engines) : withLinks(config, engines);
  try {
    await writeFileAtomic(ctx, configPath, JSON.stringify(changed, null, 2) + "\n", 0o644);
    if (edition === "linked" && before.lock !== undefined) {
      await writeFileAtomic(ctx, lockPath, withoutJsr(before.lock), 0o644);
    }
    await refreshLock(ctx, lockPath, edition);
  } catch (error) {
    await writeFileAtomic(ctx, configPath, before.config, 0o644);
    if (before.lock === undefined) await ctx.fs.remove(lockPath).catch(() => {});
    else await writeFileAtomic(ctx, lockPath, before.lock, 0o644);
    throw error;
  }
  return "switched";
}

function parseConfig(text: string): Config {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw preconditionError(
      "CONFIG_BROKEN",
      `deno.json is not JSON: ${messageOf(error)}`,
      "Correct it, then run this task again.",
    );
  }
}

/** What the editions themselves import from npm: `{ "js-yaml": "npm:js-yaml@…" }`. */
async function engineImports(ctx: Context): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const folder of FOLDERS) {
    const text = await ctx.fs.readTextFile(`${ctx.root}/${folder}/deno.json`);
    Object.assign(all, parseConfig(text).imports);
  }
  return all;
}

function withoutLinks(config: Config, engines: Record<string, string>): Config {
  const { links: _, ...rest } = config;
  // The editions stay in the tree and are checked with it: without links they need the root's imports.
  return { ...rest, imports: sorted({ ...config.imports, ...engines }) };
}

function withLinks(config: Config, engines: Record<string, string>): Config {
  const imports = Object.entries(config.imports ?? {}).filter(([name]) => !(name in engines));
  const changed: Config = {};
  for (const [name, value] of Object.entries(config)) {
    if (name === "imports") changed.links = FOLDERS;
    changed[name] = name === "imports" ? Object.fromEntries(imports) : value;
  }
  return changed;
}

// Deno keeps entries of packages that links have replaced.
function withoutJsr(lock: string): string {
  const { jsr: _, specifiers = {}, ...rest } = JSON.parse(lock);
  const kept = Object.entries(specifiers).filter(([name]) => !name.startsWith("jsr:"));
  return JSON.stringify({ ...rest, specifiers: Object.fromEntries(kept) }, null, 2) + "\n";
}

function sorted(imports: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(imports).sort(([a], [b]) => a < b ? -1 : 1));
}

function originals(config: Config): string[] {
  return Object.values(config.imports ?? {}).filter((specifier) => specifier.startsWith("jsr:"));
}

/** Fetches the originals into Deno's cache, away from the project: nothing is changed yet. */
async function fetchOriginals(ctx: Context, config: Config): Promise<void> {
  const result = await runDeno(ctx, ["cache", "--no-config", "--no-lock", ...originals(config)]);
  if (result.code === 0) return;
  throw new TaskError({
    code: "JSR_UNREACHABLE",
    message: `${originals(config).join(", ")} cannot be fetched from JSR; nothing was changed`,
    hint: "Check the network (HTTPS_PROXY, JSR_URL), or stay with the linked editions.",
    exitCode: 3,
    evidence: plainLines(result.stderr),
  });
}

async function refreshLock(ctx: Context, lockPath: string, edition: Edition): Promise<void> {
  const result = await runDeno(ctx, ["install", "--frozen=false", "--lockfile-only"]);
  const lock = await readIfThere(ctx, lockPath);
  // `deno install` also ends well where it fetched nothing: what counts is the lock.
  const held: { jsr?: object; workspace?: { links?: object } } = lock === undefined
    ? {}
    : JSON.parse(lock);
  const right = (held.workspace?.links === undefined ? "jsr" : "linked") === edition &&
    (edition === "linked" || held.jsr !== undefined);
  if (result.code === 0 && right) return;
  throw new TaskError({
    code: "LOCK_NOT_REFRESHED",
    message: "deno.lock could not be refreshed; deno.json and deno.lock are as they were",
    hint: "Check the network to npm and JSR, then run this task again.",
    exitCode: 3,
    evidence: plainLines(result.stderr),
  });
}

async function runDeno(
  ctx: Context,
  args: readonly string[],
): Promise<{ code: number; stderr: string }> {
  return await ctx.processes.run(ctx.processes.denoPath, args, {
    cwd: ctx.root,
    env: { NO_COLOR: "1" },
    signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(FETCH_DEADLINE_MS)]),
  });
}

function plainLines(text: string): string[] {
  const lines = text.split("\n").map((line) => line.trim());
  const end = lines.indexOf("Stack backtrace:");
  return (end < 0 ? lines : lines.slice(0, end)).filter((line) => line !== "").slice(-6);
}

async function main(words: readonly string[]): Promise<void> {
  const ctx = denoContext(
    terminalUi(denoEnvironment, false),
    new AbortController().signal,
  );
  try {
    const [edition] = words;
    if (words.length !== 1 || (edition !== "jsr" && edition !== "linked")) {
      throw usageError("USAGE", "Say which: jsr or linked", "deno task deps:jsr, or deps:linked.");
    }
    const name = edition === "jsr" ? "the originals from JSR" : "the linked editions";
    if (await switchEdition(ctx, edition) === "switched") {
      ctx.ui.success(`Now ${name} are used`);
      ctx.ui.info("  Check them: deno test --allow-all lib/linked");
    } else ctx.ui.info(`${name} are used already`);
  } catch (error) {
    ctx.ui.error(messageOf(error));
    if (!(error instanceof TaskError)) {
      Deno.exitCode = 1;
      return;
    }
    for (const line of error.evidence) ctx.ui.info(`    ${line}`);
    if (error.hint !== undefined) ctx.ui.info(`  ${error.hint}`);
    Deno.exitCode = error.exitCode;
  }
}

if (import.meta.main) await main(Deno.args);
