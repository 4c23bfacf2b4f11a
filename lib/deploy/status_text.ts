/**
 * A status as lines for a person, within the columns of a terminal. Pure.
 *
 * @module
 */
import { alignColumns, formatDuration, pieces, truncate, wrap } from "../cli/text.ts";
import type { GraphStatus, NodeStatus, Status, StatusCost } from "./status.ts";

const LEAST_COLUMN = 6;
const LEAST_LAST = 20;

/** Where and when the lines are read. */
export interface StatusView {
  /** Milliseconds since the epoch, for ages. */
  readonly now: number;
  /** Columns. */
  readonly width: number;
}

/** Lines of a status; none is longer than the width. */
export function statusLines(status: Status, view: StatusView): string[] {
  const { target, operator, graphs, requests, nodes, cost } = status;
  const endpoints = graphs.filter(({ endpoint }) => endpoint !== null);
  return [
    ...tableLines([
      ["Target", `${target.kind} (${target.server}, Kubernetes ${target.kubernetes})`],
      ["Release", `${target.release}, namespace ${target.namespace}`],
      [
        "Operator",
        operator === null
          ? "not installed"
          : `${operator.ready ? "ready" : "not ready"} (${operator.image})`,
      ],
      ...(cost === null ? [] : [["Cost", costWords(cost)]]),
    ], view.width),
    "",
    ...(graphs.length === 0
      ? wrap("No graph is deployed: run deno task deploy <example>.", view.width)
      : tableLines(graphRows(graphs, view.now), view.width)),
    ...(endpoints.length === 0 ? [] : [
      "",
      ...tableLines([
        ["GRAPH", "ENDPOINT (in the cluster)"],
        ...endpoints.map(({ name, endpoint }) => [name, endpoint ?? ""]),
      ], view.width),
    ]),
    ...(requests.length === 0 ? [] : [
      "",
      ...tableLines([
        ["REQUEST", "PHASE", "GRAPH", "MESSAGE"],
        ...requests.map(({ name, phase, graph, message }) => [name, phase, graph, message]),
      ], view.width),
    ]),
    "",
    ...tableLines([
      ["NODE", "POOL", "INSTANCE", "READY", "USD/H", "GPUS"],
      ...nodes.map(nodeRow),
    ], view.width),
  ];
}

/**
 * Rows as columns that fit the width: the last column is wrapped, and the widest others are cut
 * where that is not enough.
 */
export function tableLines(rows: readonly (readonly string[])[], width: number): string[] {
  const count = Math.max(...rows.map((row) => row.length));
  const widths = Array.from(
    { length: count - 1 },
    (_, i) => Math.max(...rows.map((row) => [...row[i] ?? ""].length)),
  );
  const last = Math.max(...rows.map((row) => [...row[count - 1] ?? ""].length));
  const room = () => width - widths.reduce((sum, one) => sum + one + 2, 0);
  while (room() < Math.min(last, LEAST_LAST)) {
    const widest = Math.max(...widths);
    if (widest <= LEAST_COLUMN) break;
    widths[widths.indexOf(widest)] = widest - 1;
  }
  const wide = Math.max(room(), LEAST_COLUMN);
  return alignColumns(rows.flatMap((row) => {
    const front = widths.map((most, i) => truncate(row[i] ?? "", most));
    const parts = wrap(row[count - 1] ?? "", wide).flatMap((line) => pieces(line, wide));
    return (parts.length === 0 ? [""] : parts).map((part, i) =>
      i === 0 ? [...front, part] : [...widths.map(() => ""), part]
    );
  }));
}

function costWords(cost: StatusCost): string {
  return [
    `${usd(cost.usdPerHour)} USD an hour for the nodes, on demand in ${cost.priceRegion}, ` +
    `${cost.priceDate}`,
    ...(cost.simulated ? ["simulated: nobody pays it"] : []),
    ...(cost.unpricedNodes > 0 ? [`${cost.unpricedNodes} nodes have no known price`] : []),
  ].join("; ");
}

function usd(amount: number | null): string {
  return amount === null ? "-" : amount.toFixed(2);
}

function graphRows(graphs: readonly GraphStatus[], now: number): string[][] {
  const rows = [["GRAPH", "STATE", "AGE", "USD/H", "COMPONENT", "RESTARTS", "PODS"]];
  for (const graph of graphs) {
    const age = graph.createdAt === undefined ? "" : ageWords(now - Date.parse(graph.createdAt));
    const front = [
      graph.name,
      graph.ready ? "ready" : graph.state,
      age,
      usd(graph.usdPerHour),
    ];
    graph.components.forEach((component, index) => {
      rows.push([
        ...(index === 0 ? front : front.map(() => "")),
        component.name,
        String(component.pods.reduce((sum, pod) => sum + pod.restarts, 0)),
        component.phrase,
      ]);
    });
  }
  return rows;
}

function ageWords(ms: number): string {
  // Clocks of clusters differ from ours.
  return formatDuration(Math.max(0, Math.floor(ms / 1000) * 1000));
}

function nodeRow(node: NodeStatus): string[] {
  return [
    // `ip-10-0-1-2.us-west-2.compute.internal`: the rest says nothing.
    node.name.replace(/\.([\w-]+\.)?(compute|ec2)\.internal$/, ""),
    node.nodePool,
    node.instanceType,
    node.ready ? "yes" : "no",
    usd(node.usdPerHour),
    node.gpus === 0 ? "-" : `${node.gpusUsed} of ${node.gpus}`,
  ];
}
