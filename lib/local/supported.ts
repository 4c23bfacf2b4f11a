/**
 * Where the embedded cluster can run.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";

/**
 * Refuses machines that the embedded cluster cannot run on, before anything is touched.
 *
 * @throws {TaskError} LOCAL_PLATFORM (exit code 3).
 */
export function requireSupportedPlatform(ctx: Pick<Context, "platform">): void {
  const { os, arch } = ctx.platform;
  if (os !== "linux") {
    throw preconditionError(
      "LOCAL_PLATFORM",
      `The embedded cluster needs Linux, and this is ${os === "darwin" ? "macOS" : os}`,
      os === "windows"
        ? "Run it inside WSL2 (wsl --install), or use --target eks."
        : "Run it on a Linux machine or in a Linux virtual machine (on Windows: WSL2), or use --target eks.",
    );
  }
  if (arch !== "x86_64" && arch !== "aarch64") {
    throw preconditionError(
      "LOCAL_PLATFORM",
      `The embedded cluster needs an x86-64 or ARM64 processor, and this is ${arch}`,
      "Dynamo's wheels are published for those two only.",
    );
  }
}
