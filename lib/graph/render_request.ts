/**
 * DynamoGraphDeploymentRequest: instead of saying what runs, says how fast it has to be, and
 * the operator finds a graph for it. nvidia.com/v1beta1, releases from 1.0 on.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import { engineTable } from "./engines.ts";
import { DYNAMO_REGISTRY } from "./images.ts";
import type { Graph, PlanningRequest } from "./types.ts";

/** Kind of the object. */
export const REQUEST_KIND = "DynamoGraphDeploymentRequest";

/** API version of the object. */
export const REQUEST_API_VERSION = "nvidia.com/v1beta1";

/** The `spec`. */
export function requestSpec(
  graph: Graph,
  request: PlanningRequest,
  release: Release,
): Record<string, unknown> {
  const cache = graph.cache[0];
  const { workload, hardware } = request;
  return {
    model: graph.model?.id,
    backend: engineTable(graph).framework,
    // The job that searches runs in the planner's image; 1.0 has none yet.
    image: `${DYNAMO_REGISTRY}/${
      atLeast(release, 1, 1) ? "dynamo-planner" : "dynamo-frontend"
    }:${release.imageTag}`,
    searchStrategy: request.search ?? "rapid",
    autoApply: request.autoApply ?? true,
    sla: request.sla,
    ...(workload === undefined ? {} : { workload }),
    ...(hardware === undefined ? {} : { hardware: hardwareOf(hardware, release) }),
    ...(cache === undefined ? {} : {
      modelCache: { pvcName: cache.claim, pvcMountPath: cache.mountPath },
    }),
    // That it is there switches the planner on. Its own default scales by queue and cache and pays
    // no heed to service levels; it is given ttft and itl from above, but no end-to-end latency.
    features: {
      planner: request.sla.e2eLatency === undefined ? { optimization_target: "sla" } : {},
    },
  };
}

function hardwareOf(
  { gpuSku, vramMb, totalGpus, gpusPerNode }: NonNullable<PlanningRequest["hardware"]>,
  release: Release,
): Record<string, unknown> {
  return {
    // Free text with capital letters in 1.0, one of a list after it.
    ...(gpuSku === undefined
      ? {}
      : { gpuSku: atLeast(release, 1, 1) ? gpuSku.toLowerCase() : gpuSku.toUpperCase() }),
    ...(vramMb === undefined ? {} : { vramMb }),
    ...(totalGpus === undefined ? {} : { totalGpus }),
    ...(gpusPerNode === undefined ? {} : { numGpusPerNode: gpusPerNode }),
  };
}
