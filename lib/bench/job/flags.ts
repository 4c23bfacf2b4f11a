/**
 * Flags of benchmarks that run inside the cluster.
 *
 * @module
 */
import { usageError } from "../../cli/errors.ts";
import type { Options, OptionValues } from "../../cli/options.ts";
import { CLIENT_IMAGE } from "./objects.ts";

/** Flags of `bench`. */
export const JOB_FLAGS = {
  inCluster: {
    kind: "flag",
    description: "Run the load generator as a Job in the cluster, beside the graph",
  },
  clientImage: {
    kind: "text",
    placeholder: "image",
    description: `Its image: anything with deno on its PATH (default ${CLIENT_IMAGE})`,
  },
  noTunnelTax: {
    kind: "flag",
    description: "Do not measure afterwards what a port-forward would have added (20 s)",
  },
} as const satisfies Options;

/** Where the load generator runs. */
export interface InCluster {
  /** Image of its pod. */
  readonly image: string;
  /** Whether the tunnel's tax is measured. */
  readonly tunnelTax: boolean;
}

/**
 * What the flags ask for; undefined to run here.
 *
 * @throws {TaskError} BENCH_OPTIONS (exit code 2) for flags that contradict each other.
 */
export function inClusterOf(
  flags: OptionValues<typeof JOB_FLAGS> & { readonly url?: string | undefined },
  loads: "one" | "several",
): InCluster | undefined {
  const { inCluster, clientImage, noTunnelTax, url } = flags;
  if (!inCluster) {
    const other = clientImage !== undefined ? "client-image" : noTunnelTax ? "no-tunnel-tax" : "";
    if (other === "") return undefined;
    throw usageError("BENCH_OPTIONS", `--${other} needs --in-cluster`);
  }
  if (url !== undefined) {
    throw usageError(
      "BENCH_OPTIONS",
      "--in-cluster measures a graph, and --url an endpoint from here",
      "Name a graph, or leave one of the two out.",
    );
  }
  if (clientImage !== undefined && !/^[\w.:/@-]+$/.test(clientImage)) {
    throw usageError("BENCH_OPTIONS", `--client-image ${clientImage} is no image`);
  }
  // Of several loads one tax says as much as many.
  return { image: clientImage ?? CLIENT_IMAGE, tunnelTax: !noTunnelTax && loads === "one" };
}
