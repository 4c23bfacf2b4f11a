/**
 * Requests to the relay of the private network: one line of JSON each way.
 *
 * @module
 */
import type { Context, ProcessIdentity } from "../../cli/context.ts";
import { TaskError } from "../../cli/errors.ts";

/** What the relay writes about itself. */
export interface RelayState {
  /** The process in the machine's network. */
  readonly outer: ProcessIdentity;
  /** The process in the private network. */
  readonly inner: ProcessIdentity;
  /** Port of its requests, on 127.0.0.1. */
  readonly control: number;
  /** Secret that goes with each request. */
  readonly token: string;
}

/** A connection to the relay. */
export interface RelayConnection {
  /**
   * One request at a time; others wait.
   *
   * @throws {TaskError} RELAY_REFUSED when the relay answers with an error.
   */
  ask(request: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Ends it. */
  close(): void;
}

/** Connects to the relay. */
export async function relayConnection(
  ctx: Pick<Context, "net">,
  state: RelayState,
): Promise<RelayConnection> {
  const connection = await ctx.net.connect({ hostname: "127.0.0.1", port: state.control });
  let last: Promise<unknown> = Promise.resolve();
  return {
    ask(request) {
      const result = last.then(() => exchange(connection, { ...request, token: state.token }));
      last = result.catch(() => {});
      return result;
    },
    close() {
      try {
        connection.close();
      } catch {
        // It is closed already.
      }
    },
  };
}

async function exchange(
  connection: Deno.Conn,
  request: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const bytes = new TextEncoder().encode(JSON.stringify(request) + "\n");
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  let text = "";
  const buffer = new Uint8Array(4096);
  while (!text.endsWith("\n")) {
    const length = await connection.read(buffer);
    if (length === null) throw new Error("the relay closed the connection");
    text += new TextDecoder().decode(buffer.subarray(0, length));
  }
  const answer = JSON.parse(text);
  if (answer.error !== undefined) {
    throw new TaskError({
      code: "RELAY_REFUSED",
      message: `The private network refused ${request.op} of port ${request.port}: ${answer.error}`,
      hint: "The port may be taken by another program.",
    });
  }
  return answer;
}
