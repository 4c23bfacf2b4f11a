/**
 * Lets an upgrade through, or says why not. Pure.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";
import { EXIT, preconditionError, TaskError } from "../cli/errors.ts";
import type { PlatformState } from "./state.ts";
import { changesBetween, directionOf, understoodVersions } from "./upgrade_path.ts";

/** What the user insists on. */
export interface UpgradeForce {
  /** `--force-upgrade`: even with graphs that may not survive it. */
  readonly forceUpgrade?: boolean | undefined;
  /** `--force-downgrade`: to an older version, which nobody promises to work. */
  readonly forceDowngrade?: boolean | undefined;
}

const MOST_NAMED = 5;

/**
 * Checks the way from the installed version to the wanted one; returns what to know about it.
 *
 * @throws {TaskError} PLATFORM_DOWNGRADE, PLATFORM_UPGRADE_GRAPHS, CRDS_STORED (exit code 3).
 */
export function requireUpgradePath(
  state: Pick<PlatformState, "crds" | "graphs">,
  from: string | undefined,
  request: UpgradeForce & { readonly release: Release },
): string[] {
  const { release } = request;
  requireStoredVersions(state, release);
  if (from === undefined) return [];
  const wanted = release.charts.platform;
  const direction = directionOf(from, wanted);
  if (direction === "same") return [];
  if (direction !== "upgrade") {
    const text = direction === "unknown"
      ? `The installed version "${from}" cannot be compared with ${wanted}`
      : `Dynamo ${from} is installed; ${wanted} is older`;
    if (request.forceDowngrade !== true) {
      throw preconditionError(
        "PLATFORM_DOWNGRADE",
        text,
        "Going back over changed definitions is not promised to work: remove the graphs and the " +
          "platform and install anew, or insist with --force-downgrade.",
      );
    }
    return [`${text}; going on as --force-downgrade says. The definitions are not deleted`];
  }
  const changes = changesBetween(from, wanted);
  requireGraphsSurvive(state, from, request, changes.filter((one) => one.breaksGraphs).length > 0);
  return changes.map(({ since, text }) => `From ${since}: ${text}`);
}

function requireGraphsSurvive(
  state: Pick<PlatformState, "graphs">,
  from: string,
  request: UpgradeForce & { readonly release: Release },
  breaks: boolean,
): void {
  if (!breaks || state.graphs.length === 0 || request.forceUpgrade === true) return;
  const wanted = request.release.charts.platform;
  const names = state.graphs.slice(0, MOST_NAMED).map((one) => `${one.namespace}/${one.name}`);
  const more = state.graphs.length - names.length;
  throw new TaskError({
    code: "PLATFORM_UPGRADE_GRAPHS",
    message: `${state.graphs.length} graph(s) may not survive the upgrade from ${from} to ` +
      `${wanted}: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
    hint: "Remove them (deno task cleanup --graphs), install, and deploy them again; or insist " +
      "with --force-upgrade.",
    exitCode: EXIT.precondition,
    evidence: changesBetween(from, wanted).map(({ since, text }) => `${since}: ${text}`),
  });
}

// The API server refuses a definition that lacks a version in which objects are stored.
function requireStoredVersions(state: Pick<PlatformState, "crds">, release: Release): void {
  const known = understoodVersions(release);
  for (const crd of state.crds) {
    const strange = crd.stored.filter((version) => !known.includes(version));
    if (strange.length === 0) continue;
    throw preconditionError(
      "CRDS_STORED",
      `${crd.name} may hold objects stored as ${strange.join(", ")}, which Dynamo ` +
        `${release.version} does not know`,
      "Stay with 1.2 or later, or remove all graphs and the definitions first " +
        "(deno task cleanup --all).",
    );
  }
}
