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
} as const satisfies Options;

/** Values of the overlay options; all may be missing. */
export type Overlays = Partial<OptionValues<typeof overlayOptions>>;
