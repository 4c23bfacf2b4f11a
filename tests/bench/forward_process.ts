/**
 * A port-forward of this project as a process of its own. Takes kubeconfig, namespace, pod and
 * port, prints the local port, ends with its standard input.
 *
 * @module
 */
import process from "node:process";
import { connectKube } from "../../lib/kube/client.ts";
import { forwardPort } from "../../lib/kube/port_forward.ts";
import { processContext } from "./process_context.ts";

if (import.meta.main) {
  const [kubeconfig, namespace, name, port] = Deno.args;
  const ctx = processContext();
  const kube = await connectKube(ctx, { kubeconfig: kubeconfig! });
  const pod = () => Promise.resolve({ name: name!, namespace: namespace! });
  const forwarder = await forwardPort(ctx, kube, { pod, port: Number(port) });
  process.stdout.write(`${forwarder.port}\n`);
  for await (const _ of Deno.stdin.readable);
  await forwarder.close();
  kube.close();
}
