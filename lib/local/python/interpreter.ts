/**
 * Finds a Python that Dynamo's packages run on.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { preconditionError } from "../../cli/errors.ts";
import { RUNTIME_NEEDS, type RuntimeVersion } from "./runtime_versions.ts";

/** A Python interpreter of this machine. */
export interface Interpreter {
  /** Program. */
  readonly path: string;
  /** Such as `3.12.1`. */
  readonly version: string;
  /** Version of `python -m pip`, when it is new enough to install into another environment. */
  readonly pip: readonly [major: number, minor: number] | undefined;
  /** Whether `python -m venv` can put pip into a new environment. */
  readonly ensurepip: boolean;
}

// What a candidate says of itself; it runs on any Python 3. pip --python came with pip 22.3.
const PROBE = `
import json, platform, struct, sys
def has(name):
    try:
        __import__(name)
        return True
    except Exception:
        return False
try:
    import pip
    pip_version = [int(part) for part in pip.__version__.split(".")[:2]]
except Exception:
    pip_version = []
print(json.dumps({
    "path": sys.executable,
    "version": platform.python_version(),
    "implementation": platform.python_implementation(),
    "libc": platform.libc_ver()[0],
    "bits": struct.calcsize("P") * 8,
    "gil": bool(getattr(sys, "_is_gil_enabled", lambda: True)()),
    "venv": has("venv"),
    "pip": pip_version if pip_version >= [22, 3] else None,
    "ensurepip": has("ensurepip"),
}))
`;

interface Probed extends Omit<Interpreter, "pip"> {
  readonly pip: [number, number] | null;
  readonly implementation: string;
  readonly libc: string;
  readonly bits: number;
  readonly gil: boolean;
  readonly venv: boolean;
}

/**
 * The first usable interpreter: `DYNAMO_PYTHON`, then the names on the PATH and pyenv's
 * folders, in the runtime's order of versions.
 *
 * @throws {TaskError} PYTHON_UNUSABLE when `DYNAMO_PYTHON` names one that cannot be used,
 * PYTHON_MISSING when none is found (exit code 3), each with what to install.
 */
export async function findInterpreter(
  ctx: Context,
  runtime: RuntimeVersion,
): Promise<Interpreter> {
  const chosen = ctx.env.get("DYNAMO_PYTHON");
  if (chosen !== undefined) {
    const problem = await judge(ctx, chosen, runtime);
    if (typeof problem !== "string") return problem;
    throw preconditionError(
      "PYTHON_UNUSABLE",
      `DYNAMO_PYTHON=${chosen} cannot run Dynamo ${runtime}: ${problem}`,
      whatToInstall(runtime),
    );
  }
  const refused: string[] = [];
  for (const candidate of await candidates(ctx, runtime)) {
    const found = await judge(ctx, candidate, runtime);
    if (typeof found !== "string") return found;
    if (found !== NOT_THERE) refused.push(`${candidate}: ${found}`);
  }
  const seen = refused.length === 0 ? "" : ` (${refused.slice(0, 4).join("; ")})`;
  throw preconditionError(
    "PYTHON_MISSING",
    `No Python on this machine can run Dynamo ${runtime}${seen}`,
    whatToInstall(runtime),
  );
}

function whatToInstall(runtime: RuntimeVersion): string {
  const versions = [...RUNTIME_NEEDS[runtime].pythons].sort().join(", ");
  return `Install one of CPython ${versions} with venv and pip (Debian and Ubuntu: ` +
    "apt install python3 python3-venv python3-pip), or set DYNAMO_PYTHON to the path of one.";
}

async function candidates(ctx: Context, runtime: RuntimeVersion): Promise<string[]> {
  const { pythons } = RUNTIME_NEEDS[runtime];
  const root = ctx.env.get("PYENV_ROOT") ?? `${ctx.env.get("HOME") ?? ""}/.pyenv`;
  const installed: string[] = [];
  try {
    for await (const entry of ctx.fs.readDir(`${root}/versions`)) installed.push(entry.name);
  } catch {
    // No pyenv here.
  }
  // Newest patch first; pyenv's own folder before its shim on the PATH, which may refuse to run.
  const patch = (name: string) => Number(name.split(".")[2] ?? 0);
  const found: string[] = [];
  for (const version of pythons) {
    found.push(
      ...installed.filter((name) => name.startsWith(`${version}.`))
        .sort((a, b) => patch(b) - patch(a))
        .map((name) => `${root}/versions/${name}/bin/python`),
      `python${version}`,
    );
  }
  return [...found, "python3", "python"];
}

const NOT_THERE = "it is not there";

async function judge(
  ctx: Context,
  candidate: string,
  runtime: RuntimeVersion,
): Promise<Interpreter | string> {
  let probed: Probed;
  try {
    // -I: neither the current folder nor the user's own packages have a say.
    const result = await ctx.processes.run(candidate, ["-I", "-c", PROBE], {
      cwd: "/",
      signal: ctx.signal,
    });
    if (result.code === 127) return NOT_THERE;
    if (result.code !== 0) return `it ended with code ${result.code}`;
    probed = JSON.parse(result.stdout);
  } catch (error) {
    if (ctx.signal.aborted) throw ctx.signal.reason;
    if (error instanceof Deno.errors.NotFound) return NOT_THERE;
    if (error instanceof Deno.errors.PermissionDenied) return "it cannot be run";
    return "it is no Python 3";
  }
  const { path, version, pip, ensurepip } = probed;
  return problemOf(probed, runtime) ?? { path, version, pip: pip ?? undefined, ensurepip };
}

function problemOf(probed: Probed, runtime: RuntimeVersion): string | undefined {
  const minor = probed.version.split(".").slice(0, 2).join(".");
  const { pythons } = RUNTIME_NEEDS[runtime];
  if (probed.implementation !== "CPython") return `it is ${probed.implementation}`;
  if (!(pythons as readonly string[]).includes(minor)) return `it is Python ${probed.version}`;
  if (probed.bits !== 64) return "it is a 32-bit program";
  if (!probed.gil) return "it is a free-threaded build";
  if (probed.libc !== "glibc") return "this system has no glibc, which Dynamo's wheels need";
  if (!probed.venv) return "its venv module is missing";
  if (probed.pip === null && !probed.ensurepip) return "it has neither pip 22.3 nor ensurepip";
  return undefined;
}
