/**
 * Starts the node agent: `deno run … lib/local/agent/main.ts --config .dynamo/local/agent.json`.
 * SIGTERM ends it and the processes of all pods.
 *
 * @module
 */
import { defineCommand } from "../../cli/command.ts";
import { type Context, withContext } from "../../cli/context.ts";
import { preconditionError } from "../../cli/errors.ts";
import { readIfThere } from "../../cli/files.ts";
import { runTask } from "../../cli/main.ts";
import type { Ui } from "../../cli/ui.ts";
import { connectKube } from "../../kube/client.ts";
import type { AgentConfig } from "../agent_config.ts";
import { runAgent } from "./agent.ts";

const command = defineCommand({
  name: "node-agent",
  summary: "Run the pods of the embedded cluster (started by deno task install)",
  options: {
    config: {
      kind: "text",
      description: "The agent's configuration",
      placeholder: "file",
      default: ".dynamo/local/agent.json",
    },
  },
  examples: [],
  async run(ctx, { options }) {
    const config = await readConfig(ctx, options.config);
    const dated = withContext(ctx, { ui: datedUi(ctx) });
    const kube = await connectKube(dated, { kubeconfig: config.kubeconfig });
    try {
      await runAgent(dated, kube, config);
    } finally {
      kube.close();
    }
  },
});

/** The terminal is a log: each line says when. */
function datedUi({ ui, clock }: Context): Ui {
  const dated = (say: (text: string) => void) => (text: string) =>
    say(`${new Date(clock.now()).toISOString()} ${text}`);
  return {
    ...ui,
    info: dated(ui.info),
    warn: dated(ui.warn),
    error: dated(ui.error),
    debug: dated(ui.debug),
  };
}

async function readConfig(ctx: Context, path: string): Promise<AgentConfig> {
  const text = await readIfThere(ctx, path);
  if (text === undefined) {
    throw preconditionError(
      "AGENT_CONFIG_MISSING",
      `The node agent's configuration ${path} is not there`,
      "deno task install --target local writes it and starts the agent.",
    );
  }
  try {
    return JSON.parse(text) as AgentConfig;
  } catch (cause) {
    throw preconditionError(
      "AGENT_CONFIG_MALFORMED",
      `The node agent's configuration ${path} is not JSON`,
      "deno task install --target local writes it anew.",
      cause,
    );
  }
}

if (import.meta.main) await runTask(command);
