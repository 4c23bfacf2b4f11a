/**
 * The Go tool chain of this machine.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { preconditionError } from "../../cli/errors.ts";

/** A Go tool chain. */
export interface GoTool {
  /** Program to run. */
  readonly path: string;
  /** Such as `go1.26.8`. */
  readonly version: string;
  /** Folder of downloaded modules. */
  readonly moduleCache: string;
  /** Folder of compiled packages. */
  readonly buildCache: string;
  /** Import path of our program, as Go names it when it is compiled. */
  readonly mainPackage: string;
}

/** First Go that can fetch the tool chain that a module asks for. */
const OLDEST = { major: 1, minor: 21 };

/**
 * Finds Go on the PATH.
 *
 * @throws {TaskError} GO_MISSING or GO_OLD (exit code 3) with what to install.
 */
export async function requireGo(ctx: Context): Promise<GoTool> {
  const path = "go";
  let text: string;
  try {
    const result = await ctx.processes.run(path, [
      "env",
      "-json",
      "GOVERSION",
      "GOMODCACHE",
      "GOCACHE",
    ], {
      // Outside of any module: an old Go would refuse ours before it tells its version.
      cwd: "/",
      env: { GOWORK: "off" },
      signal: ctx.signal,
    });
    text = result.stdout;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw preconditionError(
      "GO_MISSING",
      "The control plane's programs are not in the cache, their published files are out of " +
        "reach, and there is no Go to build them with",
      "Install Go 1.26 (https://go.dev/dl, or your system's packages: golang), then run it again.",
    );
  }
  const found = JSON.parse(text || "{}");
  const version = String(found.GOVERSION ?? "");
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) === OLDEST.major && Number(minor) < OLDEST.minor) {
    throw preconditionError(
      "GO_OLD",
      `The control plane needs Go 1.26, and the installed one is ${version}`,
      "Install Go 1.26 (https://go.dev/dl), then run it again.",
    );
  }
  return {
    path,
    version,
    moduleCache: String(found.GOMODCACHE ?? ""),
    buildCache: String(found.GOCACHE ?? ""),
    mainPackage: "dynamo-eks.local/control-plane",
  };
}
