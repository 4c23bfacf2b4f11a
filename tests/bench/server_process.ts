/**
 * The mock server as a process of its own, so that its processor time is not the client's.
 * Takes the mock's options as JSON, prints its port, ends with its standard input.
 *
 * @module
 */
import process from "node:process";
import type { MockOptions } from "../../lib/bench/mock_options.ts";
import { serveMock } from "../../lib/bench/mock_server.ts";
import { processContext } from "./process_context.ts";

if (import.meta.main) {
  const options = JSON.parse(Deno.args[0]!) as MockOptions;
  const server = serveMock(processContext(), options);
  process.stdout.write(`${server.port}\n`);
  for await (const _ of Deno.stdin.readable);
  await server.close();
}
