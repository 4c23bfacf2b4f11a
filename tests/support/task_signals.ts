/**
 * Ctrl-C and worse for a task that runs, once terraform is at work for it.
 *
 * @module
 */

import { isAlive } from "../../lib/cli/process_identity.ts";

/** Which signal, when, and to whom. */
export interface TaskSignal {
  /** terraform's work folder. */
  readonly folder: string;
  /** The command of terraform that is waited for, and words of its output: `apply`, /Destroying/. */
  readonly command: string;
  readonly says: RegExp;
  /** The signal. */
  readonly signal: Deno.Signal;
  /** terraform as well, as when the machine is lost. */
  readonly terraform?: boolean;
}

const EVERY_MS = 100;
const TRIES = 1_200;

/**
 * Sends the signal as a terminal does it: to `deno task` and to the task, which hears it twice when
 * it can be handed on. Returns whether it was sent.
 */
export async function signalWhen(child: Deno.ChildProcess, wanted: TaskSignal): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries++) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    const run = await atWork(wanted);
    if (run === undefined) continue;
    const children = await Deno.readTextFile(`/proc/${child.pid}/task/${child.pid}/children`);
    // Its children first: they are looked up by it.
    const pids = [...children.trim().split(" ").map(Number), child.pid];
    for (const pid of [...pids, ...(wanted.terraform === true ? [run] : [])]) {
      Deno.kill(pid, wanted.signal);
    }
    return true;
  }
  return false;
}

/** Process number of terraform once it has come that far. */
async function atWork({ folder, command, says }: TaskSignal): Promise<number | undefined> {
  try {
    const note = JSON.parse(await Deno.readTextFile(`${folder}/running.json`));
    if (note.command !== command || !says.test(await Deno.readTextFile(note.logFile))) {
      return undefined;
    }
    // The note of a run that was killed stays.
    if (!isAlive(note.identity)) return undefined;
    return note.identity.pid;
  } catch {
    // Not yet, or not any more.
    return undefined;
  }
}
