/**
 * Looks things up in `engine_tables.ts`: command, arguments and working folder of a component.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import {
  type ArgumentRow,
  type Dated,
  ENGINE_TABLES,
  type EngineTable,
  FRONTEND_COMMAND,
  type Setting,
  type Span,
  type Version,
} from "./engine_tables.ts";
import { type Component, type EngineSettings, type Graph, isEngine } from "./types.ts";

/** How a component's main container is started; absent parts are left to the operator. */
export interface Start {
  /** The container's `command`. */
  readonly command?: readonly string[];
  /** The container's `args`. */
  readonly args?: readonly string[];
  /** The container's `workingDir`. */
  readonly workingDir?: string;
}

/** Value of `engineConfig` that starts TensorRT-LLM without a settings file. */
const NO_FILE = "none";

/** The table of the graph's engine. */
export function engineTable(graph: Graph): EngineTable {
  return ENGINE_TABLES[graph.engine];
}

/** What the operator is told about the engine; nothing where it is none of its own. */
export function frameworkOf(graph: Graph): { backendFramework?: string } {
  const { framework } = engineTable(graph);
  return framework === undefined ? {} : { backendFramework: framework };
}

/** How the operator finds the workers that load a model's adapters. */
export function modelReference(
  graph: Graph,
  component: Component,
): { modelRef?: { readonly name: string } } {
  if (graph.lora === undefined || graph.model === undefined || !isEngine(component)) return {};
  return { modelRef: { name: graph.model.id } };
}

/** Whether the release lies in the span. */
export function covers(span: Span, release: Release): boolean {
  const reached = ([major, minor, patch = 0]: Version) => atLeast(release, major, minor, patch);
  return (span.from === undefined || reached(span.from)) &&
    (span.before === undefined || !reached(span.before));
}

/** The value for the release, or undefined when there is none. */
export function datedValue<T>(rows: readonly Dated<T>[], release: Release): T | undefined {
  return rows.find((row) => covers(row, release))?.value;
}

/** `0.5.1` of a version in a table. */
export function versionText([major, minor, patch = 0]: Version): string {
  return `${major}.${minor}.${patch}`;
}

/** Command, arguments and working folder of a component. */
export function startOf(graph: Graph, component: Component, release: Release): Start {
  const table = engineTable(graph);
  const folder = component.workingDir ??
    (component.role === "frontend" ? undefined : datedValue(table.workingDir, release));
  return {
    ...commandOf(graph, component, release),
    ...(folder === undefined ? {} : { workingDir: folder }),
  };
}

function commandOf(graph: Graph, component: Component, release: Release): Start {
  const extra = component.extraArgs;
  if (component.command !== undefined) return started(component.command, extra);
  if (component.role === "frontend") {
    const command = datedValue(FRONTEND_COMMAND, release);
    if (command === undefined && extra.length === 0) return {};
    return started(command ?? ["python3", "-m", "dynamo.frontend"], extra);
  }
  const command = engineTable(graph).command[component.role];
  if (command === undefined) return {};
  return started(command, [...engineArguments(graph, component, release), ...extra]);
}

// The operator keeps its own default arguments behind a command that comes without any.
function started(command: readonly string[], args: readonly string[]): Start {
  return args.length > 0 || command.length < 2
    ? { command, args }
    : { command: command.slice(0, 1), args: command.slice(1) };
}

/** Arguments of a worker by the tables, without the component's own `extraArgs`. */
export function engineArguments(graph: Graph, component: Component, release: Release): string[] {
  const table = engineTable(graph);
  const args: string[] = [];
  for (const row of table.arguments) {
    if (applies(row, graph, component, release)) {
      args.push(...argument(row, graph, component, release));
    }
  }
  const overrides = table.overrides;
  if (overrides !== undefined && covers(overrides, release) && hasEngineConfig(component.args)) {
    const json = overrideObject(table, component.args);
    if (Object.keys(json).length > 0) args.push(overrides.flag, JSON.stringify(json));
  }
  return args;
}

function applies(row: ArgumentRow, graph: Graph, component: Component, release: Release): boolean {
  return covers(row, release) &&
    (row.roles === undefined || row.roles.includes(component.role)) &&
    (row.routing === undefined || row.routing === graph.routing) &&
    (row.when === undefined ||
      settingValue(row.when, graph, component, release) !== undefined) &&
    (row.withoutFile !== true || !hasEngineConfig(component.args));
}

/** Whether TensorRT-LLM reads a settings file, which wins over flags of the same name. */
function hasEngineConfig(settings: EngineSettings): boolean {
  return settings.engineConfig !== NO_FILE;
}

/** The engine's own variables of a worker. */
export function engineVariables(
  graph: Graph,
  component: Component,
  release: Release,
): Record<string, string> {
  const result: Record<string, string> = {};
  if (!isEngine(component) || component.command !== undefined) return result;
  for (const row of engineTable(graph).variables ?? []) {
    if (!covers(row, release)) continue;
    if (row.when !== undefined && settingValue(row.when, graph, component, release) === undefined) {
      continue;
    }
    const value = row.value ??
      (row.setting && settingValue(row.setting, graph, component, release));
    if (value !== undefined) result[row.name] = String(value);
  }
  return result;
}

function argument(
  row: ArgumentRow,
  graph: Graph,
  component: Component,
  release: Release,
): string[] {
  if (row.value !== undefined) return [row.flag, row.value];
  if (row.setting === undefined) return [row.flag];
  const value = settingValue(row.setting, graph, component, release) ??
    (row.otherwise && settingValue(row.otherwise, graph, component, release));
  if (value === undefined || value === false || value === row.unless) return [];
  if (row.setting === "engineConfig" && value === NO_FILE) return [];
  return value === true ? [row.flag] : [row.flag, String(value)];
}

function settingValue(
  setting: Setting,
  graph: Graph,
  component: Component,
  release: Release,
): string | number | boolean | undefined {
  switch (setting) {
    case "model":
      return graph.model?.id;
    case "servedName":
      return graph.model?.servedName;
    case "maxLength":
      return graph.model?.maxLength;
    case "role":
      return component.role;
    case "engineConfigFile": {
      const folder = datedValue(engineTable(graph).configFolder ?? [], release);
      const file = component.role === "worker" ? "agg" : component.role;
      return folder === undefined ? undefined : `${folder}/${file}.yaml`;
    }
    case "tensorParallel":
      return component.args.tensorParallel ?? 1;
    case "lora":
      return graph.lora === undefined ? undefined : true;
    case "loraRank":
      return graph.lora?.maxRank;
    case "loraCount":
      return graph.lora?.maxAdapters;
    default:
      return component.args[setting];
  }
}

function overrideObject(table: EngineTable, settings: EngineSettings): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const { setting, path, unless } of table.overrides?.keys ?? []) {
    const value = settings[setting];
    if (value === undefined || value === unless) continue;
    let at = result;
    for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
    at[path.at(-1)!] = value;
  }
  return result;
}

/**
 * Whether the engine has the setting: `true`, the first release that has it, or `false`.
 * A value that equals the engine's default is not asked about.
 *
 * @param settings those of the component: without a settings file TensorRT-LLM takes flags
 */
export function settingSupport(
  graph: Graph,
  setting: Setting,
  release: Release,
  settings: EngineSettings = {},
): true | Version | false {
  const table = engineTable(graph);
  const file = hasEngineConfig(settings);
  const rows: Span[] = table.arguments.filter((row) =>
    (row.setting === setting || row.when === setting) && (row.withoutFile !== true || !file)
  );
  if (file && table.overrides?.keys.some((key) => key.setting === setting)) {
    rows.push(table.overrides);
  }
  if (rows.some((row) => covers(row, release))) return true;
  return rows.find((row) => row.from !== undefined)?.from ?? false;
}

/** Components that load the model. */
export function engineComponents(graph: Graph): Component[] {
  return graph.components.filter(isEngine);
}
