/**
 * A description as lines for a person, within the columns of a terminal. Pure.
 *
 * @module
 */
import { wrap } from "../cli/text.ts";
import type { DescribedContainer, Description } from "./describe_types.ts";
import { tableLines } from "./status_text.ts";

const MOST_EVENTS = 30;

/** Lines of a description; those of logs are as they were written. */
export function describeLines(description: Description, width: number): string[] {
  const { target, operator, graph, conditions, diagnoses, pods, claims, nodes, events, logs } =
    description;
  const section = (title: string, rows: readonly (readonly string[])[]) =>
    rows.length <= 1 ? [] : ["", title, ...tableLines(rows, width)];
  return [
    ...tableLines([
      ["Graph", `${graph.namespace}/${graph.name} (${graph.apiVersion})`],
      ["State", graph.ready ? "ready" : `${graph.state} ${graph.message}`.trim()],
      ["Created", graph.createdAt ?? ""],
      ["Endpoint", graph.endpoint ?? "none"],
      ["Release", target.release],
      ["Operator", operator === null ? "not in the namespace" : operator.image],
      ["Cluster", `${target.kind}, ${target.server}, Kubernetes ${target.kubernetes}`],
    ], width),
    ...(diagnoses.length === 0 ? [] : ["", "What keeps it from being ready"]),
    ...diagnoses.flatMap(({ component, code, cause, hint }) => [
      ...wrap(`${component}: ${cause} (${code})`, width, "  "),
      ...wrap(hint, width, "    "),
    ]),
    ...section("Conditions", [
      ["TYPE", "STATUS", "REASON", "MESSAGE"],
      ...conditions.map((one) => [one.type, one.status, one.reason, one.message]),
    ]),
    ...section("Components", [
      ["NAME", "TYPE", "PODS"],
      ...graph.components.map((one) => [one.name, one.type ?? "", one.phrase]),
    ]),
    ...(pods.length === 0 ? [] : ["", "Pods"]),
    ...pods.flatMap((pod) => [
      `  ${pod.name}`,
      ...wrap(
        `${pod.phase}${pod.ready ? ", ready" : ""}, on ${pod.node ?? "no node"}`,
        width,
        "    ",
      ),
      ...pod.containers.flatMap((one) => wrap(containerWords(one), width, "    ")),
    ]),
    ...section("Claims in the namespace", [
      ["CLAIM", "PHASE", "CLASS", "SIZE"],
      ...claims.map((one) => [one.name, one.phase, one.storageClass, one.size]),
    ]),
    ...section("Nodes", [
      ["NODE", "KUBELET", "CONDITIONS"],
      ...nodes.map((node) => [
        node.name,
        node.kubelet,
        node.conditions.map(({ type, status }) => `${type}=${status}`).join(" "),
      ]),
    ]),
    ...(events.length === 0 ? [] : ["", `Events (the last ${MOST_EVENTS} at most)`]),
    ...events.slice(-MOST_EVENTS).flatMap((one) => [
      ...wrap(`${one.time.slice(0, 19)} ${one.reason} ${one.object}`, width, "  "),
      ...wrap(
        one.count > 1 ? `${one.message} (${one.count} times)` : one.message,
        width,
        "    ",
      ),
    ]),
    ...logs.flatMap(({ pod, container, previous, lines }) => [
      "",
      ...wrap(`Log of ${pod}, ${container}${previous ? ", the start before" : ""}`, width),
      ...lines.map((line) => `  ${line}`),
    ]),
  ];
}

function containerWords({ name, state, lastEnd, restarts, resources }: DescribedContainer): string {
  const asked = { ...resources["limits"] as object, ...resources["requests"] as object };
  return [
    `${name}: ${state}`,
    `${restarts} restarts${lastEnd === null ? "" : ` (before: ${lastEnd})`}`,
    ...Object.entries(asked).map(([resource, amount]) => `${resource} ${amount}`),
  ].join(", ");
}
