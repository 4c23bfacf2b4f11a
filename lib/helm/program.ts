/**
 * The helm program: finding it, and running it without secrets in its arguments.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError, TaskError } from "../cli/errors.ts";

/** A helm program that was found. */
export interface HelmProgram {
  /** Path or name to run. */
  readonly path: string;
  /** Version without `v`: `4.1.4`. */
  readonly version: string;
}

/** Which cluster helm works on. Both are names of things, never credentials. */
export interface HelmTarget {
  /** Path of the kubeconfig file; the user's own when absent. */
  readonly kubeconfig?: string | undefined;
  /** Context in it; the current one when absent. */
  readonly context?: string | undefined;
}

/** Options of {@link runHelm}. */
export interface RunHelmOptions {
  /** Cluster; helm's commands without a cluster need none. */
  readonly target?: HelmTarget;
  /** Namespace of the release. */
  readonly namespace?: string;
  /** Told each line that helm writes. */
  readonly onLine?: (line: string) => void;
}

// --labels came with 3.13; the release's labels say which releases are ours.
const OLDEST = [3, 13] as const;
const EVIDENCE_LINES = 12;
// Helm would take these in place of what the arguments say, or leave secrets in its children.
const NOT_PASSED = /^(HELM_(KUBE|NAMESPACE|DEBUG|DRIVER|BURST)|HF_TOKEN$|NGC_API_KEY$|CHART_REPO)/;

/**
 * Finds helm: `DYNAMO_HELM` or `helm` on the PATH.
 *
 * @throws {TaskError} HELM_MISSING or HELM_OLD (exit code 3).
 */
export async function findHelm(ctx: Context): Promise<HelmProgram> {
  const name = ctx.env.get("DYNAMO_HELM") ?? "helm";
  const hint =
    "Install Helm 3.13 or newer (helm.sh/docs/intro/install), or name it in DYNAMO_HELM.";
  const path = await ctx.processes.which(name);
  if (path === undefined) {
    throw preconditionError("HELM_MISSING", `There is no program ${name}`, hint);
  }
  const args = ["version", "--template", "{{.Version}}"];
  const result = await ctx.processes.run(path, args, {
    clearEnv: true,
    env: helmEnvironment(ctx),
    signal: ctx.signal,
  });
  const match = /^v?((\d+)\.(\d+)\.\S+)/.exec(result.stdout.trim());
  if (result.code !== 0 || match === null) {
    throw preconditionError("HELM_MISSING", `${path} does not say which version it is`, hint);
  }
  const [major, minor] = [Number(match[2]), Number(match[3])];
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw preconditionError("HELM_OLD", `${path} is Helm ${match[1]}, which is too old`, hint);
  }
  return { path, version: match[1]! };
}

/**
 * Runs helm and returns what it wrote to stdout. Values and credentials go through files:
 * nothing secret may be in `args`.
 *
 * @throws {TaskError} HELM_FAILED with helm's last lines.
 */
export async function runHelm(
  ctx: Context,
  helm: HelmProgram,
  args: readonly string[],
  options: RunHelmOptions = {},
): Promise<string> {
  const place = [
    ...(options.namespace === undefined ? [] : ["--namespace", options.namespace]),
    ...(options.target?.kubeconfig === undefined
      ? []
      : ["--kubeconfig", options.target.kubeconfig]),
    ...(options.target?.context === undefined ? [] : ["--kube-context", options.target.context]),
  ];
  const result = await ctx.processes.run(helm.path, [...args, ...place], {
    clearEnv: true,
    env: helmEnvironment(ctx),
    signal: ctx.signal,
    onLine: (line) => {
      ctx.ui.debug(line);
      options.onLine?.(line);
    },
  });
  ctx.signal.throwIfAborted();
  if (result.code === 0) return result.stdout;
  const lines = result.stderr.split("\n").map((line) => line.trimEnd()).filter(Boolean);
  const reason = lines.findLast((line) => line.startsWith("Error:")) ?? lines.at(-1) ?? "";
  throw new TaskError({
    code: "HELM_FAILED",
    message: `helm ${args[0]} ${args[1] ?? ""} failed: ${
      reason.replace(/^Error:\s*/, "") || `exit code ${result.code}`
    }`,
    hint: "Run the task again when the cause is gone; what is installed already stays.",
    evidence: lines.filter((line) => line !== reason).slice(-EVIDENCE_LINES),
  });
}

function helmEnvironment(ctx: Context): Record<string, string> {
  const all = Object.entries(ctx.env.toObject()).filter(([name]) => !NOT_PASSED.test(name));
  // Releases are read from Secrets here, so that is where helm has to keep them.
  return { ...Object.fromEntries(all), HELM_DRIVER: "secret" };
}
