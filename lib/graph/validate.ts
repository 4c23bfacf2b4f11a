/**
 * Whether a graph makes sense, and whether a release can run it. Pure; every check names the
 * value and what would be right.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import { ROUTER_MODES } from "./engine_tables.ts";
import { covers, engineComponents, engineTable, settingSupport } from "./engines.ts";
import { hasVersionTag, parseImage } from "./images.ts";
import { componentNameLength, isDnsLabel, NAME_LIMIT } from "./names.ts";
import { error, type Problem, shown, tooOld, warning } from "./problems.ts";
import { parseQuantity } from "./quantity.ts";
import {
  type Component,
  type EngineSettings,
  type EnvVars,
  type Graph,
  isEngine,
} from "./types.ts";
import { efaProblems, featureProblems, offloadProblems } from "./validate_features.ts";

/** Everything wrong or remarkable about the graph with this release; none when all is well. */
export function validateGraph(graph: Graph, release: Release): Problem[] {
  return newestFirst([
    ...graphProblems(graph, release),
    ...featureProblems(graph, release),
    ...(graph.request === undefined ? pairProblems(graph) : []),
    ...routingProblems(graph, release),
    ...graph.components.flatMap((component, index) =>
      componentProblems(graph, component, release).map((problem) => ({
        ...problem,
        path: `components[${index}].${problem.path}`,
      }))
    ),
  ]);
}

// Of several things that the release lacks the one that comes last says which release to take.
function newestFirst(problems: readonly Problem[]): Problem[] {
  const late = problems.filter((problem) => problem.since !== undefined);
  const others = problems.filter((problem) => problem.since === undefined);
  const rank = ({ since: [major, minor, patch = 0] = [0, 0] }: Problem) =>
    major * 1e6 + minor * 1e3 + patch;
  return [...late.sort((a, b) => rank(b) - rank(a)), ...others];
}

/** Whether a variable's name says that its value is a secret, which does not belong in a manifest. */
export function isSecretName(name: string): boolean {
  return /(^|_)(TOKEN|SECRET|PASSWORD|PASSWD|API_KEY|ACCESS_KEY|ACCESS_KEY_ID|PRIVATE_KEY)$/i.test(
    name,
  );
}

function graphProblems(graph: Graph, release: Release): Problem[] {
  const problems: Problem[] = [];
  if (!isDnsLabel(graph.name)) {
    problems.push(error(
      "name",
      `${shown(graph.name)} is not a name for Kubernetes: lower-case letters, digits and '-', ` +
        `starting with a letter, at most ${NAME_LIMIT}`,
    ));
  }
  const served = engineTable(graph).servesModel;
  if (served && graph.model === undefined) {
    problems.push(error("model", `is missing, and ${graph.engine} has to serve one`));
  }
  if (!served && graph.model !== undefined) {
    problems.push(error("model", `is ${shown(graph.model.id)}, but ${graph.engine} serves none`));
  }
  problems.push(...envProblems("env", graph.env));
  const seen = new Map<string, string>();
  graph.components.forEach((component, index) => {
    const key = component.name.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      problems.push(error(
        `components[${index}].name`,
        `"${component.name}" is there already as "${other}": names differ by more than case`,
      ));
    }
    seen.set(key, component.name);
    const length = componentNameLength(graph.name, component, release);
    if (length > NAME_LIMIT) {
      problems.push(error(
        `components[${index}].name`,
        `the operator's name for ${component.name} of "${graph.name}" has ${length} characters, ` +
          `and Kubernetes takes ${NAME_LIMIT}`,
        "Take a shorter --name.",
      ));
    }
  });
  const mounts = new Set<string>();
  graph.cache.forEach((volume, index) => {
    if (mounts.has(volume.mountPath)) {
      problems.push(error(`cache[${index}].mountPath`, `${volume.mountPath} is used twice`));
    }
    mounts.add(volume.mountPath);
  });
  return problems;
}

function pairProblems(graph: Graph): Problem[] {
  const has = (role: string) => graph.components.some((component) => component.role === role);
  const problems: Problem[] = [];
  for (const [one, other] of [["prefill", "decode"], ["decode", "prefill"]] as const) {
    if (has(one) && !has(other)) {
      problems.push(
        error(
          "components",
          `there is a ${one} component and no ${other} component: they come in pairs`,
        ),
      );
    }
  }
  if (has("worker") && has("prefill")) {
    problems.push(
      error("components", "worker stands beside prefill and decode: a graph has either"),
    );
  }
  const frontends = graph.components.filter((component) => component.role === "frontend");
  if (frontends.length > 1) {
    problems.push(error(
      "components",
      `${
        frontends.map((c) => c.name).join(" and ")
      } are both frontends: take one with more replicas`,
    ));
  }
  if (engineTable(graph).servesModel && frontends.length === 0) {
    problems.push(warning("components", "there is no frontend: nothing answers HTTP requests"));
  }
  return problems;
}

function routingProblems(graph: Graph, release: Release): Problem[] {
  if (graph.routing === undefined) return [];
  const from = ROUTER_MODES[graph.routing];
  if (!covers({ from }, release)) {
    return [tooOld("routing.mode", `"${graph.routing}"`, from, release)];
  }
  if (!graph.components.some((component) => component.role === "frontend")) {
    return [
      error("routing.mode", `is "${graph.routing}", but there is no frontend that could route`),
    ];
  }
  const pods = engineComponents(graph).map((component) => component.replicas);
  if (Math.max(0, ...pods) > 1) return [];
  return [
    warning(
      "routing.mode",
      `is "${graph.routing}", but no component has more than one pod to choose from`,
    ),
  ];
}

function componentProblems(graph: Graph, component: Component, release: Release): Problem[] {
  return [
    ...roleProblems(graph, component),
    ...settingProblems(graph, component, release),
    ...gpuProblems(graph, component, release),
    ...quantityProblems(component),
    ...envProblems("env", component.env),
    ...imageProblems(component, release),
    ...efaProblems(graph, component, release),
    ...offloadProblems(component, release),
  ];
}

function roleProblems(graph: Graph, component: Component): Problem[] {
  if (component.role === "frontend" || component.command !== undefined) return [];
  const roles = Object.keys(engineTable(graph).command);
  if (roles.includes(component.role)) return [];
  return [error(
    "role",
    `is "${component.role}", which ${graph.engine} does not know (it knows frontend, ${
      roles.join(", ")
    })`,
    "Give the component a command of its own, or take another role.",
  )];
}

function settingProblems(graph: Graph, component: Component, release: Release): Problem[] {
  const names = Object.keys(component.args) as (keyof EngineSettings)[];
  if (names.length > 0 && (!isEngine(component) || component.command !== undefined)) {
    return [
      error("args", `are for components that run the engine, and ${component.name} does not`),
    ];
  }
  return names.flatMap((name) => {
    const value = component.args[name];
    if (
      value === false || ((name === "tensorParallel" || name === "pipelineParallel") && value === 1)
    ) {
      return [];
    }
    const support = settingSupport(graph, name, release, component.args);
    if (support === true) return [];
    if (support === false) {
      return [error(`args.${name}`, `is a setting that ${graph.engine} does not have`)];
    }
    return [tooOld(`args.${name}`, `${shown(value)} with ${graph.engine}`, support, release)];
  });
}

function gpuProblems(graph: Graph, component: Component, release: Release): Problem[] {
  const problems: Problem[] = [];
  if (component.nodes > 1 && !atLeast(release, 0, 5)) {
    problems.push(tooOld("nodes", `a model on ${component.nodes} nodes`, [0, 5], release));
  }
  if (!isEngine(component) || !engineTable(graph).servesModel) return problems;
  if (component.gpus === 0 && engineTable(graph).cpuOnly) return problems;
  if (component.gpus === 0) {
    return [...problems, warning("gpus", `is 0, and ${graph.engine} needs a GPU to serve a model`)];
  }
  const { tensorParallel: tensor = 1, pipelineParallel: pipeline = 1 } = component.args;
  const available = component.gpus * component.nodes;
  if (tensor * pipeline === available) return problems;
  const sum = `tensorParallel ${tensor} × pipelineParallel ${pipeline} = ${tensor * pipeline}, ` +
    `but ${component.name} has ${component.gpus} GPU${component.gpus === 1 ? "" : "s"}` +
    (component.nodes > 1 ? ` on each of ${component.nodes} nodes` : "");
  problems.push(
    tensor * pipeline > available
      ? error("gpus", `${sum}: too few`, "Raise --gpus or lower --tensor-parallel.")
      : warning("gpus", `${sum}: some stay unused`, "Raise --tensor-parallel or lower --gpus."),
  );
  return problems;
}

function quantityProblems(component: Component): Problem[] {
  return Object.entries(component.requests).flatMap(([name, text]) => {
    const limit = component.limits[name];
    const wanted = parseQuantity(text);
    const allowed = limit === undefined ? undefined : parseQuantity(limit);
    if (wanted === undefined || allowed === undefined || wanted <= allowed) return [];
    return [error(`resources.requests.${name}`, `is ${text}, more than its limit ${limit}`)];
  });
}

function envProblems(path: string, env: EnvVars): Problem[] {
  return Object.entries(env).flatMap(([name, value]) =>
    typeof value === "string" && value !== "" && isSecretName(name)
      ? [error(
        `${path}.${name}`,
        "looks like a secret, and would be readable in the manifest",
        "Put it into a Secret and write {secret: NAME, key: KEY}.",
      )]
      : []
  );
}

function imageProblems(component: Component, release: Release): Problem[] {
  const image = component.image;
  if (image === undefined) return [];
  if (parseImage(image) === undefined) {
    return [error("image", `${shown(image)} is not an image reference (registry/name:tag)`)];
  }
  if (/(^|\/)vllm-runtime:v?0\.8\.1-cuda13$/.test(image)) {
    return [error("image", `${image} does not start`, "Take 0.8.1 or 0.9.0.")];
  }
  // Operators that check tags have runtimeVersionOverride from 1.4 on; the renderer sets it.
  if (!hasVersionTag(image) && !atLeast(release, 1, 4)) {
    return [warning("image", `${shown(image)} has no version in its tag`)];
  }
  return [];
}
