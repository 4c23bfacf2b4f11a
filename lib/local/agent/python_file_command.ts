/**
 * Translates a container that runs a Python program which its pod brings along in a volume. Pure.
 *
 * @module
 */
import type { ContainerRequest, LocalCommand, LocalPlaces } from "./local_command.ts";
import { isBrought, localPath, scratchContent } from "./volume_files.ts";

// Paths of the image, and what would lead this machine's Python elsewhere.
const DROPPED = new Set([
  "PATH",
  "HOME",
  "TMPDIR",
  "PYTHONPATH",
  "PYTHONHOME",
  "LD_LIBRARY_PATH",
  "LD_PRELOAD",
  "VIRTUAL_ENV",
]);

/** The file that `python3 [-flags] /path/file.py` runs, as its index; undefined for all else. */
export function pythonFile(words: readonly string[]): number | undefined {
  if (!/(^|\/)python3?$/.test(words[0] ?? "")) return undefined;
  // -m, -c and flags with a value of their own are no file.
  const at = words.findIndex((word, i) => i > 0 && !/^-[BEIuSs]+$/.test(word));
  return words[at]?.startsWith("/") === true ? at : undefined;
}

/** The runtime's Python in place of the image's; undefined when the file is none of the pod's. */
export function pythonFileCommand(
  request: ContainerRequest,
  places: LocalPlaces,
): LocalCommand | undefined {
  const { words, mounts = [] } = request;
  const at = pythonFile(words);
  if (at === undefined || !isBrought(words[at]!, mounts)) return undefined;
  const local = (text: string) => localPath(text, mounts, places.scratch);
  const env: Record<string, string> = { PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1" };
  for (const [name, value] of Object.entries(request.env)) {
    if (!DROPPED.has(name)) env[name] = local(value);
  }
  return {
    kind: "process",
    program: places.config.python.interpreter,
    args: words.slice(1).map(local),
    env,
    ...scratchContent(mounts),
    // It is there to fetch something from elsewhere.
    privateNetwork: false,
    waitFor: [],
    warnings: [],
    simulated: "This machine's Python runs the pod's program",
  };
}
