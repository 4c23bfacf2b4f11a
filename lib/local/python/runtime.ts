/**
 * Dynamo's Python runtime: a virtual environment in the cache with pinned, hashed wheels.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Context, ProcessResult } from "../../cli/context.ts";
import { preconditionError, TaskError } from "../../cli/errors.ts";
import { readIfThere, removeAll, writeFileAtomic } from "../../cli/files.ts";
import type { StepUi } from "../../cli/ui.ts";
import type { PythonRuntime } from "../agent_config.ts";
import { withCacheLock } from "../cache_lock.ts";
import { diskFullError, isDiskFull, requireSpace, type SpaceNeed } from "../disk_space.ts";
import { lastLines } from "../mask_credentials.ts";
import { findInterpreter, type Interpreter } from "./interpreter.ts";
import { RUNTIME_NEEDS, type RuntimeVersion } from "./runtime_versions.ts";

/** Parent of all Python environments in the cache. */
export function pythonFolder(ctx: Pick<Context, "cache">): string {
  return `${ctx.cache}/python`;
}

/** Path of the pinned and hashed requirements of a runtime. */
export function requirementsPath(ctx: Pick<Context, "root">, runtime: RuntimeVersion): string {
  return `${ctx.root}/lib/local/python/requirements-${runtime}.txt`;
}

/**
 * The runtime if it is complete in the cache (made with any interpreter that still is there,
 * or with that of `DYNAMO_PYTHON` when it is set). Runs no program, so it costs a few
 * milliseconds.
 */
export async function findRuntime(
  ctx: Context,
  runtime: RuntimeVersion,
): Promise<PythonRuntime | undefined> {
  const prefix = await folderPrefix(ctx, runtime);
  const names: string[] = [];
  try {
    for await (const entry of ctx.fs.readDir(pythonFolder(ctx))) {
      if (entry.name.startsWith(prefix)) names.push(entry.name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  for (const name of names.sort()) {
    const found = await readComplete(ctx, `${pythonFolder(ctx)}/${name}`, runtime);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Makes the runtime available. A virtual environment cannot be moved, so it is made in its
 * place and a marker file, written last, says that it is complete; what has no marker is
 * removed and made again.
 *
 * @throws {TaskError} PYTHON_MISSING, PYTHON_UNUSABLE, PYTHON_ARCH, PYTHON_PACKAGES,
 * DISK_FULL (exit code 3) or PYTHON_INSTALL.
 */
export async function prepareRuntime(
  ctx: Context,
  ui: StepUi,
  runtime: RuntimeVersion,
): Promise<PythonRuntime> {
  const { archs } = RUNTIME_NEEDS[runtime];
  if (!archs.includes(ctx.platform.arch)) {
    throw preconditionError(
      "PYTHON_ARCH",
      `Dynamo ${runtime} has no Python packages for ${ctx.platform.arch}`,
      "Choose a release from 0.8 on with DYNAMO_VERSION, for example DYNAMO_VERSION=v1.6.1.",
    );
  }
  const cached = await findRuntime(ctx, runtime);
  if (cached !== undefined) return cached;
  ui.update("looking for a Python");
  const interpreter = await findInterpreter(ctx, runtime);
  const onWait = () => ui.update("another task is making it");
  return await withCacheLock(ctx, pythonFolder(ctx), onWait, async () => {
    const folder = `${pythonFolder(ctx)}/${await folderPrefix(ctx, runtime)}${interpreter.version}`;
    return await readComplete(ctx, folder, runtime, true) ??
      await make(ctx, ui, runtime, interpreter, folder);
  });
}

async function make(
  ctx: Context,
  ui: StepUi,
  runtime: RuntimeVersion,
  interpreter: Interpreter,
  folder: string,
): Promise<PythonRuntime> {
  const need: SpaceNeed = {
    path: folder,
    bytes: RUNTIME_NEEDS[runtime].bytes,
    purpose: `Dynamo ${runtime} for Python`,
    variable: "XDG_CACHE_HOME",
  };
  await removeAll(ctx, folder);
  await requireSpace(ctx, need);
  try {
    ui.update(`virtual environment of Python ${interpreter.version}`);
    // An environment without pip of its own is made at once and takes 12 MB less.
    const bare = interpreter.pip !== undefined ? ["--without-pip"] : [];
    await python(ctx, runtime, [interpreter.path, "-I", "-m", "venv", ...bare, folder]);
    await installWheels(ctx, ui, runtime, interpreter, folder);
    ui.update("checking that it starts");
    await python(ctx, runtime, [
      `${folder}/bin/python`,
      "-c",
      "import dynamo.frontend.main, dynamo.mocker.main, dynamo.llm, dynamo.runtime",
    ]);
    const asked = ctx.env.get("DYNAMO_PYTHON");
    const made: Marker = {
      pythonVersion: interpreter.version,
      base: interpreter.path,
      ...(asked === undefined ? {} : { asked }),
    };
    await writeFileAtomic(ctx, markerPath(folder), JSON.stringify(made) + "\n");
  } catch (error) {
    if (isDiskFull(error)) throw diskFullError(need, error);
    throw error;
  }
  const complete = await readComplete(ctx, folder, runtime, true);
  if (complete === undefined) {
    throw new TaskError({
      code: "PYTHON_INSTALL",
      message: `The Python environment ${folder} is not complete after it was made`,
      hint: "Remove that folder and run it again.",
    });
  }
  return complete;
}

async function installWheels(
  ctx: Context,
  ui: StepUi,
  runtime: RuntimeVersion,
  interpreter: Interpreter,
  folder: string,
): Promise<void> {
  const target = `${folder}/bin/python`;
  const { pip } = interpreter;
  const command = pip !== undefined
    ? [interpreter.path, "-m", "pip", "--python", target]
    : [target, "-m", "pip"];
  // Bytes can be told from pip 24.1 on; before, there is one line a package.
  const bytes = pip !== undefined && (pip[0] > 24 || (pip[0] === 24 && pip[1] >= 1));
  await python(ctx, runtime, [
    ...command,
    "install",
    "--no-input",
    "--disable-pip-version-check",
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
    `--progress-bar=${bytes ? "raw" : "off"}`,
    "-r",
    requirementsPath(ctx, runtime),
  ], pipProgress(ui, RUNTIME_NEEDS[runtime].packages));
}

// pip's lines: "Collecting NAME==VERSION (from …)", "  Downloading FILE (74.7 MB)",
// "Progress 1024 of 74705200" (raw), "Installing collected packages: …".
function pipProgress(ui: StepUi, total: number): (line: string) => void {
  let started = 0;
  return (line) => {
    if (line.startsWith("Collecting ")) started += 1;
    const file = /^\s*Downloading (\S+?)-\d\S* \((.+)\)$/.exec(line);
    const raw = /^Progress (\d+) of (\d+)$/.exec(line.trim());
    // Small wheels are there before a bar could be drawn.
    if (raw !== null && Number(raw[2]) > 1e6) ui.progress(Number(raw[1]), Number(raw[2]), "bytes");
    else if (file !== null) {
      ui.update(`downloading ${file[1]}, ${file[2]} (${started} of ${total})`);
    } else if (line.startsWith("Installing collected")) ui.update("unpacking");
  };
}

async function python(
  ctx: Context,
  runtime: RuntimeVersion,
  command: readonly string[],
  onLine?: (line: string) => void,
): Promise<ProcessResult> {
  const [program = "", ...args] = command;
  const result = await ctx.processes.run(program, args, {
    // Not below the project: Python would find files of the current folder first.
    cwd: "/",
    // pip's own settings (index, certificates, proxy) hold; those that would lead the
    // packages elsewhere, or bring others in, do not.
    env: { PYTHONPATH: "", PYTHONHOME: "", PIP_TARGET: "", PIP_PREFIX: "", PIP_USER: "0" },
    signal: ctx.signal,
    onLine: (line) => onLine?.(line),
  });
  if (result.code === 0) return result;
  if (ctx.signal.aborted) throw ctx.signal.reason;
  throw installError(runtime, result);
}

function installError(runtime: RuntimeVersion, result: ProcessResult): Error {
  const output = result.stderr + result.stdout;
  const evidence = lastLines(output, 6);
  if (isDiskFull(output)) return new Error("No space left on device");
  if (
    /No matching distribution|Could not find a version|ConnectionError|NewConnectionError|SSLError|Retrying \(|401 Error|403 Error|ProxyError/i
      .test(output)
  ) {
    return new TaskError({
      code: "PYTHON_PACKAGES",
      message: `pip could not get the packages of Dynamo ${runtime}`,
      hint: "Check the network and pip's index (pip config list); a package index of your own " +
        "must serve the packages of lib/local/python/requirements-" + runtime + ".txt.",
      exitCode: 3,
      evidence,
    });
  }
  return new TaskError({
    code: "PYTHON_INSTALL",
    message: `The Python environment of Dynamo ${runtime} could not be made`,
    hint: "Run it again; if it fails the same way, set DYNAMO_PYTHON to another Python.",
    evidence,
  });
}

interface Marker {
  readonly pythonVersion: string;
  /** Interpreter that the environment was made from; the environment needs it. */
  readonly base: string;
  /** Value of `DYNAMO_PYTHON` when it was made. */
  readonly asked?: string;
}

function markerPath(folder: string): string {
  return `${folder}/complete.json`;
}

async function readComplete(
  ctx: Context,
  folder: string,
  runtime: RuntimeVersion,
  anyInterpreter = false,
): Promise<PythonRuntime | undefined> {
  const text = await readIfThere(ctx, markerPath(folder));
  if (text === undefined) return undefined;
  const asked = ctx.env.get("DYNAMO_PYTHON");
  try {
    const marker: Marker = JSON.parse(text);
    const fits = asked === undefined || asked === marker.asked || asked === marker.base;
    if (!anyInterpreter && !fits) return undefined;
    const interpreter = `${folder}/bin/python`;
    // stat follows the link: an interpreter that was uninstalled is not there.
    await ctx.fs.stat(interpreter);
    const natsServer = runtime === "0.4.1" ? await natsServerIn(ctx, folder) : undefined;
    return {
      interpreter,
      dynamoVersion: runtime,
      pythonVersion: marker.pythonVersion,
      ...(natsServer === undefined ? {} : { natsServer }),
    };
  } catch {
    return undefined;
  }
}

async function natsServerIn(ctx: Context, folder: string): Promise<string> {
  const path = `${folder}/bin/nats-server`;
  await ctx.fs.stat(path);
  return path;
}

// Another list of packages is another environment.
async function folderPrefix(ctx: Context, runtime: RuntimeVersion): Promise<string> {
  const requirements = await ctx.fs.readFile(requirementsPath(ctx, runtime));
  const key = createHash("sha256").update(requirements).digest("hex").slice(0, 12);
  return `dynamo-${runtime}-${key}-python-`;
}
