/**
 * DynamoModel: one object for each LoRA adapter; the operator has the workers load it.
 *
 * @module
 */
import type { KubeObject } from "../kube/types.ts";
import type { Graph } from "./types.ts";

/** The adapters of a graph as objects; none without adapters. */
export function adapterObjects(
  graph: Graph,
  deployed: { readonly name: string; readonly namespace: string },
  labels: Readonly<Record<string, string>>,
): KubeObject[] {
  return (graph.lora?.adapters ?? []).map((adapter) => ({
    apiVersion: "nvidia.com/v1alpha1",
    kind: "DynamoModel",
    metadata: {
      name: adapterObjectName(deployed.name, adapter.name),
      namespace: deployed.namespace,
      labels: { ...labels },
    },
    spec: {
      modelName: adapter.name,
      baseModelName: graph.model?.id,
      modelType: "lora",
      source: { uri: adapter.source },
    },
  }));
}

/** Name of an adapter's object: `vllm-lora-my-adapter` of `Org/My_Adapter`. */
export function adapterObjectName(graphName: string, adapter: string): string {
  const last = adapter.split("/").at(-1) ?? adapter;
  const plain = last.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return `${graphName}-${plain}`.slice(0, 63).replace(/-+$/, "");
}
