/**
 * Builds the control plane's programs from the Go module in `control_plane/`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Context } from "../../cli/context.ts";
import { preconditionError, TaskError } from "../../cli/errors.ts";
import { exists, removeAll } from "../../cli/files.ts";
import { formatDuration } from "../../cli/text.ts";
import type { StepUi } from "../../cli/ui.ts";
import { diskFullError, isDiskFull, requireSpace, type SpaceNeed } from "../disk_space.ts";
import { lastLines } from "../mask_credentials.ts";
import { type GoTool, requireGo } from "./go.ts";
import { BUILT_VERSIONS } from "./pinned.ts";

/** File name of the built program: all parts in one, picked by its first argument. */
export const BUILT_PROGRAM = "control-plane";

// Measured: 3.4 GB of modules, compiled packages and program, and on top of that the linker's
// temporary files.
const COLD_BYTES = 4e9;
const WARM_BYTES = 0.6e9;

/** Folder of the Go module. */
export function moduleFolder(ctx: Pick<Context, "root">): string {
  return `${ctx.root}/lib/local/control_plane`;
}

/** Twelve hexadecimal digits that change when the module or the way it is built changes. */
export async function sourceKey(ctx: Pick<Context, "fs" | "root">): Promise<string> {
  const hash = createHash("sha256");
  for (const name of ["go.mod", "go.sum", "main.go"]) {
    hash.update(await ctx.fs.readFile(`${moduleFolder(ctx)}/${name}`)).update("\0");
  }
  return hash.update(buildFlags().join("\0")).digest("hex").slice(0, 12);
}

// No debug information (half the size), no paths of this machine, and the versions that
// the programs report.
function buildFlags(): string[] {
  const { kubernetes, kwok } = BUILT_VERSIONS;
  const [major, minor] = kubernetes.split(".");
  const variables = {
    "k8s.io/component-base/version.gitVersion": `v${kubernetes}`,
    "k8s.io/component-base/version.gitMajor": major,
    "k8s.io/component-base/version.gitMinor": minor,
    "k8s.io/client-go/pkg/version.gitVersion": `v${kubernetes}`,
    "sigs.k8s.io/kwok/pkg/consts.Version": `v${kwok}`,
  };
  const stamps = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
  return [
    "-trimpath",
    "-buildvcs=false",
    "-gcflags=all=-dwarf=false",
    `-ldflags=-s -w ${stamps.join(" ")}`,
  ];
}

/**
 * Builds the program into `folder`. Uses the user's Go caches when Kubernetes' modules are in
 * them; otherwise caches below ours, removed at the end (they take 3 GB), kept when it fails
 * so that the next try goes on from there.
 *
 * @throws {TaskError} GO_MISSING, GO_OLD, GO_MODULES, DISK_FULL (exit code 3) or GO_BUILD.
 */
export async function buildPrograms(ctx: Context, ui: StepUi, folder: string): Promise<void> {
  const go = await requireGo(ctx);
  const warm = await exists(
    ctx,
    `${go.moduleCache}/k8s.io/kubernetes@v${BUILT_VERSIONS.kubernetes}`,
  );
  const own = `${ctx.cache}/go`;
  await requireSpace(ctx, {
    ...buildNeed(ctx),
    ...(warm ? { path: go.buildCache, bytes: WARM_BYTES } : {}),
  });
  const env: Record<string, string> = {
    CGO_ENABLED: "0",
    GOWORK: "off",
    GOFLAGS: "-mod=readonly",
    GOOS: "linux",
    ...(warm ? {} : {
      GOCACHE: `${own}/build`,
      GOMODCACHE: `${own}/modules`,
      // Go makes modules read-only, and what is read-only is hard to remove again.
      GOFLAGS: "-mod=readonly -modcacherw",
    }),
  };
  const total = await countPackages(ctx, ui, go, env);
  await compile(ctx, ui, go, env, folder, total);
  if (!warm) await removeAll(ctx, own);
}

function buildNeed(ctx: Pick<Context, "cache">): SpaceNeed {
  return {
    path: ctx.cache,
    bytes: COLD_BYTES,
    purpose: "Building the control plane",
    variable: "XDG_CACHE_HOME",
  };
}

async function countPackages(
  ctx: Context,
  ui: StepUi,
  go: GoTool,
  env: Record<string, string>,
): Promise<number> {
  let modules = 0;
  const result = await ctx.processes.run(go.path, ["list", "-deps", "."], {
    cwd: moduleFolder(ctx),
    env,
    signal: ctx.signal,
    onLine: (line) => {
      if (!line.startsWith("go: downloading ")) return;
      modules += 1;
      ui.update(`downloading Go modules: ${modules}`);
    },
  });
  if (result.code !== 0) throw goError(ctx, go, result.stderr, "Loading the Go modules");
  return result.stdout.trim().split("\n").length;
}

// Linking on its own, with less of the heap kept for comfort: at its peak it would take
// 1.9 GB otherwise. Compiling with that limit would take a third longer.
const LINK_MEMORY = { GOMEMLIMIT: "300MiB" };

async function compile(
  ctx: Context,
  ui: StepUi,
  go: GoTool,
  env: Record<string, string>,
  folder: string,
  total: number,
): Promise<void> {
  const start = ctx.clock.monotonic();
  let compiled = 0;
  // Packages that are in Go's cache already are not named: the bar may end early, never late.
  ui.progress(0, total, "packages");
  const build = async (args: readonly string[], more: Record<string, string> = {}) => {
    const result = await ctx.processes.run(go.path, ["build", "-v", ...buildFlags(), ...args], {
      cwd: moduleFolder(ctx),
      env: { ...env, ...more },
      signal: ctx.signal,
      onLine: (line) => {
        if (!/^[\w.~-]+(\/[\w.~-]+)*$/.test(line) || line === go.mainPackage) return;
        ui.progress(++compiled, total, "packages");
      },
    });
    if (result.code !== 0) throw goError(ctx, go, result.stderr, "Building the control plane");
  };
  await build(await mainImports(ctx, go, env));
  ui.update(`linking (compiled for ${formatDuration(ctx.clock.monotonic() - start)})`);
  await build(["-o", `${folder}/${BUILT_PROGRAM}`, "."], LINK_MEMORY);
}

async function mainImports(
  ctx: Context,
  go: GoTool,
  env: Record<string, string>,
): Promise<string[]> {
  const args = ["list", "-f", '{{join .Imports " "}}', "."];
  const result = await ctx.processes.run(go.path, args, {
    cwd: moduleFolder(ctx),
    env,
    signal: ctx.signal,
  });
  if (result.code !== 0) throw goError(ctx, go, result.stderr, "Loading the Go modules");
  return result.stdout.trim().split(" ");
}

function goError(ctx: Context, go: GoTool, stderr: string, what: string): TaskError | Error {
  if (ctx.signal.aborted) return ctx.signal.reason;
  if (isDiskFull(stderr)) return diskFullError(buildNeed(ctx));
  if (/requires go >= |toolchain not available/.test(stderr)) {
    return preconditionError(
      "GO_OLD",
      `The control plane needs a newer Go than the installed ${go.version}`,
      "Install the Go that lib/local/control_plane/go.mod names (https://go.dev/dl), " +
        "or set GOTOOLCHAIN=auto so that Go fetches it.",
    );
  }
  const network =
    /dial tcp|no such host|i\/o timeout|TLS handshake|connection refused|proxyconnect/;
  const evidence = lastLines(stderr, 8);
  if (network.test(stderr)) {
    return new TaskError({
      code: "GO_MODULES",
      message: "The Go modules of the control plane could not be downloaded",
      hint: "Check the network, or point GOPROXY to the Go module proxy of your company.",
      exitCode: 3,
      evidence,
    });
  }
  return new TaskError({ code: "GO_BUILD", message: `${what} failed`, evidence });
}
