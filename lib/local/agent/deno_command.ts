/**
 * Translates a container that runs a Deno program which its pod brings along in a volume. Pure.
 *
 * @module
 */
import {
  type ContainerRequest,
  localAddresses,
  type LocalCommand,
  type LocalPlaces,
} from "./local_command.ts";
import { replaceAddresses } from "./service_address.ts";
import { isBrought, localPath, scratchContent } from "./volume_files.ts";

// What the pod asks for does not count: a program of a pod reads its own files and talks to
// others like it, and nothing else of this machine.
const FLAGS = [
  "--quiet",
  "--no-prompt",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--no-check",
  "--allow-net=127.0.0.1",
  "--allow-env",
  "--allow-sys",
];

const DROPPED = new Set(["PATH", "HOME", "TMPDIR"]);

/** This machine's Deno in place of the image's, with files, ports and addresses of this machine. */
export function denoCommand(request: ContainerRequest, places: LocalPlaces): LocalCommand {
  const { words, mounts = [] } = request;
  const at = words.findIndex((word, i) => i > 1 && !word.startsWith("-"));
  const script = words[at];
  const isProgram = /(^|\/)deno$/.test(words[0] ?? "") && words[1] === "run" &&
    script !== undefined && isBrought(script, mounts);
  if (!isProgram) {
    return { kind: "simulated", reason: "its command is no program in a volume of its pod" };
  }
  const { scratch } = places;
  const local = (text: string) => localPath(text, mounts, scratch);
  const env: Record<string, string> = { DENO_NO_UPDATE_CHECK: "1" };
  for (const [name, value] of Object.entries(request.env)) {
    if (DROPPED.has(name)) continue;
    const port = /_PORT$/.test(name) && /^\d+$/.test(value)
      ? places.port(Number(value))
      : undefined;
    env[name] = port === undefined
      ? replaceAddresses(local(value), places.addresses)
      : String(port);
  }
  return {
    kind: "process",
    program: places.config.denoPath,
    args: ["run", ...FLAGS, `--allow-read=${scratch}`, ...words.slice(at).map(local)],
    env,
    ...scratchContent(mounts),
    privateNetwork: true,
    waitFor: localAddresses(...Object.values(places.addresses)),
    warnings: [],
    simulated: "This machine's Deno runs the pod's program",
  };
}
