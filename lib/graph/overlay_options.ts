/**
 * Command-line options that change a graph before it is rendered. A command takes them as
 * `{ ...commonOptions, ...overlayOptions }` and hands their values to `applyOverlays`.
 *
 * @module
 */
import type { Options, OptionValues } from "../cli/options.ts";

/** The options. */
export const overlayOptions = {
  name: { kind: "text", placeholder: "name", description: "Deploy under this name" },
  model: {
    kind: "text",
    short: "m",
    placeholder: "id",
    description: "Serve this model (Hugging Face name, or a path in the container)",
  },
  servedModelName: {
    kind: "text",
    placeholder: "name",
    description: "Name of the model in the API",
  },
  maxModelLen: {
    kind: "integer",
    min: 16,
    placeholder: "tokens",
    description: "Longest context, prompt and answer together",
  },
  tensorParallel: {
    kind: "list",
    placeholder: "[component=]n",
    description: "Split the model over n GPUs; asks for as many GPUs unless --gpus is given",
  },
  gpus: {
    kind: "list",
    placeholder: "[component=]n",
    description: "GPUs of a pod; splits the model over them unless --tensor-parallel is given",
  },
  replicas: { kind: "list", placeholder: "[component=]n", description: "Pods of a component" },
  nodePool: {
    kind: "list",
    placeholder: "[component=]pool",
    description: "Karpenter node pool of a component",
  },
  instanceType: {
    kind: "list",
    placeholder: "[component=]type",
    description: "EC2 instance type of a component, for example g6e.12xlarge",
  },
  sharedMemory: {
    kind: "list",
    placeholder: "[component=]size",
    description: "Size of /dev/shm, for example 16Gi",
  },
  hfTokenSecret: {
    kind: "text",
    placeholder: "name",
    description: "Secret with the key HF_TOKEN, for models that need one",
  },
  cachePvc: {
    kind: "text",
    placeholder: "claim[:path]",
    description: "Keep models in this PersistentVolumeClaim",
  },
  image: {
    kind: "list",
    placeholder: "[component=]image",
    description: "Container image of a component; of all without one",
  },
  env: {
    kind: "list",
    placeholder: "[component:]NAME=value",
    description: "Environment variable of a component; of all without one",
  },
  values: {
    kind: "list",
    placeholder: "file",
    description: "YAML laid over the example: keys of graph.yaml, or Common/Frontend/ServiceArgs",
  },
  set: {
    kind: "list",
    placeholder: "path=value",
    description: "Any key of graph.yaml, for example model.maxLength=8192",
  },
} as const satisfies Options;

/** Values of the overlay options; all may be missing. */
export type Overlays = Partial<OptionValues<typeof overlayOptions>>;
