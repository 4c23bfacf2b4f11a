/**
 * Steps that bring up the embedded cluster with Dynamo's platform on it.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import type { Step } from "../cli/plan.ts";
import { connectKube } from "../kube/client.ts";
import type { Kube } from "../kube/types.ts";
import type { OperatorChoice, PythonRuntime } from "./agent_config.ts";
import {
  describePrograms,
  findPrograms,
  preparePrograms,
  type Programs,
  programsFolder,
  requireProgramSource,
} from "./binaries/programs.ts";
import { clusterState, type RunningCluster, startCluster } from "./cluster.ts";
import { runningDaemon } from "./daemon.ts";
import { kubeconfigPath } from "./kubeconfig.ts";
import { localLayout } from "./layout.ts";
import { ensureNodeAgent, NODE_AGENT, waitForPlatform } from "./node_agent.ts";
import { describeNodePools } from "./node_catalogue.ts";
import { ensureNodes } from "./nodes.ts";
import { applyPlatform } from "./operator/platform.ts";
import { findInterpreter } from "./python/interpreter.ts";
import { findRuntime, prepareRuntime, pythonFolder } from "./python/runtime.ts";
import { runtimeFor } from "./python/runtime_versions.ts";
import { readState, writeState } from "./state.ts";
import { retractReadiness } from "./stale_pods.ts";
import { requireSupportedPlatform } from "./supported.ts";

/** What to install. */
export interface LocalInstallOptions {
  /** Dynamo version and what it needs. */
  readonly release: Release;
  /** Namespace of the platform. */
  readonly namespace: string;
  /** The stand-in, or a real operator's program. */
  readonly operator: OperatorChoice;
}

/** What earlier steps leave for later ones. */
interface Prepared {
  python: PythonRuntime | undefined;
  programs: Programs | undefined;
  cluster: RunningCluster | undefined;
}

const MINUTE = 60_000;

/**
 * The steps in order: Python packages, programs, control plane, nodes, platform, node agent.
 * What is missing of the machine is found here, before any of them runs. Each step looks at
 * the real state, so running them twice costs a second and changes nothing.
 *
 * @throws {TaskError} LOCAL_PLATFORM, OPERATOR_FILE, PYTHON_MISSING, PYTHON_UNUSABLE,
 * GO_MISSING or GO_OLD (exit code 3).
 */
export async function localInstallSteps(
  ctx: Context,
  options: LocalInstallOptions,
): Promise<Step[]> {
  requireSupportedPlatform(ctx);
  await requireOperatorFile(ctx, options.operator);
  const { dynamoVersion } = runtimeFor(options.release);
  const prepared: Prepared = {
    python: await findRuntime(ctx, dynamoVersion),
    programs: await findPrograms(ctx),
    cluster: undefined,
  };
  if (prepared.python === undefined) await findInterpreter(ctx, dynamoVersion);
  if (prepared.programs === undefined) await requireProgramSource(ctx);
  return [
    pythonStep(ctx, options, prepared),
    programsStep(ctx, prepared),
    await controlPlaneStep(ctx, prepared),
    nodesStep(prepared),
    platformStep(options, prepared),
    nodeAgentStep(ctx, options, prepared),
  ];
}

/** What a person should know about the embedded cluster, for the plan's warnings and the summary. */
export function localNotices(options: Pick<LocalInstallOptions, "release" | "operator">): string[] {
  const { dynamoVersion, exact } = runtimeFor(options.release);
  const operator = options.operator.kind === "binary"
    ? `The operator is the program ${options.operator.path}`
    : "The operator is this project's stand-in, not NVIDIA's";
  return [
    "GPUs are simulated, and engines are Dynamo's mocker: answers are random words",
    operator,
    ...(exact ? [] : [
      `Dynamo ${options.release.version} is stood for by the Python packages of ${dynamoVersion}`,
    ]),
  ];
}

async function requireOperatorFile(ctx: Context, operator: OperatorChoice): Promise<void> {
  if (operator.kind !== "binary") return;
  const info = await ctx.fs.stat(operator.path).catch(() => undefined);
  if (info?.isFile && ((info.mode ?? 0o111) & 0o111) !== 0) return;
  throw preconditionError(
    "OPERATOR_FILE",
    `--operator ${operator.path} is ${info === undefined ? "not there" : "no program"}`,
    "Give the path of an operator program for this machine, or leave --operator out.",
  );
}

function pythonStep(ctx: Context, { release }: LocalInstallOptions, prepared: Prepared): Step {
  const { dynamoVersion } = runtimeFor(release);
  return {
    id: "python",
    title: `Python packages of Dynamo ${dynamoVersion}`,
    touches: [pythonFolder(ctx)],
    deadlineMs: 15 * MINUTE,
    skip: prepared.python === undefined ? undefined : "in the cache",
    run: async (stepCtx, ui) => {
      prepared.python = await prepareRuntime(stepCtx, ui, dynamoVersion);
      return `for Python ${prepared.python.pythonVersion}`;
    },
  };
}

function programsStep(ctx: Context, prepared: Prepared): Step {
  return {
    id: "programs",
    title: "Kubernetes programs: etcd, API server, controllers, scheduler, kwok",
    touches: [programsFolder(ctx)],
    deadlineMs: 45 * MINUTE,
    skip: prepared.programs === undefined ? undefined : "in the cache",
    run: async (stepCtx, ui) => {
      prepared.programs = await preparePrograms(stepCtx, ui);
      return describePrograms(prepared.programs);
    },
  };
}

async function controlPlaneStep(ctx: Context, prepared: Prepared): Promise<Step> {
  const layout = localLayout(ctx);
  const before = await clusterState(ctx);
  return {
    id: "control-plane",
    title: before === "running" ? "Control plane" : "Start the control plane",
    touches: [
      "processes etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok",
      "two free ports on 127.0.0.1",
      layout.root,
      layout.kubeconfig,
    ],
    deadlineMs: 4 * MINUTE,
    run: async (stepCtx, ui) => {
      const cluster = await startCluster(stepCtx, needed(prepared.programs), ui);
      prepared.cluster = cluster;
      const outcomes = Object.entries(cluster.outcomes);
      const begun = outcomes.filter(([, outcome]) => outcome !== "running").map(([name]) => name);
      const where = cluster.access.server;
      if (begun.length === 0) return `was running at ${where}`;
      if (begun.length === outcomes.length) return `at ${where}`;
      return `at ${where}, started ${begun.join(", ")}`;
    },
  };
}

function nodesStep(prepared: Prepared): Step {
  return {
    id: "nodes",
    title: "Simulated nodes",
    touches: describeNodePools(),
    deadlineMs: MINUTE,
    run: async (ctx, ui) => {
      const { kubernetes } = needed(prepared.programs).versions;
      await withKube(ctx, prepared, (kube) => ensureNodes(ctx, kube, kubernetes, ui));
      return describeNodePools().join(", ");
    },
  };
}

function platformStep(options: LocalInstallOptions, prepared: Prepared): Step {
  return {
    id: "platform",
    title: `Dynamo platform ${options.release.version}`,
    touches: [`namespace ${options.namespace}`, "Dynamo's CRDs", "the operator's objects"],
    deadlineMs: 2 * MINUTE,
    run: async (ctx) => {
      await withKube(ctx, prepared, (kube) => applyPlatform(ctx, kube, options));
    },
  };
}

function nodeAgentStep(root: Context, options: LocalInstallOptions, prepared: Prepared): Step {
  return {
    id: "node-agent",
    title: "Node agent and operator",
    touches: ["process node-agent", "process of the operator"],
    deadlineMs: 2 * MINUTE,
    run: async (ctx, ui) => {
      const { layout, programs } = needed(prepared.cluster);
      if (await runningDaemon(ctx, layout, NODE_AGENT) === undefined) {
        await withKube(ctx, prepared, (kube) => retractReadiness(ctx, kube, layout));
      }
      const outcome = await ensureNodeAgent(ctx, {
        kubeconfig: kubeconfigPath(layout, "node-agent"),
        operatorKubeconfig: kubeconfigPath(layout, "operator"),
        layout,
        projectRoot: root.root,
        denoPath: ctx.processes.denoPath,
        release: options.release.version,
        python: needed(prepared.python),
        etcd: programs.commands.etcd,
        operator: options.operator,
      });
      const { release, namespace } = options;
      await withKube(
        ctx,
        prepared,
        (kube) => waitForPlatform(ctx, kube, layout, { release, namespace, onWait: ui.update }),
      );
      await noteInstalled(ctx, options);
      return outcome === "running" ? "were running" : undefined;
    },
  };
}

async function noteInstalled(ctx: Context, options: LocalInstallOptions): Promise<void> {
  const layout = localLayout(ctx);
  const state = await readState(ctx, layout);
  if (state === undefined) return;
  const { release, namespace, operator } = options;
  const installed = { release: release.version, namespace, operator };
  if (JSON.stringify(state.installed) === JSON.stringify(installed)) return;
  await writeState(ctx, layout, { ...state, installed });
}

async function withKube<T>(
  ctx: Context,
  prepared: Prepared,
  body: (kube: Kube) => Promise<T>,
): Promise<T> {
  const kube = await connectKube(ctx, { kubeconfig: needed(prepared.cluster).layout.kubeconfig });
  try {
    return await body(kube);
  } finally {
    kube.close();
  }
}

// Steps run in order; one that is skipped has left its result already.
function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a step ran before the one it builds on");
  return value;
}
