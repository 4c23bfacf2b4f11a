/**
 * The terraform program, or OpenTofu in its place: finding it, and its environment.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError } from "../cli/errors.ts";

/** A program that was found. */
export interface TerraformProgram {
  /** Path or name to run. */
  readonly path: string;
  /** Which of the two it is. */
  readonly product: "terraform" | "tofu";
  /** Version without `v`: `1.11.4`. */
  readonly version: string;
}

/** Oldest version that reads our configuration (validations that name other variables). */
export const OLDEST_TERRAFORM = "1.9.0";

/**
 * Oldest versions whose S3 backend locks the state by itself (`use_lockfile`): terraform 1.10,
 * OpenTofu 1.10, from their release notes.
 */
export const OLDEST_FOR_S3_LOCK = "1.10.0";

const HINT = `Install terraform or OpenTofu (tofu) ${OLDEST_TERRAFORM} or newer, ` +
  "or name the program in DYNAMO_TERRAFORM.";

/**
 * Finds the program: `DYNAMO_TERRAFORM`, else `terraform`, else `tofu` on the PATH.
 *
 * @throws {TaskError} TERRAFORM_MISSING or TERRAFORM_OLD (exit code 3).
 */
export async function findTerraform(ctx: Context): Promise<TerraformProgram> {
  const named = ctx.env.get("DYNAMO_TERRAFORM");
  const unfit: string[] = [];
  for (const name of named === undefined ? ["terraform", "tofu"] : [named]) {
    const path = await ctx.processes.which(name);
    if (path === undefined) continue;
    const program = await readVersion(ctx, path);
    if (program === undefined) unfit.push(`${path} does not tell its version`);
    else if (compareVersions(program.version, OLDEST_TERRAFORM) >= 0) return program;
    else unfit.push(`${path} is ${program.product} ${program.version}, which is too old`);
  }
  if (unfit.length > 0) throw preconditionError("TERRAFORM_OLD", unfit.join("; "), HINT);
  throw preconditionError(
    "TERRAFORM_MISSING",
    named === undefined
      ? "Neither terraform nor tofu is on the PATH"
      : `DYNAMO_TERRAFORM is ${named}, and there is no such program`,
    HINT,
  );
}

async function readVersion(ctx: Context, path: string): Promise<TerraformProgram | undefined> {
  const result = await ctx.processes.run(path, ["version"], {
    cwd: "/",
    clearEnv: true,
    env: terraformEnvironment(ctx),
    signal: ctx.signal,
  }).catch((error) => {
    throw preconditionError(
      "TERRAFORM_MISSING",
      `${path} cannot be run: ${messageOf(error)}`,
      HINT,
      error,
    );
  });
  ctx.signal.throwIfAborted();
  const found = /^(Terraform|OpenTofu) v?(\d+\.\d+\.\d+)/m.exec(result.stdout);
  if (found === null) return undefined;
  return {
    path,
    product: found[1] === "OpenTofu" ? "tofu" : "terraform",
    version: found[2]!,
  };
}

/** Negative, zero or positive, by the numbers of two versions. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(".").map(Number));
  for (let at = 0; at < 3; at++) {
    const difference = (left![at] ?? 0) - (right![at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

// Arguments from outside would change what our commands mean, and terraform's own debug log
// shows requests with their signatures. The tokens are for the platform, not for terraform.
const NOT_PASSED =
  /^(TF_CLI_ARGS|TF_LOG|TF_WORKSPACE$|TF_DATA_DIR$|TF_REATTACH|HF_TOKEN$|HUGGING_FACE_HUB_TOKEN$|NGC_API_KEY$|CHART_REPO)/;
const KEYS = /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$/;

/**
 * Variables for the program: ours without what it must not see. A profile that was asked for by
 * name replaces keys in variables, which would win over it otherwise.
 */
export function terraformEnvironment(
  ctx: Pick<Context, "env">,
  profile?: string | undefined,
): Record<string, string> {
  const all = Object.entries(ctx.env.toObject()).filter(([name]) =>
    !NOT_PASSED.test(name) && !(profile !== undefined && KEYS.test(name))
  );
  return {
    ...Object.fromEntries(all),
    ...(profile === undefined ? {} : { AWS_PROFILE: profile }),
    TF_IN_AUTOMATION: "1",
    TF_INPUT: "0",
    CHECKPOINT_DISABLE: "1",
  };
}
