/**
 * Which process a number means: process numbers are reused, so a number is
 * always kept together with the moment its process started.
 *
 * @module
 */
import type { ProcessIdentity } from "./context.ts";

/** Start of a process as the operating system tells it, or undefined when there is no such (living) process. */
export function processStart(pid: number): string | undefined {
  return Deno.build.os === "linux" ? linuxStart(pid) : otherStart(pid);
}

/** Whether the very process is running; a zombie or a reused number is not. */
export function isAlive(identity: ProcessIdentity): boolean {
  return processStart(identity.pid) === identity.started;
}

/**
 * The `started` of a process from the text of its `/proc/<pid>/stat` and of the boot id;
 * undefined for a zombie or a text of another form.
 */
export function startFromStat(stat: string, bootId: string): string | undefined {
  // proc_pid_stat(5): field 3 is the state, field 22 the start in clock ticks after boot.
  // The command name (field 2) may hold spaces and parentheses, so count from the last ")".
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields[19];
  if (fields[0] === "Z" || fields[0] === "X" || ticks === undefined) return undefined;
  return `${bootId.trim()}/${ticks}`;
}

const BOOT_ID = "/proc/sys/kernel/random/boot_id";

function linuxStart(pid: number): string | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : startFromStat(stat, readProc(BOOT_ID) ?? "unknown-boot");
}

// Deno hands out /proc only with --allow-all. Tasks that may start programs, and so manage
// processes at all, run with less: for them cat reads the same few bytes.
function readProc(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) return undefined;
  }
  const result = new Deno.Command("cat", { args: [path], stderr: "null" }).outputSync();
  return result.success ? new TextDecoder().decode(result.stdout) : undefined;
}

function otherStart(pid: number): string | undefined {
  const result = new Deno.Command("ps", {
    args: ["-o", "state=,lstart=", "-p", String(pid)],
    stderr: "null",
  }).outputSync();
  const text = new TextDecoder().decode(result.stdout).trim();
  return text === "" || text.startsWith("Z") ? undefined : text.replace(/^\S+\s+/, "");
}
