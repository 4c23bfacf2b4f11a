/**
 * Reads what the user wants: flags, environment, `terraform/blueprint.tfvars`, defaults,
 * in this order of precedence.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError, type TaskError, usageError } from "../cli/errors.ts";
import type { Ui } from "../cli/ui.ts";
import { type HclEntry, type HclValue, parseTfvars, plainValue } from "./hcl_parser.ts";
import { DEFAULT_NODE_POOLS, readNodePools } from "./node_pools.ts";
import {
  knownKeys,
  OTHER_SETTINGS,
  SWITCHES,
  TEXT_SETTINGS,
  type TextSetting,
  type TextSettingName,
} from "./settings.ts";
import { describePlace } from "./source.ts";
import type { Blueprint, Source, Sourced } from "./types.ts";
import {
  boolOf,
  expectedError,
  numberOf,
  objectOf,
  type ReadContext,
  stringOf,
  warnUnknown,
} from "./values.ts";

/** The file below the project's root. */
export const BLUEPRINT_FILE = "terraform/blueprint.tfvars";

/** Options of {@link loadBlueprint}. */
export interface LoadOptions {
  /** Values of flags by their name without dashes: `{ namespace: "demo" }`. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  /** Another file; else the variable DYNAMO_BLUEPRINT, else {@link BLUEPRINT_FILE}. */
  readonly path?: string;
}

/**
 * Reads the blueprint and prints its warnings. Without a file all comes from flags,
 * environment and defaults; a file that was asked for by name must be there.
 *
 * @throws {TaskError} TFVARS_SYNTAX, TFVARS_TYPE, TFVARS_VALUE, TFVARS_MISSING,
 * TFVARS_UNREADABLE (exit code 3), or SETTING_INVALID (2 for a flag, 3 for a variable).
 */
export async function loadBlueprint(ctx: Context, options: LoadOptions = {}): Promise<Blueprint> {
  const found = await readFile(ctx, options.path ?? ctx.env.get("DYNAMO_BLUEPRINT"));
  const read: ReadContext = { file: found?.file ?? BLUEPRINT_FILE, warnings: [] };
  const entries = found === undefined ? [] : parseTfvars(found.file, found.text);
  const known = knownKeys();
  for (const entry of entries) if (!known.includes(entry.key)) warnUnknown(read, entry, known);
  const text = (name: TextSettingName) =>
    textSetting(ctx, read, entries, TEXT_SETTINGS[name], options.flags ?? {});
  const blueprint: Blueprint = {
    ...(found === undefined ? {} : { file: found.file }),
    name: text("name"),
    region: text("region"),
    eksClusterVersion: text("eksClusterVersion"),
    availabilityZonesCount: fromFile(
      read,
      entries,
      OTHER_SETTINGS.availabilityZonesCount,
      2,
      (value, key) => numberOf(read, key, value, { min: 2, max: 6 }),
    ),
    dynamoVersion: text("dynamoVersion"),
    namespace: text("namespace"),
    switches: Object.fromEntries(
      SWITCHES.map((setting) => [
        setting.key,
        fromFile(
          read,
          entries,
          setting,
          setting.default,
          (value, key) => boolOf(read, key, value),
        ),
      ]),
    ),
    clusterAddons: fromFile(
      read,
      entries,
      OTHER_SETTINGS.clusterAddons,
      {},
      (value, key) =>
        Object.fromEntries(
          objectOf(read, key, value).map((addon) => [
            addon.key,
            boolOf(read, `${key}.${addon.key}`, addon.value),
          ]),
        ),
    ),
    nodePools: fromFile(
      read,
      entries,
      OTHER_SETTINGS.nodePools,
      DEFAULT_NODE_POOLS,
      (value) => readNodePools(read, value),
    ),
    warnings: read.warnings,
  };
  sayOnce(ctx.ui, blueprint.warnings);
  return blueprint;
}

/** The blueprint as plain data: `{ name: { value, source } }`, with sources as they are. */
export function blueprintToJson(blueprint: Blueprint): Record<string, unknown> {
  return { ...blueprint };
}

// A task may read its blueprint twice; a person need not read the warnings twice.
const said = new WeakMap<Ui, Set<string>>();

function sayOnce(ui: Ui, warnings: readonly string[]): void {
  const before = said.get(ui) ?? new Set();
  for (const warning of warnings) if (!before.has(warning)) ui.warn(warning);
  said.set(ui, new Set([...before, ...warnings]));
}

async function readFile(
  ctx: Context,
  asked: string | undefined,
): Promise<{ file: string; text: string } | undefined> {
  const path = asked ?? `${ctx.root}/${BLUEPRINT_FILE}`;
  const file = path.startsWith(`${ctx.root}/`) ? path.slice(ctx.root.length + 1) : path;
  try {
    return { file, text: await ctx.fs.readTextFile(path) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw preconditionError(
        "TFVARS_UNREADABLE",
        `${file} cannot be read`,
        "It must be a text file that you may read.",
        error,
      );
    }
    if (asked === undefined) return undefined;
    throw preconditionError(
      "TFVARS_MISSING",
      `There is no blueprint at ${file}`,
      `Correct the path, or leave it out to use ${BLUEPRINT_FILE}.`,
    );
  }
}

function textSetting(
  ctx: Context,
  read: ReadContext,
  entries: readonly HclEntry[],
  setting: TextSetting,
  flags: Readonly<Record<string, string | undefined>>,
): Sourced<string> {
  const flag = setting.flag === undefined ? undefined : flags[setting.flag];
  if (flag !== undefined) {
    return checked(setting, flag, { kind: "flag", name: setting.flag ?? "" });
  }
  const env = setting.env === undefined ? undefined : ctx.env.get(setting.env);
  // The file is looked at even where it is overruled: its mistakes wait for the next run.
  const inFile = fromFile(
    read,
    entries,
    setting,
    setting.default,
    (value, key, source) => checked(setting, stringOf(read, key, value), source).value,
  );
  if (env !== undefined) return checked(setting, env, { kind: "env", name: setting.env ?? "" });
  if (inFile.source.kind === "file") return inFile;
  for (const name of setting.ambient ?? []) {
    const value = ctx.env.get(name);
    if (value !== undefined) return checked(setting, value, { kind: "env", name });
  }
  return inFile;
}

/** The value of a setting or of one of its aliases; the default when it is absent or null. */
function fromFile<T>(
  read: ReadContext,
  entries: readonly HclEntry[],
  setting: { readonly key: string; readonly aliases?: readonly string[] },
  fallback: T,
  convert: (value: HclValue, key: string, source: Source) => T,
): Sourced<T> {
  const names: readonly string[] = [setting.key, ...(setting.aliases ?? [])];
  const found = entries.filter((entry) => names.includes(entry.key) && entry.value.kind !== "null");
  const [first, second] = found;
  if (first === undefined) return { value: fallback, source: { kind: "default" } };
  if (second !== undefined && !sameValue(first.value, second.value)) {
    throw expectedError(
      read,
      second.at,
      `the same value for ${second.key} as for ${first.key} on line ${first.at.line}, found another`,
      "TFVARS_VALUE",
      `Both are names of one setting; keep ${setting.key}.`,
    );
  }
  const source: Source = {
    kind: "file",
    path: read.file,
    line: first.value.at.line,
    column: first.value.at.column,
    key: first.key,
  };
  return { value: convert(first.value, first.key, source), source };
}

function sameValue(a: HclValue, b: HclValue): boolean {
  return JSON.stringify(plainValue(a)) === JSON.stringify(plainValue(b));
}

function checked(setting: TextSetting, value: string, source: Source): Sourced<string> {
  if (setting.pattern?.test(value) ?? true) return { value, source };
  throw invalidSetting(setting, value, source);
}

function invalidSetting(setting: TextSetting, value: string, source: Source): TaskError {
  const message = `${describePlace(source)}: expected ${setting.expected}, found "${value}"`;
  const hint = `It sets ${setting.key}.`;
  if (source.kind === "flag") return usageError("SETTING_INVALID", message, hint);
  return preconditionError(
    source.kind === "file" ? "TFVARS_VALUE" : "SETTING_INVALID",
    message,
    hint,
  );
}
