/**
 * What a deployed graph can do, read from what its components are told. Pure.
 *
 * @module
 */
import type { KubeObject } from "../kube/types.ts";
import type { ServedTraits } from "../serving/check_world.ts";
import { type WantedComponent, wantedComponents } from "./graph_state.ts";

/** Where the graph runs. */
export interface TraitsOptions {
  /** Dynamo's release, such as `1.6.1`. */
  readonly release: string;
  /** Whether the target plays all engines with Dynamo's mocker, as the embedded cluster does. */
  readonly simulated: boolean;
  /** Names of the LoRA adapters that belong to it. */
  readonly adapters: readonly string[];
}

/** Reads them from the graph's object, in either API version. */
export function servedTraits(graph: KubeObject, options: TraitsOptions): ServedTraits {
  const components = wantedComponents(graph).map((component) => ({
    component,
    words: wordsOf(component),
  }));
  const all = components.map(({ words }) => words).join("\n");
  const frontend = components.find(({ component }) => component.type === "frontend");
  const mode = envOf(graph, frontend?.component)["DYN_ROUTER_MODE"] ??
    /--router-mode[ =](\S+)/.exec(frontend?.words ?? "")?.[1];
  const meaningless = /\bdynamo\.mocker\b/.test(all)
    ? "the mocker produces random tokens"
    : options.simulated
    ? "the embedded cluster plays the engine with Dynamo's mocker, which produces random tokens"
    : undefined;
  return {
    release: options.release,
    meaningless,
    tools: /--(dyn-)?tool-call-parser\b/.test(all),
    multimodal: /--(enable-)?multimodal\b|--modality[ =]multimodal|multimodal-(worker|processor)/
      .test(all),
    disaggregated: components.some(({ component, words }) =>
      component.type === "prefill" ||
      /--is-prefill-worker\b|--disaggregation-mode[ =]prefill\b/.test(words)
    ),
    kvRouter: mode !== "kv" ? false : hearsOfCaches(all, options) ? true : undefined,
    adapters: options.adapters,
  };
}

// Seen with 1.6.1: as SGLang the mocker answers that no token came from its cache, as vLLM and
// TensorRT-LLM it tells how many.
function hearsOfCaches(words: string, { simulated }: TraitsOptions): boolean {
  return !(simulated && /\bdynamo\.sglang\b/.test(words));
}

function wordsOf({ container }: WantedComponent): string {
  return [...list(container?.["command"]), ...list(container?.["args"])].join(" ");
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : typeof value === "string" ? [value] : [];
}

// v1alpha1 has variables of the graph, of the service and of its container.
function envOf(
  graph: KubeObject,
  component: WantedComponent | undefined,
): Record<string, string> {
  const service = component === undefined ? undefined : graph["spec"]?.services?.[component.name];
  const lists = [
    graph["spec"]?.envs,
    graph["spec"]?.env,
    service?.envs,
    component?.container?.["env"],
  ];
  return Object.fromEntries(
    lists.flatMap((one) => Array.isArray(one) ? one : []).map(({ name, value }) => [name, value]),
  );
}
