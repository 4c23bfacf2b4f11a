/**
 * `logs --follow` while what it follows comes and goes.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runCommand } from "../../lib/cli/main.ts";
import { silentStep, testContext } from "../../lib/cli/testing.ts";
import { preparePrograms } from "../../lib/local/binaries/programs.ts";
import { startCluster } from "../../lib/local/cluster.ts";
import { runningDaemon } from "../../lib/local/daemon.ts";
import { localLayout } from "../../lib/local/layout.ts";
import { command } from "../../tasks/logs.ts";
import { processesBelow } from "../support/processes.ts";
import { type DrillCluster, NAMESPACE, until } from "./deploy_support.ts";

/**
 * A worker is killed, the API server as well, and the frontend's pod is replaced: one `logs -f`
 * shows every line of all of them, once.
 */
export async function logsGoOn({ ctx, kube, home }: DrillCluster, graph: string): Promise<void> {
  const stop = new AbortController();
  await using test = await testContext({ home, signal: stop.signal });
  const { data, talk } = test.heard;
  const following = runCommand(test.ctx, command, [graph, "-f", "--timestamps"]);
  const lines = (pod: string) => data.filter((line) => line.startsWith(`${pod} `));
  try {
    const frontend = await podName(kube, graph, "frontend");
    const worker = await podName(kube, graph, "worker");
    await until(() => Promise.resolve(lines(frontend).length > 0 && lines(worker).length > 0));

    const processes = (await processesBelow(home)).filter(({ command }) =>
      /mocker/.test(command) && !command.includes("container_shim")
    );
    for (const { pid } of processes) Deno.kill(pid, "SIGKILL");
    const before = lines(worker).length;
    await until(() => Promise.resolve(lines(worker).length > before + 5));

    const server = await runningDaemon(ctx, localLayout(ctx), "kube-apiserver");
    ctx.processes.kill(server!.identity, "SIGKILL");
    await ctx.clock.sleep(500);
    await startCluster(ctx, await preparePrograms(ctx, silentStep), silentStep);
    await until(() => kube.delete({ ...POD, name: frontend }));
    await until(async () => {
      const next = await podName(kube, graph, "frontend");
      return next !== frontend && lines(next).length > 0;
    });

    const written = [
      ...await logOf(home, graph, "--previous"),
      ...await logOf(home, graph),
    ].filter((line) => line.startsWith(`${worker} `));
    await until(() => Promise.resolve(written.every((line) => data.includes(line))));
    assert.equal(
      new Set(lines(worker)).size,
      lines(worker).length,
      "no line of the worker came twice",
    );
  } catch (error) {
    throw new Error(`${error}\n${talk.join("\n")}\n${data.slice(-20).join("\n")}`);
  } finally {
    stop.abort();
    assert.equal(await following, 0, talk.join("\n"));
  }
}

const POD = { apiVersion: "v1", kind: "Pod", namespace: NAMESPACE } as const;

async function podName(
  kube: DrillCluster["kube"],
  graph: string,
  part: string,
): Promise<string> {
  const { items } = await kube.list(POD, { namespace: NAMESPACE });
  const found = items.find(({ metadata: { name, deletionTimestamp } }) =>
    name.startsWith(`${graph}-`) && name.includes(part) && deletionTimestamp === undefined
  );
  return found?.metadata.name ?? "";
}

async function logOf(home: string, graph: string, ...words: string[]): Promise<string[]> {
  await using test = await testContext({ home });
  const code = await runCommand(test.ctx, command, [graph, "--timestamps", ...words]);
  assert.equal(code, 0, test.heard.talk.join("\n"));
  return test.heard.data;
}
