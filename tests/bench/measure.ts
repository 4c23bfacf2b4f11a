/**
 * Runs client and mock server as two processes.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { MockOptions, MockStats } from "../../lib/bench/mock_options.ts";
import type { BenchOptions } from "../../lib/bench/options.ts";
import type { ClientResult, ClientTask } from "./client_process.ts";

/** A run, what it cost, and the server's own account of it. */
export interface Measured extends ClientResult {
  /** What the server did, its probes and warm-up included. */
  readonly truth: MockStats;
}

// As `deno task bench` has them.
const PERMISSIONS = ["net", "read", "write", "env", "sys"].map((name) => `--allow-${name}`);

/** Measures once; both processes have ended when it returns. */
export async function measure(
  mock: MockOptions,
  options: Omit<BenchOptions, "url">,
): Promise<Measured> {
  const folder = await Deno.makeTempDir({ prefix: "bench-self-" });
  const server = spawn("server_process.ts", mock, "piped");
  try {
    const url = `http://127.0.0.1:${await firstLine(server.stdout)}`;
    const task: ClientTask = { options: { ...options, url }, folder };
    const { code, stdout } = await spawn("client_process.ts", task, "null").output();
    if (code !== 0) throw new Error(`The client ended with exit code ${code}`);
    const result = JSON.parse(new TextDecoder().decode(stdout)) as ClientResult;
    const truth = await (await fetch(`${url}/stats`)).json() as MockStats;
    return { ...result, truth };
  } finally {
    await server.stdin.close();
    await server.status;
    await Deno.remove(folder, { recursive: true });
  }
}

function spawn(file: string, argument: unknown, stdin: "piped" | "null"): Deno.ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", ...PERMISSIONS, path, JSON.stringify(argument)],
    stdin,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.includes("\n")) break;
  }
  if (text === "") throw new Error("The mock server did not start");
  return text.trim();
}
