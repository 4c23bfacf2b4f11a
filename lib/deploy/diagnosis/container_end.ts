/**
 * Containers that end or are not started: out of memory, crash loops, configuration.
 *
 * @module
 */
import type { KubeObject } from "../../kube/types.ts";
import { type ContainerFact, containersOf, oneLine, troubledPods } from "./objects.ts";
import { modelTrouble } from "./model.ts";
import { type ClusterFacts, type ComponentObjects, type Diagnosis, logKey } from "./types.ts";

const CONFIG_GRACE_MS = 10_000;
// Three ends: a container that waits for something else may need a start or two.
const CRASHES = 3;
const LOG_LINES = 4;

/** Why containers of a component do not stay up; one diagnosis a cause. */
export function diagnoseContainers(facts: ClusterFacts, component: ComponentObjects): Diagnosis[] {
  const found = new Map<string, Diagnosis>();
  for (const pod of troubledPods(component)) {
    for (const container of containersOf(pod)) {
      const one = ofContainer(facts, component, pod, container);
      if (one !== undefined && !found.has(one.code)) found.set(one.code, one);
    }
  }
  return [...found.values()];
}

function ofContainer(
  facts: ClusterFacts,
  component: ComponentObjects,
  pod: KubeObject,
  container: ContainerFact,
): Diagnosis | undefined {
  const { state = {}, lastState = {}, restartCount = 0 } = container.status;
  const { reason, message = "" } = state.waiting ?? {};
  if (
    ["CreateContainerConfigError", "CreateContainerError", "RunContainerError"].includes(reason)
  ) {
    return {
      code: "CONTAINER_CONFIG",
      component: component.name,
      cause: `container ${container.name} cannot be started: ${oneLine(message)}`,
      hint: /secret/i.test(message)
        ? "Make the Secret (deno task deploy makes hf-token-secret from HF_TOKEN), or name another " +
          "one with --hf-token-secret."
        : "The message names what is missing in the manifest or the namespace.",
      final: true,
      graceMs: CONFIG_GRACE_MS,
    };
  }
  const running = state.running !== undefined;
  const ended = state.terminated ?? lastState.terminated;
  if (container.init && ended?.exitCode === 0) return undefined;
  // While it waits for its next start, the count is still that of the start before.
  const lastRun = running ? restartCount - 1 : restartCount;
  const ends = ended === undefined ? 0 : lastRun + 1;
  const before = logOf(facts, container, lastRun);
  const known =
    (running
      ? modelTrouble(component.name, logOf(facts, container, restartCount), false)
      : undefined) ??
      modelTrouble(component.name, before, ends > 0);
  if (ended === undefined) return known;
  const again = !running && (ends >= CRASHES || pod["spec"]?.restartPolicy === "Never");
  if (ended.reason === "OOMKilled") {
    const limit = limitOf(pod, container);
    return {
      code: "OUT_OF_MEMORY",
      component: component.name,
      cause: `container ${container.name} was killed for its use of memory${
        limit === undefined ? "" : ` (its limit is ${limit})`
      }, ${times(ends)}`,
      hint: "Raise resources.limits.memory of the component; loading a model takes about as much " +
        "memory as its files for a moment.",
      // Loading a model takes the same memory each time.
      final: !running && ends >= 2,
      graceMs: 0,
    };
  }
  if (known !== undefined) return known;
  if (ended.exitCode === 0 && ended.reason !== "Error") return undefined;
  const said = before.filter((line) => line.trim() !== "").slice(-LOG_LINES);
  return {
    code: "CRASH_LOOP",
    component: component.name,
    cause: `container ${container.name} ends right after its start with ${endWords(ended)}, ` +
      `${times(ends)}` + (said.length === 0 ? "" : `: ${oneLine(tellingLine(said), 200)}`),
    hint:
      "The lines below are the last of its log; deno task logs shows all of it with --previous.",
    final: again,
    graceMs: 0,
  };
}

function logOf(
  facts: ClusterFacts,
  { pod, name }: ContainerFact,
  restart: number,
): readonly string[] {
  return facts.logs.get(logKey(pod, name, restart)) ?? [];
}

/** The line that says what went wrong: the last one that looks like an error, else the last one. */
export function tellingLine(lines: readonly string[]): string {
  return lines.findLast((line) => /\b\w*(error|exception|fatal|panic)\w*\b/i.test(line)) ??
    lines.at(-1) ?? "";
}

function endWords(end: { exitCode: number; signal?: number; reason?: string }): string {
  const signal = end.signal ?? (end.exitCode > 128 && end.exitCode < 160 ? end.exitCode - 128 : 0);
  const names: Record<number, string> = { 6: "SIGABRT", 7: "SIGBUS", 9: "SIGKILL", 11: "SIGSEGV" };
  const name = names[signal];
  return `exit code ${end.exitCode}` + (name === undefined ? "" : ` (${name})`);
}

function times(count: number): string {
  return count === 1 ? "once so far" : `${count} times`;
}

function limitOf(pod: KubeObject, { name }: ContainerFact): string | undefined {
  return (pod["spec"]?.containers ?? []).find((one: KubeObject) => one["name"] === name)
    ?.resources?.limits?.memory;
}
