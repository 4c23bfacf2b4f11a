/**
 * What a benchmark measures: a URL as it is, or a graph through a port-forward of our own.
 *
 * @module
 */
import { runBench } from "../bench/bench.ts";
import type { InCluster } from "../bench/job/flags.ts";
import type { BenchOptions } from "../bench/options.ts";
import type { BenchSummary } from "../bench/summary.ts";
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import type { TargetChoice } from "../target/target.ts";
import { benchInCluster } from "./bench_job.ts";
import { forwardFrontend, frontendService } from "./frontend.ts";
import { pickGraph } from "./graphs.ts";
import { type GraphSession, openGraphs } from "./session.ts";

/** An endpoint that is open until disposed of. */
export interface BenchEndpoint extends AsyncDisposable {
  /** Base URL; of an endpoint that needs no cluster where one is asked for. */
  readonly url: string;
  /** Name for folders: the graph's, or the URL's host. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** The graph behind it; undefined for a URL. */
  readonly deployed?: { readonly session: GraphSession; readonly graph: string };
  /** Measures it, from here or from inside the cluster; see `runBench`. */
  readonly measure: (options: Omit<BenchOptions, "url">) => Promise<BenchSummary>;
}

/** What to measure. */
export interface BenchEndpointOptions {
  /** Name of the graph; the only one when undefined. */
  readonly graph: string | undefined;
  /** Base URL; of an endpoint that needs no cluster where one is asked for. */
  readonly url: string | undefined;
  /** What the command line says about the target. */
  readonly choice: TargetChoice;
  /** Where the load generator runs inside the cluster; undefined to run it here. */
  readonly inCluster?: InCluster | undefined;
  /** Opens nothing. */
  readonly dryRun: boolean;
}

/**
 * Opens the endpoint.
 *
 * @throws {TaskError} GRAPH_WITHOUT_ENDPOINT (exit code 3) for graphs that speak no HTTP, and
 * those of choosing target and graph.
 */
export async function openBenchEndpoint(
  ctx: Context,
  options: BenchEndpointOptions,
): Promise<BenchEndpoint> {
  const from = (url: string) => (asked: Omit<BenchOptions, "url">) =>
    runBench(ctx, { ...asked, url });
  // This thread carries the tunnel's bytes.
  const through = (url: string) => (asked: Omit<BenchOptions, "url">) =>
    runBench(ctx, { ...asked, url, ownThread: true });
  if (options.url !== undefined) {
    const name = options.url.replace(/^https?:\/\//, "").replace(/[^\w.-]+/g, "-");
    return {
      url: options.url,
      name,
      title: options.url,
      measure: from(options.url),
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const session = await openGraphs(ctx, options.choice);
  try {
    const graph = pickGraph(await session.list(), options.graph);
    const service = frontendService(graph);
    if (service === undefined) {
      throw preconditionError(
        "GRAPH_WITHOUT_ENDPOINT",
        `Graph ${graph.name} has no HTTP endpoint, so there is nothing to measure`,
        "Deploy one that has, for example deno task deploy vllm.",
      );
    }
    const { namespace, name } = graph;
    const { inCluster } = options;
    if (options.dryRun || inCluster !== undefined) {
      const { kube, target } = session;
      return {
        url: "",
        name,
        deployed: { session, graph: name },
        title: `${namespace}/${service}${
          inCluster === undefined ? "" : " from inside the cluster"
        }`,
        measure: inCluster === undefined ? from("") : (asked) =>
          benchInCluster(ctx, {
            ...inCluster,
            target,
            kube,
            namespace,
            graph: name,
            service,
          }, asked),
        [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
      };
    }
    const forwarder = await forwardFrontend(ctx, session.kube, { namespace, service });
    return {
      url: forwarder.url,
      name,
      title: `${namespace}/${service}`,
      deployed: { session, graph: name },
      measure: through(forwarder.url),
      async [Symbol.asyncDispose]() {
        await forwarder.close();
        await session[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}
