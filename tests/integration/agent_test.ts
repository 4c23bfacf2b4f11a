/**
 * The node agent with a real control plane and Dynamo's real processes, as a user sees it:
 * through stock kubectl.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Context } from "../../lib/cli/context.ts";
import { messageOf } from "../../lib/cli/errors.ts";
import { silentStep } from "../../lib/cli/testing.ts";
import type { Kube, KubeObject } from "../../lib/kube/types.ts";
import type { AgentConfig } from "../../lib/local/agent_config.ts";
import type { ContainerStatus, Pod } from "../../lib/local/agent/pod_types.ts";
import { ensureNodeAgent, stopNodeAgent } from "../../lib/local/node_agent.ts";
import { prepareRuntime } from "../../lib/local/python/runtime.ts";
import type { RuntimeVersion } from "../../lib/local/python/runtime_versions.ts";
import { kubectl, kubectlPath } from "../support/kubectl.ts";
import { processesBelow } from "../support/processes.ts";
import { agentPods, MODEL, platformPods } from "./agent_pods.ts";
import { type TestCluster, withCluster } from "./cluster.ts";

/** A cluster with the agent at work and a kubectl. */
interface Lab extends TestCluster {
  readonly kubectl: (...args: string[]) => Promise<string>;
}

async function withAgent(
  version: RuntimeVersion,
  body: (lab: Lab) => Promise<void>,
): Promise<void> {
  await withCluster(async (made) => {
    const { ctx, cluster } = made;
    const program = await kubectlPath(ctx);
    const runtime = await prepareRuntime(ctx, silentStep, version).catch(messageOf);
    const missing = typeof program === "object"
      ? program.reason
      : typeof runtime === "string"
      ? runtime
      : undefined;
    if (missing !== undefined || typeof program === "object" || typeof runtime === "string") {
      // deno-lint-ignore no-console -- a test that cannot run says so
      return console.log(`SKIPPED: ${missing}`);
    }
    const { layout } = cluster;
    const config: AgentConfig = {
      kubeconfig: `${layout.kubeconfigs}/node-agent.kubeconfig`,
      operatorKubeconfig: `${layout.kubeconfigs}/operator.kubeconfig`,
      layout,
      projectRoot: ctx.root,
      denoPath: ctx.processes.denoPath,
      release: version,
      python: runtime,
      etcd: cluster.programs.commands.etcd,
      operator: { kind: "stand-in" },
    };
    await ensureNodeAgent(ctx, config);
    try {
      await body({
        ...made,
        async kubectl(...args) {
          const all = ["--namespace", made.namespace, ...args];
          const result = await kubectl(ctx, program, layout.kubeconfig, all);
          assert.equal(result.code, 0, result.stderr);
          return result.stdout;
        },
      });
    } finally {
      await stopNodeAgent(ctx);
    }
  });
}

async function until<T>(
  ctx: Context,
  what: string,
  look: () => Promise<T | undefined | false>,
  ms = 30_000,
): Promise<T> {
  const end = ctx.clock.monotonic() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    assert.ok(ctx.clock.monotonic() < end, `timed out: ${what}`);
    await ctx.clock.sleep(100);
  }
}

async function podOf(kube: Kube, namespace: string, app: string): Promise<Pod | undefined> {
  const list = await kube.list<Pod>({ apiVersion: "v1", kind: "Pod" }, {
    namespace,
    labelSelector: `app=${app}`,
  });
  return list.items.find((pod) => pod.metadata.deletionTimestamp === undefined);
}

function main(pod: Pod | undefined): ContainerStatus | undefined {
  return pod?.status?.containerStatuses?.[0];
}

function ready({ ctx, kube, namespace }: Lab, app: string, restarts = 0): Promise<Pod> {
  return until(ctx, `${app} ready after ${restarts} restarts`, async () => {
    const pod = await podOf(kube, namespace, app);
    const status = main(pod);
    return status?.ready === true && status.restartCount === restarts ? pod : undefined;
  });
}

async function apply(kube: Kube, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) await kube.apply(object);
}

/** What `body` does through `kubectl port-forward` to the frontend. */
async function throughPortForward(
  { ctx, cluster, namespace }: Lab,
  body: (url: string) => Promise<void>,
): Promise<void> {
  const program = await kubectlPath(ctx);
  assert.ok(typeof program === "string");
  const child = new Deno.Command(program, {
    args: ["--kubeconfig", cluster.layout.kubeconfig, "-n", namespace, "port-forward"].concat(
      "service/frontend",
      ":8000",
    ),
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const { value = "" } = await reader.read();
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(value) ?? [];
    assert.ok(port !== undefined, value);
    await body(`http://127.0.0.1:${port}`);
    child.kill("SIGTERM");
    while (!(await reader.read()).done);
  } finally {
    await child.status;
  }
}

interface Completion {
  readonly choices: { message: { content: string } }[];
  readonly usage: { completion_tokens: number };
}

async function chat(url: string): Promise<Completion> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: MODEL,
      messages: [{ role: "user", content: "Tell me about the river" }],
      max_tokens: 20,
    }),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text);
}

async function servesTheModel(lab: Lab): Promise<void> {
  const { ctx } = lab;
  await throughPortForward(lab, async (url) => {
    await until(ctx, "the model", async () => {
      const { data } = await (await fetch(`${url}/v1/models`)).json();
      return data.some(({ id }: { id: string }) => id === MODEL);
    });
    // Right after its start a worker of 0.4.1 may not be subscribed yet.
    const answer = await until(ctx, "an answer", () => chat(url).catch(() => undefined));
    assert.ok(answer.usage.completion_tokens >= 19);
    assert.match(answer.choices[0]!.message.content, /^ [a-z]+/);
  });
}

for (const version of ["0.4.1", "1.6.1"] as const) {
  Deno.test(`Dynamo ${version}: pods serve, restart and go as on a real node`, () =>
    withAgent(version, async (lab) => {
      const { ctx, kube, namespace } = lab;
      await apply(kube, platformPods(version, namespace));
      await apply(kube, agentPods(version, namespace));
      const frontend = await ready(lab, "frontend");
      const worker = await ready(lab, "worker");
      await ready(lab, "hello-worker");
      assert.match(worker.spec.nodeName ?? "", /gpu-karpenter/);
      assert.match(frontend.status?.podIP ?? "", /^10\.244\./);

      await servesTheModel(lab);
      const logs = await lab.kubectl("logs", "deployment/frontend");
      assert.match(logs, new RegExp(MODEL));
      await until(
        ctx,
        "greetings",
        async () => (await lab.kubectl("logs", "deployment/hello-client")).includes("Hello moon!"),
      );

      const pid = Number(main(worker)!.containerID!.slice("process://".length));
      Deno.kill(pid, "SIGKILL");
      const again = await ready(lab, "worker", 1);
      assert.deepEqual(
        [main(again)?.lastState.terminated?.exitCode, main(again)?.lastState.terminated?.signal],
        [137, 9],
      );
      const before = await lab.kubectl("logs", "deployment/worker", "--previous", "--tail=1");
      assert.notEqual(before.trim(), "");
      await servesTheModel(lab);

      const described = await lab.kubectl("describe", "pod", worker.metadata.name);
      for (const reason of ["Pulled", "Created", "Started", "Simulated"]) {
        assert.ok(described.includes(reason), reason);
      }

      await lab.kubectl("delete", "deployment", "--all");
      await until(
        ctx,
        "no pod left",
        async () =>
          await podOf(kube, namespace, "frontend") === undefined &&
          await podOf(kube, namespace, "worker") === undefined,
      );
      await until(
        ctx,
        "no process left",
        async () =>
          !(await processesBelow(ctx.home)).some(({ command }) =>
            command.includes("container_shim.py") && command.includes(namespace)
          ),
      );
    }));
}

Deno.test("an agent that is killed leaves its pods running and finds them again", () =>
  withAgent("1.6.1", async (lab) => {
    const { ctx, kube, namespace, cluster } = lab;
    await apply(
      kube,
      agentPods("1.6.1", namespace).filter(({ metadata }) => metadata.name.endsWith("frontend")),
    );
    const before = await ready(lab, "frontend");
    const agents = () =>
      processesBelow(ctx.home).then((all) =>
        all.filter(({ command }) => command.includes("lib/local/agent/main.ts"))
      );
    for (const { pid } of await agents()) Deno.kill(pid, "SIGKILL");
    await until(ctx, "the agent's end", async () => (await agents()).length === 0);
    const config = JSON.parse(await ctx.fs.readTextFile(`${cluster.layout.root}/agent.json`));
    await ensureNodeAgent(ctx, config);
    const name = before.metadata.name;
    await lab.kubectl("annotate", "pod", name, "seen=again");
    await ctx.clock.sleep(1_500);
    const after = await ready(lab, "frontend");
    assert.deepEqual(main(after), main(before));
    await lab.kubectl("delete", "pod", name, "--wait=false");
    await until(
      ctx,
      "another pod",
      async () => (await podOf(kube, namespace, "frontend"))?.metadata.name !== name,
    );
  }));
