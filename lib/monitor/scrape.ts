/**
 * Scrapes of a graph's frontends, pod by pod.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, TaskError } from "../cli/errors.ts";
import { FRONTEND_PORT } from "../deploy/frontend.ts";
import type { GraphState } from "../deploy/graph_state.ts";
import { podForwards } from "../deploy/pod_forwards.ts";
import type { Kube } from "../kube/types.ts";
import { type Metrics, parseMetrics } from "../serving/prometheus.ts";
import type { Scrape } from "./traffic.ts";

const SCRAPE_TIMEOUT_MS = 5_000;

/** Scrapes again and again; disposing closes its port-forwards. */
export interface Scraper extends AsyncDisposable {
  /**
   * Metrics of the ready frontends as they are now. A pod that does not answer is left out.
   *
   * @throws {TaskError} GRAPH_WITHOUT_ENDPOINT (exit code 3) for graphs that speak no HTTP,
   * METRICS_UNREACHABLE when no frontend answers.
   */
  scrape(graph: GraphState): Promise<Scrape>;
}

/** Makes a scraper; it holds one port-forward a pod, for as long as the pod is there. */
export function openScraper(ctx: Context, kube: Kube): Scraper {
  const forwards = podForwards(ctx, kube);

  async function metricsOf(name: string, namespace: string): Promise<Metrics> {
    const url = await forwards.url({ name, namespace, port: FRONTEND_PORT });
    const response = await ctx.net.fetch(`${url}/metrics`, {
      signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(SCRAPE_TIMEOUT_MS)]),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`/metrics answers ${response.status}`);
    return parseMetrics(text);
  }

  return {
    async scrape(graph) {
      const frontends = graph.components.filter((component) => component.type === "frontend");
      if (frontends.length === 0) {
        throw preconditionError(
          "GRAPH_WITHOUT_ENDPOINT",
          `Graph ${graph.name} has no HTTP endpoint, so there is nothing to watch`,
          "Deploy one that has, for example deno task deploy vllm.",
        );
      }
      const names = frontends.flatMap((component) => component.pods)
        .filter((pod) => pod.ready && !pod.terminating).map((pod) => pod.name);
      await forwards.keep(names);
      const pods = new Map<string, Metrics>();
      const problems: string[] = [];
      await Promise.all(names.map(async (name) => {
        try {
          pods.set(name, await metricsOf(name, graph.namespace));
        } catch (error) {
          ctx.signal.throwIfAborted();
          problems.push(`${name}: ${messageOf(error)}`);
        }
      }));
      if (pods.size === 0) {
        throw new TaskError({
          code: "METRICS_UNREACHABLE",
          message: names.length === 0
            ? `No frontend of graph ${graph.name} is ready`
            : `No frontend of graph ${graph.name} tells its metrics`,
          hint: "deno task status shows the pods; deno task logs what they say.",
          evidence: problems,
        });
      }
      return { at: ctx.clock.monotonic(), pods };
    },
    [Symbol.asyncDispose]: () => forwards[Symbol.asyncDispose](),
  };
}
