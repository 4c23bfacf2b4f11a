/**
 * Processes that belong to a test's cluster.
 *
 * @module
 */

/** A process of this machine. */
export interface FoundProcess {
  readonly pid: number;
  /** Its command line, words joined by blanks. */
  readonly command: string;
}

/** Living processes whose command line or environment names the state folder (Linux). */
export async function processesBelow(home: string): Promise<FoundProcess[]> {
  const found: FoundProcess[] = [];
  for await (const entry of Deno.readDir("/proc")) {
    const pid = Number(entry.name);
    if (!Number.isInteger(pid) || pid === Deno.pid) continue;
    try {
      const [command, environment] = await Promise.all([
        Deno.readTextFile(`/proc/${pid}/cmdline`),
        Deno.readTextFile(`/proc/${pid}/environ`),
      ]);
      if (command === "" || !(command.includes(home) || environment.includes(home))) continue;
      found.push({ pid, command: command.replaceAll("\0", " ").trim() });
    } catch {
      // It ended while being looked at, or is another user's.
    }
  }
  return found;
}
