/**
 * What a person sees while a graph comes up: a row a component, nodes that wake up, what is in
 * the way, and the newest event. Pure.
 *
 * @module
 */
import { formatDuration, wrap } from "../cli/text.ts";
import type { BoardLine } from "../cli/ui.ts";
import type { Diagnosis } from "./diagnosis/types.ts";
import { currentEvent, nodesOnTheirWay } from "./event_words.ts";
import { type ComponentState, readyWords } from "./graph_state.ts";
import type { PodStage } from "./pod_state.ts";
import type { RolloutMoment } from "./rollout.ts";

/** How many pods of a component are how far; each stage includes the later ones. */
export interface StageCounts {
  /** Pods asked for. */
  readonly wanted: number;
  /** Pods that have a node. */
  readonly scheduled: number;
  /** Pods whose images are there. */
  readonly pulled: number;
  /** Pods whose process runs and is not ready. */
  readonly loading: number;
  /** Pods that take traffic. */
  readonly ready: number;
}

/** Counts the pods of a component, those that are going left out. */
export function stageCounts({ replicas, pods }: ComponentState): StageCounts {
  const at = (...stages: PodStage[]) => pods.filter((pod) => stages.includes(pod.stage)).length;
  return {
    wanted: replicas,
    scheduled: at("pulling", "loading", "ready"),
    pulled: at("loading", "ready"),
    loading: at("loading"),
    ready: at("ready"),
  };
}

const HEADINGS = ["wanted", "scheduled", "pulled", "loading", "ready"] as const;
const NAME_WIDTH = 32;

// Words of clusters are long; what does not fit is among the evidence at the end.
const MOST_WRAPPED = 3;

/** What the lines are made for. */
export interface ViewOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Columns of the terminal. */
  readonly width: number;
}

/**
 * The lines of a moment. `!` marks what cannot mend itself, `-` what may; the word of a node
 * that is on its way is said once.
 */
export function rolloutLines(
  moment: RolloutMoment,
  diagnoses: readonly Diagnosis[],
  { now, width: columns }: ViewOptions,
): BoardLine[] {
  const { state, facts, outdated } = moment;
  const lines: BoardLine[] = [];
  if (state !== undefined) {
    const names = state.components.map((component) => component.name.length);
    const width = Math.min(NAME_WIDTH, Math.max(4, ...names));
    lines.push({
      key: "heading",
      live: `  ${" ".repeat(width)}  ${HEADINGS.join("  ")}`,
    });
    for (const component of state.components) lines.push(componentLine(component, width));
  }
  if (facts !== undefined) {
    for (const { key, text } of nodesOnTheirWay(facts)) {
      lines.push({ key, live: `  ${text}`, plain: text });
    }
  }
  for (const { code, component, cause, final } of diagnoses) {
    // The row of the node that starts says the same, with its name.
    if (code === "NODE_STARTING" && lines.some(({ key }) => key.startsWith("node/"))) continue;
    const text = `${component}: ${cause}`;
    lines.push(...wrapped(`${code}/${component}`, `${final ? "!" : "-"} ${text}`, text, columns));
  }
  const event = facts === undefined ? undefined : currentEvent(facts);
  if (event !== undefined) {
    const ago = Math.max(0, now - Date.parse(event.time));
    const age = ago < 1_000 ? "now" : `${formatDuration(ago)} ago`;
    lines.push({
      key: "event",
      live: `  Latest: ${event.text} (${age})`,
      // What a diagnosis says already is not said again.
      plain: event.telling && diagnoses.length === 0 ? event.text : undefined,
    });
  }
  if (outdated !== undefined) {
    const text = `the API server does not answer, trying again: ${outdated}`;
    lines.push(...wrapped("outdated", `- ${text}`, text, columns));
  }
  return lines;
}

function wrapped(key: string, live: string, plain: string, columns: number): BoardLine[] {
  return wrap(live, columns - 1, "  ").slice(0, MOST_WRAPPED).map((line, index) =>
    index === 0 ? { key, live: line, plain } : { key: `${key}/${index}`, live: line }
  );
}

function componentLine(component: ComponentState, width: number): BoardLine {
  const counts = stageCounts(component);
  const cells = HEADINGS.map((heading) => String(counts[heading]).padStart(heading.length));
  const name = component.name.length > width
    ? `${component.name.slice(0, width - 1)}…`
    : component.name;
  const updating = component.updated < component.replicas && counts.ready > component.updated;
  const old = updating ? "  updating" : "";
  return {
    key: `component/${component.name}`,
    live: `  ${name.padEnd(width)}  ${cells.join("  ")}${old}`,
    plain: `${component.name}: ${countWords(counts, component)}`,
  };
}

/** `1 of 2 ready, 1 pulling`. */
function countWords(counts: StageCounts, { pods, updated, replicas }: ComponentState): string {
  const pulling = counts.scheduled - counts.pulled;
  const waiting = pods.filter((pod) => pod.stage === "unscheduled").length;
  const parts = [
    readyWords(counts.ready, counts.wanted),
    ...(counts.loading > 0 ? [`${counts.loading} loading`] : []),
    ...(pulling > 0 ? [`${pulling} pulling`] : []),
    ...(waiting > 0 ? [`${waiting} without a node`] : []),
    ...(updated < replicas && counts.ready > updated ? [`${updated} of ${replicas} updated`] : []),
  ];
  return parts.join(", ");
}
