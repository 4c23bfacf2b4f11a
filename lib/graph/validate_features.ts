/**
 * Whether a release has the features that a graph uses: engine, LoRA, KV cache offloading, EFA,
 * deployment requests. What is missing is named with the first release that has it.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import { EFA_RESOURCE, efaImageSince } from "./efa.ts";
import { ADAPTER_SOURCES, REQUEST_GPUS, REQUESTS_SINCE } from "./engine_tables.ts";
import { covers, engineTable, settingSupport, versionText } from "./engines.ts";
import { error, type Problem, shown, tooOld, warning } from "./problems.ts";
import { type Component, type Graph, isEngine } from "./types.ts";

/** What the graph as a whole asks of the release. */
export function featureProblems(graph: Graph, release: Release): Problem[] {
  return [
    ...engineProblems(graph, release),
    ...lengthProblems(graph, release),
    ...loraProblems(graph, release),
    ...requestProblems(graph, release),
  ];
}

function engineProblems(graph: Graph, release: Release): Problem[] {
  const { from } = engineTable(graph);
  if (from === undefined || covers({ from }, release)) return [];
  return [tooOld("engine", `"${graph.engine}"`, from, release)];
}

function lengthProblems(graph: Graph, release: Release): Problem[] {
  if (graph.model?.maxLength === undefined || !engineTable(graph).servesModel) return [];
  const support = settingSupport(graph, "maxLength", release);
  if (typeof support === "boolean") return [];
  return [
    tooOld(
      "model.maxLength",
      `${graph.model.maxLength} with ${graph.engine}`,
      support,
      release,
    ),
  ];
}

function loraProblems(graph: Graph, release: Release): Problem[] {
  if (graph.lora === undefined) return [];
  const support = settingSupport(graph, "lora", release);
  if (support === false) {
    return [error("lora", `is a feature that ${graph.engine} does not have in Dynamo: take vllm`)];
  }
  const problems: Problem[] = support === true ? [] : [tooOld("lora", "LoRA", support, release)];
  const names = new Set<string>([graph.model?.servedName ?? graph.model?.id ?? ""]);
  graph.lora.adapters.forEach((adapter, index) => {
    const path = `lora.adapters[${index}]`;
    const scheme = adapter.source.split(":")[0] ?? "";
    const from = ADAPTER_SOURCES[scheme];
    if (from !== undefined && !covers({ from }, release)) {
      problems.push(tooOld(`${path}.source`, `an adapter from ${scheme}://`, from, release));
    }
    if (names.has(adapter.name)) {
      problems.push(
        error(`${path}.name`, `${shown(adapter.name)} is the name of another model or adapter`),
      );
    }
    names.add(adapter.name);
  });
  return problems;
}

function requestProblems(graph: Graph, release: Release): Problem[] {
  const { request } = graph;
  if (request === undefined) return [];
  const problems: Problem[] = [];
  if (!covers({ from: REQUESTS_SINCE }, release)) {
    return [tooOld("request", "a DynamoGraphDeploymentRequest", REQUESTS_SINCE, release)];
  }
  if (graph.components.length > 0) {
    problems.push(error("components", "stand beside a request, which finds out what to run"));
  }
  if (engineTable(graph).framework === undefined || !engineTable(graph).servesModel) {
    problems.push(error("engine", `is ${graph.engine}, which a request cannot ask for`));
  }
  for (
    const [path, given] of [
      ["lora", graph.lora !== undefined],
      ["routing", graph.routing !== undefined],
      ["model.maxLength", graph.model?.maxLength !== undefined],
      ["model.servedName", graph.model?.servedName !== undefined],
      ["env", Object.keys(graph.env).length > 0],
    ] as const
  ) {
    if (given) problems.push(error(path, "has no place in a request, which finds out what to run"));
  }
  const gpu = request.hardware?.gpuSku;
  if (gpu !== undefined) {
    const from = Object.hasOwn(REQUEST_GPUS, gpu.toLowerCase())
      ? REQUEST_GPUS[gpu.toLowerCase()]
      : undefined;
    if (from === undefined) {
      problems.push(error(
        "request.hardware.gpuSku",
        `${shown(gpu)} is not a GPU that Dynamo ${release.version} knows (${
          Object.keys(REQUEST_GPUS).join(", ")
        })`,
        "Leave it out: the operator then looks at the nodes.",
      ));
    } else if (!covers({ from }, release)) {
      problems.push(tooOld("request.hardware.gpuSku", shown(gpu), from, release));
    }
  }
  const { ttft, itl, e2eLatency } = request.sla;
  if (e2eLatency !== undefined && (ttft !== undefined || itl !== undefined)) {
    problems.push(error("request.sla", "has e2eLatency beside ttft or itl: take either"));
  }
  if (e2eLatency === undefined && (ttft === undefined || itl === undefined)) {
    problems.push(error("request.sla", "needs ttft and itl, or e2eLatency"));
  }
  return problems;
}

/** What a component asks of the network. */
export function efaProblems(graph: Graph, component: Component, release: Release): Problem[] {
  if (component.efa === 0) return [];
  if (!isEngine(component)) {
    return [error("efa", `is for components that run the engine, and ${component.name} does not`)];
  }
  if (component.requests[EFA_RESOURCE] ?? component.limits[EFA_RESOURCE]) {
    return [error("efa", `is given a second time as ${EFA_RESOURCE} in resources`)];
  }
  const from = efaImageSince(graph.engine);
  if (component.image === undefined) {
    if (from === undefined) {
      return [error("efa", `${graph.engine} has no image for EFA`, "Give the component an image.")];
    }
    if (!covers({ from }, release)) {
      return [tooOld("efa", `${graph.engine} with an image for EFA`, from, release)];
    }
  }
  if (component.role === "worker") return [];
  return [warning(
    "efa",
    `NIXL moves KV caches between ${component.role} and its partner with UCX unless it is told ` +
      "to take LIBFABRIC, which is faster on EFA",
  )];
}

/** What a component asks of the KV cache's second tier. */
export function offloadProblems(component: Component, release: Release): Problem[] {
  if (component.args.kvOffloadGiB === undefined) return [];
  if (component.role === "prefill" || component.role === "decode") {
    return [error(
      "args.kvOffloadGiB",
      "is for workers that do both prefill and decode: the cache has one connector",
    )];
  }
  if (!atLeast(release, 1, 5)) return [];
  return [warning(
    "args.kvOffloadGiB",
    `uses Dynamo's KV block manager, which is deprecated since ${versionText([1, 5])}`,
  )];
}
