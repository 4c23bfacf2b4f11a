/**
 * Reading `[component=]value` options and finding the components they mean. Pure.
 *
 * @module
 */
import { usageError } from "../cli/errors.ts";
import { optionName } from "../cli/options.ts";
import { didYouMean } from "../cli/suggest.ts";
import type { Overlays } from "./overlay_options.ts";
import { type Component, type Graph, isEngine } from "./types.ts";

/** The components that an assignment without a name means. */
export type Scope = (component: Component) => boolean;

/** One `[component=]value` of an option, and the components it is for. */
export interface Assignment {
  /** The text behind the first `=`. */
  readonly value: string;
  /** The components. */
  readonly components: ReadonlySet<Component>;
}

/** An overlay option, as its key in {@link Overlays}. */
export type OverlayKey = keyof Overlays;

/** Changes each component that one of the option's texts is for. */
export function assign(
  graph: Graph,
  key: OverlayKey,
  texts: readonly string[] | undefined,
  scope: Scope,
  change: (component: Component, value: string) => Component,
): Graph {
  const list = assignments(graph, key, texts ?? [], scope);
  if (list.length === 0) return graph;
  return mapComponents(graph, (component) => {
    const value = valueFor(list, component);
    return value === undefined ? component : change(component, value);
  });
}

/**
 * Reads an option's texts.
 *
 * @param scope components of a text without a name
 * @throws {TaskError} with exit code 2: OVERLAY_VALUE, OVERLAY_EMPTY, COMPONENT_UNKNOWN.
 */
export function assignments(
  graph: Graph,
  key: OverlayKey,
  texts: readonly string[],
  scope: Scope,
): Assignment[] {
  return texts.map((text) => {
    const at = text.indexOf("=");
    const value = text.slice(at + 1);
    if (value === "") throw badValue(key, text, "[component=]value");
    const components = at < 0
      ? new Set(graph.components.filter(scope))
      : componentsNamed(graph, key, text.slice(0, at));
    if (components.size === 0) {
      throw usageError(
        "OVERLAY_EMPTY",
        `--${
          optionName(key)
        } ${text}: the graph "${graph.name}" has no component that runs an engine`,
        `Components: ${names(graph)}.`,
      );
    }
    return { value, components };
  });
}

/** Value for a component: the last one wins, and one with a name over one without. */
export function valueFor(list: readonly Assignment[], component: Component): string | undefined {
  const mine = list.filter((one) => one.components.has(component));
  mine.sort((a, b) => b.components.size - a.components.size);
  return mine.at(-1)?.value;
}

/**
 * Components of that name, or else of that role.
 *
 * @throws {TaskError} COMPONENT_UNKNOWN (exit code 2) with a suggestion.
 */
export function componentsNamed(
  graph: Graph,
  key: OverlayKey,
  name: string,
): ReadonlySet<Component> {
  const byName = graph.components.filter((component) => component.name === name);
  const found = byName.length > 0 ? byName : graph.components.filter((c) => c.role === name);
  if (found.length > 0) return new Set(found);
  const known = graph.components.map((component) => component.name);
  throw usageError(
    "COMPONENT_UNKNOWN",
    `--${optionName(key)}: the graph "${graph.name}" has no component "${name}". ${
      didYouMean(name, known)
    }`
      .trim(),
    `Components: ${names(graph)}.`,
  );
}

/** The graph with each component changed. */
export function mapComponents(graph: Graph, change: (component: Component) => Component): Graph {
  return { ...graph, components: graph.components.map(change) };
}

/** A whole number of at least `min`, or OVERLAY_VALUE. */
export function wholeNumber(key: OverlayKey, text: string, min: number): number {
  const number = Number(text);
  if (/^\d{1,6}$/.test(text) && number >= min) return number;
  throw badValue(key, text, `a whole number of at least ${min}`);
}

/** OVERLAY_VALUE: the option, its value, and what was expected. */
export function badValue(key: OverlayKey, value: string, expected: string): Error {
  return usageError("OVERLAY_VALUE", `--${optionName(key)}: "${value}" is not ${expected}`);
}

/** `Frontend (frontend), Worker (worker)`. */
export function names(graph: Graph): string {
  return graph.components.map((component) => `${component.name} (${component.role})`).join(", ");
}

/** Names of the components that run the engine. */
export function engineNames(graph: Graph): string {
  return graph.components.filter(isEngine).map((component) => component.name).join(", ");
}

/** OVERLAY_EMPTY: the option needs a model, and the graph serves none. */
export function noModel(graph: Graph, key: OverlayKey): Error {
  return usageError(
    "OVERLAY_EMPTY",
    `--${optionName(key)}: the graph "${graph.name}" serves no model`,
    "Choose an example with a model: deno task deploy lists them.",
  );
}
