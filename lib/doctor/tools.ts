/**
 * Programs that must be on this machine.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { findHelm } from "../helm/program.ts";
import { findPrograms, requireProgramSource } from "../local/binaries/programs.ts";
import { findInterpreter } from "../local/python/interpreter.ts";
import { findRuntime } from "../local/python/runtime.ts";
import { runtimeFor } from "../local/python/runtime_versions.ts";
import { findTerraform } from "../terraform/program.ts";
import { type Check, type Finding, ok, warn } from "./types.ts";

/** A version of a program: `1.11.4`; undefined when the program is not there. */
async function versionOf(
  ctx: Context,
  program: string,
  args: readonly string[],
): Promise<string | undefined> {
  let text: string;
  try {
    // terraform would ask the network for updates.
    const env = { CHECKPOINT_DISABLE: "1" };
    const result = await ctx.processes.run(program, args, { cwd: "/", env, signal: ctx.signal });
    text = `${result.stdout}\n${result.stderr}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const found = /v?(\d+\.\d+\.\d+)/.exec(text);
  if (found === null) throw new Error(`${program} does not tell its version`);
  return found[1];
}

/** terraform, or OpenTofu in its place. */
export const terraformCheck: Check = {
  id: "terraform",
  title: "terraform or OpenTofu",
  targets: ["eks"],
  quick: true,
  deadlineMs: 15_000,
  async run({ ctx }) {
    const { path, product, version } = await findTerraform(ctx);
    return ok(`${product} ${version} (${path})`);
  },
};

/** Helm, for the platform's charts. */
export const helmCheck: Check = {
  id: "helm",
  title: "Helm",
  targets: ["eks", "context"],
  quick: true,
  deadlineMs: 15_000,
  async run({ ctx, kind, blueprint }) {
    try {
      const { path, version } = await findHelm(ctx);
      return ok(`${path} ${version}`);
    } catch (error) {
      // Argo CD renders charts itself; on a cluster of the user's it may not be there.
      const without = kind === "eks" && blueprint.switches["enable_argocd"]?.value === true;
      if (!without || !(error instanceof TaskError)) throw error;
      return warn(`${error.message}; Argo CD (enable_argocd) does without it`, error.hint ?? "");
    }
  },
};

/** kubectl: nothing of ours needs it, people do. */
export const kubectlCheck: Check = {
  id: "kubectl",
  title: "kubectl",
  targets: ["local", "eks", "context"],
  quick: false,
  deadlineMs: 15_000,
  async run({ ctx }) {
    const version = await versionOf(ctx, "kubectl", ["version", "--client"]);
    return version === undefined
      ? ok("not on the PATH; the tasks do without it")
      : ok(`kubectl ${version}`);
  },
};

/** Control plane of the embedded cluster: there, or there is a way to get it. */
export const programsCheck: Check = {
  id: "control-plane",
  title: "Kubernetes' programs",
  targets: ["local"],
  quick: false,
  deadlineMs: 30_000,
  async run({ ctx }) {
    if (await findPrograms(ctx) !== undefined) return ok("in the cache");
    await requireProgramSource(ctx);
    return ok("not in the cache yet; they can be built or downloaded (minutes, once)");
  },
};

/** Python for Dynamo's own programs on the embedded cluster. */
export const pythonCheck: Check = {
  id: "python",
  title: "Python",
  targets: ["local"],
  quick: false,
  deadlineMs: 30_000,
  async run({ ctx, release }) {
    const { dynamoVersion, exact } = runtimeFor(release);
    const stands = exact ? "" : `; Dynamo ${dynamoVersion} stands for ${release.version}`;
    if (await findRuntime(ctx, dynamoVersion) !== undefined) {
      return ok(`Dynamo ${dynamoVersion} for Python is in the cache${stands}`);
    }
    const { path, version } = await findInterpreter(ctx, dynamoVersion);
    return ok(`Python ${version} (${path}) can run it${stands}`);
  },
};

/** System and processor. */
export const platformCheck: Check = {
  id: "machine",
  title: "This machine",
  targets: ["local"],
  quick: true,
  deadlineMs: 5_000,
  run({ ctx }): Promise<Finding> {
    const { os, arch } = ctx.platform;
    const what = `${os} on ${arch}`;
    return Promise.resolve(
      os === "linux"
        ? ok(what)
        : warn(what, "The embedded cluster is made for Linux; use a virtual machine or container."),
    );
  },
};
