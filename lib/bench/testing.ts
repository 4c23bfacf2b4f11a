/**
 * Tests that measure time, on machines where others are at work.
 *
 * @module
 */
import process from "node:process";

/** A time is not what it should be. */
export class TimingMismatch extends Error {
  /** Says which. */
  constructor(message: string) {
    super(message);
    this.name = "TimingMismatch";
  }
}

/** Asserts a time: `actual` is `expected`, give or take `by`. */
export function within(
  actual: number | undefined | null,
  expected: number,
  by: number,
  what: string,
): void {
  timeIs(
    typeof actual === "number" && Math.abs(actual - expected) <= by,
    `${what} is ${actual}, not ${expected} ± ${by}`,
  );
}

/** Asserts something that holds only when this process gets the processor in time. */
export function timeIs(condition: boolean, message: string): void {
  if (!condition) throw new TimingMismatch(message);
}

const ATTEMPTS = 4;
// Of all processors together.
const BUSY_SHARE = 0.1;

/**
 * Runs a test whose times are the code's only when the machine is not busy with something
 * else. A mismatch of times counts when other processes were quiet, which the kernel's
 * processor accounts tell and not our own clock: slow code of ours is still found. With others
 * at work it is tried again, and skipped in the end. Everything else fails at once.
 */
export async function timely(test: () => Promise<void>): Promise<void> {
  for (let attempt = 1;; attempt++) {
    const before = await processorTimes();
    try {
      return await test();
    } catch (error) {
      if (!(error instanceof TimingMismatch)) throw error;
      const share = othersShare(before, await processorTimes());
      // Once more even then: a first run may be the compiler's.
      if (share <= BUSY_SHARE && attempt > 1) throw error;
      if (attempt < ATTEMPTS) continue;
      const percent = Math.round(100 * share);
      // deno-lint-ignore no-console -- a test reports to the runner's output
      console.log(`SKIPPED: other processes use ${percent} % of the processors (${error.message})`);
      return;
    }
  }
}

interface ProcessorTimes {
  /** Seconds of all processors: busy, and in total. */
  readonly busy: number;
  readonly total: number;
  /** Seconds that this process used. */
  readonly own: number;
}

// user nice system idle iowait irq softirq steal, in hundredths of a second (proc(5)).
async function processorTimes(): Promise<ProcessorTimes | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile("/proc/stat");
  } catch {
    return undefined;
  }
  const values = text.split("\n", 1)[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
  const total = values.reduce((sum, value) => sum + value, 0);
  const idle = values[3]! + values[4]!;
  const { user, system } = process.cpuUsage();
  return { busy: (total - idle) / 100, total: total / 100, own: (user + system) / 1e6 };
}

// Where the kernel keeps no accounts the machine is taken to be quiet.
function othersShare(before?: ProcessorTimes, after?: ProcessorTimes): number {
  if (before === undefined || after === undefined) return 0;
  const others = after.busy - before.busy - (after.own - before.own);
  return others / Math.max(0.01, after.total - before.total);
}
