/**
 * Reads `graph.yaml`: text → checked against `examples/graph.schema.json` → {@link Graph}.
 *
 * @module
 */
import schema from "../../examples/graph.schema.json" with { type: "json" };
import type { Context } from "../cli/context.ts";
import { EXIT, messageOf, preconditionError } from "../cli/errors.ts";
import { type JsonSchema, schemaProblems } from "./json_schema.ts";
import { parsePlainYaml } from "../cli/plain_yaml.ts";
import { error, type Problem, throwProblems } from "./problems.ts";
import type {
  CacheVolume,
  Component,
  EngineName,
  EngineSettings,
  EnvVars,
  Graph,
  LoraSettings,
  ModelSettings,
  PlanningRequest,
  Quantities,
  Role,
  RouterMode,
  Toleration,
} from "./types.ts";

const graphSchema: JsonSchema = schema;

type RawQuantities = Record<string, string | number>;

interface RawComponent {
  name: string;
  role: Role;
  replicas?: number;
  gpus?: number;
  efa?: number;
  nodes?: number;
  nodePool?: string;
  instanceType?: string;
  tolerations?: Toleration[];
  resources?: { requests?: RawQuantities; limits?: RawQuantities };
  sharedMemory?: string | number;
  env?: EnvVars;
  args?: EngineSettings;
  extraArgs?: string[];
  image?: string;
  command?: string[];
  workingDir?: string;
}

interface RawGraph {
  name: string;
  description: string;
  stage?: "stable" | "beta";
  engine: EngineName;
  model?: ModelSettings;
  routing?: { mode: RouterMode };
  secrets?: { huggingFace?: string };
  cache?: (Omit<CacheVolume, "size" | "accessMode"> & {
    size?: string | number;
    accessMode?: CacheVolume["accessMode"];
  })[];
  env?: EnvVars;
  lora?: LoraSettings;
  request?: PlanningRequest;
  components?: RawComponent[];
}

/**
 * Reads the text of a `graph.yaml`.
 *
 * @param file name for messages
 * @throws {TaskError} GRAPH_SYNTAX or GRAPH_INVALID (exit code 3) with file, path, value and
 * what was expected.
 */
export function parseGraph(text: string, file: string): Graph {
  let value: unknown;
  try {
    value = parsePlainYaml(text);
  } catch (error) {
    throw preconditionError(
      "GRAPH_SYNTAX",
      `${file} is not YAML: ${messageOf(error)}`,
      undefined,
      error,
    );
  }
  throwProblems([...schemaProblems(graphSchema, value), ...emptyProblems(value)], {
    code: "GRAPH_INVALID",
    subject: file,
    exitCode: EXIT.precondition,
    hint: "examples/README.md describes the file; examples/graph.schema.json checks it in editors.",
  });
  return toGraph(value as RawGraph, file);
}

// A graph says what runs, or asks a planner to find it out.
function emptyProblems(value: unknown): Problem[] {
  if (typeof value !== "object" || value === null) return [];
  const { components, request } = value as Partial<RawGraph>;
  if (request !== undefined) return [];
  if (components === undefined) return [error("components", "is missing, and must be a list")];
  if (!Array.isArray(components) || components.length > 0) return [];
  return [error("components", "has 0 entries, and must have at least 1")];
}

/**
 * Reads a `graph.yaml`.
 *
 * @param shownAs name for messages, the path unless given
 * @throws {TaskError} as {@link parseGraph}, and GRAPH_MISSING (exit code 3) when there is no file.
 */
export async function loadGraphFile(
  ctx: Pick<Context, "fs">,
  path: string,
  shownAs: string = path,
): Promise<Graph> {
  let text: string;
  try {
    text = await ctx.fs.readTextFile(path);
  } catch (error) {
    throw preconditionError(
      "GRAPH_MISSING",
      `${shownAs} cannot be read: ${messageOf(error)}`,
      undefined,
      error,
    );
  }
  return parseGraph(text, shownAs);
}

function toGraph(raw: RawGraph, source: string): Graph {
  return {
    name: raw.name,
    description: raw.description,
    stage: raw.stage ?? "stable",
    engine: raw.engine,
    ...given("model", raw.model),
    ...given("routing", raw.routing?.mode),
    ...given("tokenSecret", raw.secrets?.huggingFace),
    cache: (raw.cache ?? []).map((volume) => ({
      claim: volume.claim,
      mountPath: volume.mountPath,
      ...given("size", text(volume.size)),
      ...given("storageClass", volume.storageClass),
      accessMode: volume.accessMode ?? "ReadWriteMany",
    })),
    env: raw.env ?? {},
    ...given("lora", raw.lora),
    ...given("request", raw.request),
    components: (raw.components ?? []).map(toComponent),
    source,
  };
}

function toComponent(raw: RawComponent): Component {
  return {
    name: raw.name,
    role: raw.role,
    replicas: raw.replicas ?? 1,
    gpus: raw.gpus ?? 0,
    efa: raw.efa ?? 0,
    nodes: raw.nodes ?? 1,
    ...given("nodePool", raw.nodePool),
    ...given("instanceType", raw.instanceType),
    tolerations: raw.tolerations ?? [],
    requests: quantities(raw.resources?.requests),
    limits: quantities(raw.resources?.limits),
    ...given("sharedMemory", text(raw.sharedMemory)),
    env: raw.env ?? {},
    args: raw.args ?? {},
    extraArgs: raw.extraArgs ?? [],
    ...given("image", raw.image),
    ...given("command", raw.command),
    ...given("workingDir", raw.workingDir),
  };
}

function given<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : { [key]: value } as Record<K, T>;
}

function text(value: string | number | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function quantities(raw: RawQuantities = {}): Quantities {
  return Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, String(value)]));
}
