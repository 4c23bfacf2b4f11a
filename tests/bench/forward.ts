/**
 * `deno task bench:forward`: a port-forward of this project beside that of stock kubectl, to the
 * same pod of an embedded cluster.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { defineCommand } from "../../lib/cli/command.ts";
import type { Context } from "../../lib/cli/context.ts";
import { EXIT, preconditionError, usageError } from "../../lib/cli/errors.ts";
import { runTask } from "../../lib/cli/main.ts";
import { alignColumns } from "../../lib/cli/text.ts";
import { withCluster } from "../integration/cluster.ts";
import { kubectlPath } from "../support/kubectl.ts";
import { type KwokPod, withKwokPod } from "../support/kwok_pod.ts";
import { askOnce, FORWARD_CASES, type ForwardCase } from "./forward_cases.ts";

const command = defineCommand({
  name: "bench:forward",
  summary: "Measure port-forwards beside kubectl's",
  description:
    "Both lead to the same pod of an embedded cluster, each from a process of its own, " +
    "in turn. Figures are medians over the repetitions. Leave the machine alone meanwhile. Exit " +
    "code 1 when a figure misses its limit.",
  args: [{ name: "case", description: "Run only this one, for example down-1 or many" }],
  options: {
    repetitions: { kind: "integer", min: 1, max: 100, default: 5, description: "Runs of a case" },
    connections: {
      kind: "integer",
      min: 100,
      max: 1_000_000,
      default: 10_000,
      description: "Connections one after another, 16 at once, between which memory must not grow",
    },
    output: {
      kind: "text",
      choices: ["text", "json"],
      default: "text",
      placeholder: "format",
      description: "text or json",
    },
  },
  examples: [{ command: "bench:forward", text: "All cases: about three minutes" }],
  async run(ctx, { options, args }) {
    const cases = FORWARD_CASES.filter(({ id }) => args[0] === undefined || args[0] === id);
    const many = args[0] === undefined || args[0] === MANY;
    if (cases.length === 0 && !many) {
      throw usageError(
        "CASE_UNKNOWN",
        `No case is called "${args[0]}"`,
        `Cases: ${[...FORWARD_CASES.map(({ id }) => id), MANY].join(", ")}.`,
      );
    }
    const rows: Row[] = [];
    await withBoth(ctx, async (ours, theirs) => {
      for (const each of cases) rows.push(await compare(ctx, each, [ours, theirs], options));
      if (many) rows.push(...await growth(ctx, [ours, theirs], options.connections));
    });
    ctx.ui.out(options.output === "json" ? JSON.stringify(rows, null, 2) : table(rows));
    return rows.every((row) => row.holds) ? EXIT.ok : EXIT.failed;
  },
});

const MANY = "many";
// V8 takes memory until it has seen some thousand connections, and keeps it; after as many to warm
// up, a leak of 2 KiB a connection is more than this.
const MOST_GROWTH_MIB = 16;

interface Row {
  readonly case: string;
  readonly figure: string;
  readonly ours: number;
  readonly kubectl: number;
  /** Ours over kubectl's. */
  readonly ratio: number;
  readonly limit: string;
  readonly holds: boolean;
}

/** A port-forward that runs. */
interface Side {
  readonly port: number;
  readonly pid: number;
}

type Both = readonly [Side, Side];

async function compare(
  ctx: Context,
  each: ForwardCase,
  sides: Both,
  { repetitions }: { readonly repetitions: number },
): Promise<Row> {
  const figures: [number[], number[]] = [[], []];
  for (const side of [0, 1] as const) await each.measure(sides[side].port);
  for (let round = 0; round < repetitions; round++) {
    ctx.signal.throwIfAborted();
    ctx.ui.info(`${each.figure} (${round + 1} of ${repetitions})`);
    const order = round % 2 === 0 ? [0, 1] as const : [1, 0] as const;
    for (const side of order) figures[side].push(await each.measure(sides[side].port));
  }
  const [ours, kubectl] = [median(figures[0]), median(figures[1])];
  const { id, figure, limit } = each;
  const holds = each.holds(ours, kubectl);
  return { case: id, figure, ours, kubectl, ratio: ours / kubectl, limit, holds };
}

/** Memory after so many connections and after as many more, and how fast they were. */
async function growth(ctx: Context, sides: Both, connections: number): Promise<Row[]> {
  const grown: number[] = [];
  const rates: number[] = [];
  for (const { port, pid } of sides) {
    ctx.ui.info(`${connections} connections`);
    const started = performance.now();
    await connect(ctx, port, connections);
    const before = await residentMib(pid);
    await connect(ctx, port, connections);
    grown.push(await residentMib(pid) - before);
    rates.push(2 * connections / ((performance.now() - started) / 1000));
  }
  const row = (figure: string, [ours, kubectl]: number[], limit: string, holds: boolean): Row => ({
    case: MANY,
    figure,
    ours: ours!,
    kubectl: kubectl!,
    ratio: ours! / kubectl!,
    limit,
    holds,
  });
  return [
    row(
      `memory more after ${connections} connections, warmed up by as many, MiB`,
      grown,
      `≤ ${MOST_GROWTH_MIB}`,
      grown[0]! <= MOST_GROWTH_MIB,
    ),
    row("connections a second, 16 at once", rates, "", true),
  ];
}

async function connect(ctx: Context, port: number, count: number): Promise<void> {
  let made = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (made++ < count) {
      ctx.signal.throwIfAborted();
      await askOnce(port);
    }
  }));
}

async function residentMib(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "rss=", "-p", String(pid)] })
    .output();
  return Number(new TextDecoder().decode(stdout)) / 1024;
}

/** Runs `body` with both port-forwards to one pod. */
async function withBoth(
  ctx: Context,
  body: (ours: Side, kubectl: Side) => Promise<void>,
): Promise<void> {
  const program = await kubectlPath(ctx);
  if (typeof program !== "string") {
    throw preconditionError("KUBECTL_MISSING", `There is no kubectl: ${program.reason}`);
  }
  let ran = false;
  await withCluster(async ({ kube, cluster, namespace }) => {
    const { kubeconfig } = cluster.layout;
    await using server = await started(denoProcess("forward_pod.ts"));
    await withKwokPod(kube, namespace, { 8000: server.port }, async (pod) => {
      await using ours = await started(
        denoProcess("forward_process.ts", kubeconfig, namespace, pod.name, "8000"),
      );
      await using theirs = await started(kubectl(program, kubeconfig, pod));
      await body(ours, theirs);
      ran = true;
    });
  });
  if (!ran) {
    throw preconditionError("CLUSTER_MISSING", "There is no embedded cluster to measure on");
  }
}

function denoProcess(file: string, ...args: string[]): Deno.Command {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", "--allow-all", path, ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  });
}

function kubectl(program: string, kubeconfig: string, { namespace, name }: KwokPod): Deno.Command {
  return new Deno.Command(program, {
    args: ["--kubeconfig", kubeconfig, "-n", namespace, "port-forward", `pod/${name}`, ":8000"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  });
}

/** Starts a process that prints its port; disposing ends it. */
async function started(command: Deno.Command): Promise<Side & AsyncDisposable> {
  const process = command.spawn();
  const told = Promise.withResolvers<number>();
  const reading = (async () => {
    let text = "";
    for await (const part of process.stdout.pipeThrough(new TextDecoderStream())) {
      // kubectl says something of each connection.
      if (text.includes("\n")) continue;
      text += part;
      const port = /^(?:Forwarding from 127\.0\.0\.1:)?(\d+)(?: -> 8000)?\n/m.exec(text)?.[1];
      if (port !== undefined) told.resolve(Number(port));
    }
    told.reject(new Error("A process of the measurement ended before it listened"));
  })();
  const port = await told.promise;
  return {
    port,
    pid: process.pid,
    async [Symbol.asyncDispose]() {
      await process.stdin.close();
      try {
        process.kill("SIGTERM");
      } catch {
        // It has ended with its input.
      }
      await Promise.all([process.status, reading]);
    },
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function table(rows: readonly Row[]): string {
  const text = (value: number) => value.toFixed(Math.abs(value) < 100 ? 2 : 0);
  const cells = [
    ["case", "figure", "ours", "kubectl", "ours/kubectl", "limit", ""],
    ...rows.map((row) => [
      row.case,
      row.figure,
      text(row.ours),
      text(row.kubectl),
      text(row.ratio),
      row.limit,
      row.limit === "" ? "" : row.holds ? "holds" : "MISSED",
    ]),
  ];
  return alignColumns(cells).join("\n");
}

if (import.meta.main) await runTask(command);
