/**
 * Listings to their end, and forms of tags.
 *
 * @module
 */
import { TaskError } from "../../cli/errors.ts";
import { awsErrorName } from "../errors.ts";

/** Calls until there is no further page; `read` takes items and token out of an answer. */
export async function listAll<A, T>(
  call: (token: string | undefined) => Promise<A>,
  read: (answer: A) => readonly [items: readonly T[] | undefined, token: string | undefined],
): Promise<T[]> {
  const all: T[] = [];
  let token: string | undefined;
  do {
    const [items, next] = read(await call(token));
    all.push(...(items ?? []));
    // Some services end with an empty token, some would repeat the last one.
    token = next === token || next === "" ? undefined : next;
  } while (token !== undefined);
  return all;
}

/** `{ Key, Value }` pairs as a record. */
export function tagsOf(
  pairs: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] = [],
): Record<string, string> {
  return Object.fromEntries(pairs.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
}

/** The value, or undefined when AWS says that there is no such thing (any more). */
export async function orGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Whether an error says that there is no such thing. */
export function isGone(error: unknown): boolean {
  if (!(error instanceof TaskError)) return false;
  // SQS has words of its own for it.
  return error.code === "AWS_NOT_FOUND" ||
    /NonExistentQueue|QueueDoesNotExist/.test(awsErrorName(error) ?? "");
}

/** Works on all items, some at a time; results in order. Waits for all before it throws. */
export async function eachOf<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  atOnce = 8,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const failed: unknown[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length && failed.length === 0) {
      const index = next++;
      try {
        results[index] = await work(items[index]!);
      } catch (error) {
        failed.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  if (failed.length > 0) throw failed[0];
  return results;
}
