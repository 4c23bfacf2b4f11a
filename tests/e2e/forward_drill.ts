/**
 * `deno task forward` while the API server and the frontend's pod come and go.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runCommand } from "../../lib/cli/main.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { command } from "../../tasks/forward.ts";
import { type DrillCluster, NAMESPACE, until } from "./deploy_support.ts";

/** A running port-forward to a graph's frontend. */
export interface RunningForward extends AsyncDisposable {
  /** What the task said. */
  readonly talk: readonly string[];
  /** Opens a connection that has been answered once; resolves to its end, which is no hang. */
  hold(): Promise<{ readonly ended: Promise<void> }>;
  /** Asks for the models until the frontend answers; 30 s at most. */
  answers(): Promise<void>;
}

const ANSWER_MS = 3_000;

/** Starts the task; disposed, it must end with exit code 0. */
export async function runningForward(home: string, graph: string): Promise<RunningForward> {
  const stop = new AbortController();
  const test = await testContext({ home, signal: stop.signal });
  const { data, talk } = test.heard;
  const running = runCommand(test.ctx, command, [graph, "--output", "json"]);
  await until(() => Promise.resolve(data.length > 0));
  const { url } = JSON.parse(data[0]!) as { readonly url: string };
  const { hostname, port } = new URL(url);

  async function ask(connection: Deno.Conn): Promise<boolean> {
    const question = `GET /v1/models HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(question));
    const buffer = new Uint8Array(64 * 1024);
    let answer = "";
    for (let size; (size = await connection.read(buffer)) !== null;) {
      answer += new TextDecoder().decode(buffer.subarray(0, size));
      if (/^HTTP\/1.1 200 .*"object":"list"/s.test(answer)) return true;
      if (/^HTTP\/1.1 [^2]/.test(answer)) return false;
    }
    return false;
  }

  return {
    talk,
    async hold() {
      const connection = await Deno.connect({ hostname, port: Number(port) });
      assert.ok(await ask(connection), "the frontend answers");
      const end = async () => {
        assert.equal(await connection.read(new Uint8Array(1)).catch(() => null), null);
        connection.close();
      };
      return { ended: end() };
    },
    answers: () =>
      until(async () => {
        const connection = await Deno.connect({ hostname, port: Number(port) });
        const close = () => {
          try {
            connection.close();
          } catch {
            // It was too late, and closed.
          }
        };
        // kwok does not tell that a pod has ended a connection.
        const late = setTimeout(close, ANSWER_MS);
        const answered = await ask(connection).catch(() => false);
        clearTimeout(late);
        close();
        return answered;
      }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      assert.equal(await running, 0, talk.join("\n"));
      await test.dispose();
    },
  };
}

/** Deletes the pod of a graph's frontend. */
export async function replaceFrontend({ kube }: DrillCluster, graph: string): Promise<void> {
  const POD = { apiVersion: "v1", kind: "Pod", namespace: NAMESPACE };
  const { items } = await kube.list(POD, { namespace: NAMESPACE });
  const found = items.filter(({ metadata: { name } }) => name.startsWith(`${graph}-frontend-`));
  assert.equal(found.length, 1);
  const { name, uid } = found[0]!.metadata;
  await kube.delete({ ...POD, name });
  await until(async () => (await kube.get({ ...POD, name }))?.metadata.uid !== uid);
}
