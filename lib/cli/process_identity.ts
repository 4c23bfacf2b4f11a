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

// proc_pid_stat(5): field 3 is the state, field 22 the start in clock ticks after boot.
// The command name (field 2) may hold spaces and parentheses, so count from the last ")".
function linuxStart(pid: number): string | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${bootId()}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  } catch {
    return "unknown-boot";
  }
}

function otherStart(pid: number): string | undefined {
  const result = new Deno.Command("ps", {
    args: ["-o", "state=,lstart=", "-p", String(pid)],
    stderr: "null",
  }).outputSync();
  const text = new TextDecoder().decode(result.stdout).trim();
  return text === "" || text.startsWith("Z") ? undefined : text.replace(/^\S+\s+/, "");
}
