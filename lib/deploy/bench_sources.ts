/**
 * Where a benchmark of a graph finds metrics: its frontends, its workers, and the exporters of
 * the GPUs on its nodes.
 *
 * @module
 */
import { type MetricsSource, urlSource } from "../bench/server/source.ts";
import type { Context } from "../cli/context.ts";
import type { KubeObject } from "../kube/types.ts";
import { FRONTEND_PORT } from "./frontend.ts";
import type { GraphState } from "./graph_state.ts";
import { pickGraph } from "./graphs.ts";
import { podForwards } from "./pod_forwards.ts";
import type { GraphSession } from "./session.ts";

/** Port of the operator's choice where workers tell their metrics. */
const SYSTEM_PORT = 9090;
/** Port of the DCGM exporter. */
const EXPORTER_PORT = 9400;
// The chart's label, and that of NVIDIA's GPU operator.
const EXPORTERS = ["app.kubernetes.io/name=dcgm-exporter", "app=nvidia-dcgm-exporter"];
const NO_WORK: readonly (string | undefined)[] = ["planner", "epp"];

/** Sources of a graph; disposing closes their port-forwards. */
export interface GraphSources extends AsyncDisposable {
  /** Those of the pods that are ready now; the same one for the same pod each time. */
  open(): Promise<readonly MetricsSource[]>;
}

interface Place {
  readonly name: string;
  readonly namespace: string;
  readonly port: number;
  readonly kind: "frontend" | "worker" | "gpu";
}

/** Makes the sources of the graph of that name. */
export function graphSources(ctx: Context, session: GraphSession, graph: string): GraphSources {
  const forwards = podForwards(ctx, session.kube);
  const sources = new Map<string, MetricsSource>();
  return {
    async open() {
      const state = pickGraph(await session.list(), graph);
      const places = [...podPlaces(state), ...await exporterPlaces(session, state)];
      const names = places.map(({ name }) => name);
      await forwards.keep(names);
      for (const name of sources.keys()) if (!names.includes(name)) sources.delete(name);
      const pods = new Set(
        state.components.flatMap((component) => component.pods).map((pod) => pod.name),
      );
      for (const place of places) {
        if (sources.has(place.name)) continue;
        const { name, kind } = place;
        const url = await forwards.url(place);
        sources.set(name, urlSource(ctx, { url, name, kind, pods }));
      }
      return [...sources.values()];
    },
    [Symbol.asyncDispose]: () => forwards[Symbol.asyncDispose](),
  };
}

function podPlaces({ namespace, components }: GraphState): Place[] {
  return components.flatMap(({ type, pods }) => {
    if (NO_WORK.includes(type)) return [];
    const kind = type === "frontend" ? "frontend" : "worker";
    return pods.filter((pod) => pod.ready && !pod.terminating).map(({ name }) => ({
      name,
      namespace,
      kind,
      port: kind === "frontend" ? FRONTEND_PORT : SYSTEM_PORT,
    }));
  });
}

// Where they may not be listed, GPUs are not part of the results.
async function exporterPlaces({ kube }: GraphSession, graph: GraphState): Promise<Place[]> {
  const nodes = new Set(graph.components.flatMap(({ pods }) => pods).map((pod) => pod.node));
  const found = await Promise.all(EXPORTERS.map(async (labelSelector) => {
    try {
      return (await kube.list({ apiVersion: "v1", kind: "Pod" }, { labelSelector })).items;
    } catch {
      return [];
    }
  }));
  return found.flat().filter((pod) => nodes.has(pod.spec?.nodeName) && isReady(pod)).map(
    ({ metadata }) => ({
      name: metadata.name,
      namespace: metadata.namespace ?? "",
      kind: "gpu",
      port: EXPORTER_PORT,
    }),
  );
}

function isReady(pod: KubeObject): boolean {
  return pod.metadata.deletionTimestamp === undefined &&
    (pod.status?.conditions ?? []).some((c: KubeObject) =>
      c.type === "Ready" && c.status === "True"
    );
}
