/**
 * Options of the tasks that make infrastructure or install the platform.
 *
 * @module
 */
import type { Options, OptionValues } from "../cli/options.ts";
import type { PlatformChoices } from "./platform.ts";

/** Which cluster, as whom, and where terraform's state is. */
export const clusterOptions = {
  name: {
    kind: "text",
    placeholder: "cluster",
    description: "eks: name of the cluster; wins over terraform/blueprint.tfvars",
  },
  region: { kind: "text", placeholder: "region", description: "eks: AWS region" },
  profile: {
    kind: "text",
    placeholder: "name",
    description: "eks: profile of the AWS configuration; wins over keys in variables",
  },
  backend: {
    kind: "text",
    choices: ["local", "s3"],
    placeholder: "where",
    description:
      "eks: where terraform's state is, local (.dynamo) or s3 (a bucket that is made); remembered",
  },
} as const satisfies Options;

/** How the platform is installed. */
export const platformOptions = {
  platformBy: {
    kind: "text",
    choices: ["helm", "argocd"],
    placeholder: "how",
    description: "Install the platform by helm or argocd; argocd where it runs unless given",
  },
  chartRepository: {
    kind: "text",
    placeholder: "url",
    description: "Where Dynamo's charts come from: URL, oci://… or folder; NVIDIA's unless given",
  },
  values: {
    kind: "text",
    placeholder: "file",
    description:
      "Values of the platform's chart; terraform/helm-values/dynamo-platform.yaml unless given",
  },
  storageClass: {
    kind: "text",
    placeholder: "name",
    description: "StorageClass of etcd and NATS; the cluster's default unless given",
  },
  hfTokenFile: {
    kind: "text",
    placeholder: "file",
    description: "File with the Hugging Face token, in place of HF_TOKEN",
  },
  withoutHfToken: {
    kind: "flag",
    description: "Go without a Hugging Face token: no graph is going to download a model with it",
  },
  ngcPullSecret: {
    kind: "flag",
    description: "Make a pull secret for NVIDIA's registry of NGC_API_KEY",
  },
  adopt: {
    kind: "flag",
    description: "Take over a platform that somebody else installed, with its values",
  },
  forceUpgrade: {
    kind: "flag",
    description: "Upgrade Dynamo even with graphs that may not survive it",
  },
  forceDowngrade: { kind: "flag", description: "Install an older Dynamo than the one there is" },
} as const satisfies Options;

/** The platform's choices from the options. */
export function platformChoices(options: OptionValues<typeof platformOptions>): PlatformChoices {
  const { platformBy, values, ...rest } = options;
  return { ...rest, by: platformBy, valuesFile: values };
}
