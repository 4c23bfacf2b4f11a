/**
 * Stages: the order in which the configuration is applied, as data (`terraform/stages.json`).
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError } from "../cli/errors.ts";
import type { PlannedChange } from "./plan_summary.ts";
import { sourceFolder } from "./work_folder.ts";

/** Names of the stages, in order. The last one is the whole configuration. */
export const STAGES = ["vpc", "eks", "addons"] as const;

/** One of {@link STAGES}. */
export type StageName = typeof STAGES[number];

/** A stage. */
export interface Stage {
  /** Name. */
  readonly name: StageName;
  /** What it is, in words. */
  readonly title: string;
  /** Addresses for `-target`; the whole configuration when empty. */
  readonly targets: readonly string[];
}

const TITLES: Readonly<Record<StageName, string>> = {
  vpc: "Network",
  eks: "EKS cluster",
  addons: "Add-ons",
};

/**
 * Reads the stages.
 *
 * @throws {TaskError} TERRAFORM_SOURCES (exit code 3).
 */
export async function readStages(ctx: Context): Promise<Stage[]> {
  const file = `${sourceFolder(ctx)}/stages.json`;
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(await ctx.fs.readTextFile(file));
  } catch (error) {
    throw preconditionError(
      "TERRAFORM_SOURCES",
      `${file} cannot be read: ${messageOf(error)}`,
      "Check out the project again.",
    );
  }
  return STAGES.map((name) => {
    const targets = raw[name];
    if (!Array.isArray(targets) || !targets.every((one) => typeof one === "string")) {
      throw preconditionError(
        "TERRAFORM_SOURCES",
        `${file} has no list of addresses for the stage ${name}`,
        "Check out the project again.",
      );
    }
    return { name, title: TITLES[name], targets };
  });
}

/** Whether a change belongs to a stage by its address. */
export function inStage(stage: Stage, { address }: Pick<PlannedChange, "address">): boolean {
  return stage.targets.length === 0 ||
    stage.targets.some((target) =>
      address === target || address.startsWith(`${target}.`) || address.startsWith(`${target}[`)
    );
}
