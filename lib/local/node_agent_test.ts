import assert from "node:assert/strict";
import { type Context, withContext } from "../cli/context.ts";
import { testContext } from "../cli/testing.ts";
import type { AgentConfig } from "./agent_config.ts";
import { runningDaemon, stopDaemon } from "./daemon.ts";
import { localLayout } from "./layout.ts";
import { agentConfigPath, ensureNodeAgent, NODE_AGENT } from "./node_agent.ts";

/** The agent's command line, started as a program that only sleeps. */
async function startAgent(
  ctx: Context,
  change: Partial<AgentConfig> = {},
): Promise<{ outcome: string; command: readonly string[]; env: Record<string, string> }> {
  let seen: { command: readonly string[]; env: Record<string, string> } | undefined;
  const { daemon } = ctx.processes;
  const spy = withContext(ctx, {
    processes: {
      ...ctx.processes,
      daemon: (command, args, options) => {
        const own = args.indexOf("deno-of-the-test");
        seen = { command: args.slice(own), env: options.env };
        return daemon(command, [...args.slice(0, own), "sleep", "60"], options);
      },
    },
  });
  const layout = localLayout(ctx);
  const outcome = await ensureNodeAgent(spy, {
    kubeconfig: "a.kubeconfig",
    operatorKubeconfig: "o.kubeconfig",
    layout,
    projectRoot: ctx.root,
    denoPath: "deno-of-the-test",
    release: "1.6.1",
    python: { interpreter: "/py", dynamoVersion: "1.6.1", pythonVersion: "3.12.1" },
    etcd: ["/cache/etcd"],
    operator: { kind: "stand-in" },
    ...change,
  });
  return { outcome, command: seen?.command ?? [], env: seen?.env ?? {} };
}

Deno.test("the agent is told by a file of mode 0600 and started anew when that changes", async () => {
  await using made = await testContext({
    env: {
      HF_TOKEN: "hf_verysecret1",
      AWS_SECRET_ACCESS_KEY: "s",
      HTTPS_PROXY: "http://u:p@proxy",
    },
  });
  const { ctx } = made;
  const layout = localLayout(ctx);
  try {
    const first = await startAgent(ctx);
    assert.equal(first.outcome, "started");
    assert.deepEqual(first.command.slice(-2), ["--config", agentConfigPath(layout)]);
    assert.ok(first.command.includes("--allow-net=127.0.0.1,localhost"));
    assert.ok(!first.command.includes("--allow-all"));
    const text = JSON.stringify(first.env);
    for (const secret of ["hf_verysecret1", "AWS_SECRET", "u:p@"]) {
      assert.ok(!text.includes(secret));
    }
    assert.equal((await Deno.stat(agentConfigPath(layout))).mode! & 0o777, 0o600);
    assert.equal((await startAgent(ctx)).outcome, "running");
    assert.equal((await startAgent(ctx, { release: "1.5.0" })).outcome, "restarted");
  } finally {
    await stopDaemon(ctx, layout, NODE_AGENT, 500);
  }
  assert.equal(await runningDaemon(ctx, layout, NODE_AGENT), undefined);
});
