/**
 * What a pod's node reports about a connection, in words.
 *
 * @module
 */
import { TaskError } from "../cli/errors.ts";
import type { Attempted } from "./api_error.ts";
import { isCode } from "./objects.ts";

/**
 * The error of a report.
 *
 * @param text What the node says: text, or JSON with the text in `message`.
 * @param heard Whether the pod had said something in that connection.
 */
export function portForwardError(tried: Attempted, text: string, heard: boolean): TaskError {
  const cause = messageIn(text).trim()
    .replace(/^error forwarding port \d+ to pod .*?, uid [^:]*: /, "");
  // A relay in front of the pod can only drop what it has taken.
  const dropped = !heard && /connection reset by peer|broken pipe/.test(cause);
  return new TaskError({
    code: "KUBE_PORT_FORWARD",
    message: `Cannot ${tried.verb} ${tried.about}: ${
      dropped ? `connection refused, or dropped before the pod said anything (${cause})` : cause
    }`,
    hint: "Does the pod listen on that port, and is it running?",
  });
}

/** Whether the error says that no byte can have reached the pod, so that another may be tried. */
export function neverReached(error: unknown): boolean {
  return isCode(error, "KUBE_PORT_FORWARD") && error instanceof Error &&
    /connect: connection refused|failed to (dial|connect|find|execute)|not found|no forward/i
      .test(error.message);
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    if (typeof message === "string") return message;
  } catch {
    // Nodes of before Kubernetes 1.33 say it in plain text.
  }
  return text;
}
