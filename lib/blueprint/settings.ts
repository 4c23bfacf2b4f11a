/**
 * The settings of a blueprint as data: names, other spellings, variables, defaults, rules.
 *
 * @module
 */
import { DEFAULT_DYNAMO_VERSION, DEFAULT_NAMESPACE } from "./release_table.ts";

/** A setting that is a text. */
export interface TextSetting {
  /** Name in the file. */
  readonly key: string;
  /** Other names in the file, of newer or older blueprints. */
  readonly aliases?: readonly string[];
  /** Name of the flag, without dashes. */
  readonly flag?: string;
  /** Environment variable that beats the file. */
  readonly env?: string;
  /** Environment variables, not made for this project, that count when the file says nothing. */
  readonly ambient?: readonly string[];
  /** Value when nothing says otherwise. */
  readonly default: string;
  /** What a value must look like. */
  readonly pattern?: RegExp;
  /** The same in words: "expected …". */
  readonly expected?: string;
}

/** Settings that are texts, by their name in the Blueprint. */
export const TEXT_SETTINGS = {
  name: {
    key: "name",
    aliases: ["cluster_name"],
    flag: "name",
    env: "DYNAMO_CLUSTER_NAME",
    default: "dynamo-on-eks",
    // Names of EKS clusters, from its API reference.
    pattern: /^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$/,
    expected: "a cluster name of letters, digits, - and _, at most 100 of them",
  },
  region: {
    key: "region",
    aliases: ["aws_region"],
    flag: "region",
    env: "DYNAMO_REGION",
    ambient: ["AWS_REGION", "AWS_DEFAULT_REGION"],
    default: "us-west-2",
    pattern: /^[a-z]{2,3}(-[a-z]+){1,3}-\d{1,2}$/,
    expected: "an AWS region such as us-west-2",
  },
  eksClusterVersion: {
    key: "eks_cluster_version",
    default: "1.33",
    pattern: /^1\.\d{2}$/,
    expected: "a Kubernetes version such as 1.33",
  },
  dynamoVersion: {
    key: "dynamo_stack_version",
    aliases: ["dynamo_platform_version"],
    flag: "dynamo-version",
    env: "DYNAMO_VERSION",
    default: DEFAULT_DYNAMO_VERSION,
  },
  namespace: {
    key: "dynamo_stack_namespace",
    aliases: ["dynamo_platform_namespace", "dynamo_namespace"],
    flag: "namespace",
    env: "DYNAMO_PLATFORM_NAMESPACE",
    default: DEFAULT_NAMESPACE,
    pattern: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    expected: "a namespace of lower-case letters, digits and -, at most 63 of them",
  },
} as const satisfies Record<string, TextSetting>;

/** The name of a text setting in the Blueprint. */
export type TextSettingName = keyof typeof TEXT_SETTINGS;

/** A setting that is on or off. */
export interface SwitchSetting {
  /** Name in the file. */
  readonly key: string;
  /** Other names in the file. */
  readonly aliases?: readonly string[];
  /** Value when the file says nothing. */
  readonly default: boolean;
}

/** Settings that are on or off. */
export const SWITCHES: readonly SwitchSetting[] = [
  { key: "enable_dynamo_stack", aliases: ["enable_dynamo_platform"], default: true },
  { key: "enable_argocd", default: true },
  { key: "enable_aws_efs_csi_driver", default: true },
  { key: "enable_aws_efa_k8s_device_plugin", default: true },
  { key: "enable_ai_ml_observability_stack", default: true },
  { key: "enable_kube_prometheus_stack", default: false },
  { key: "enable_nvidia_gpu_operator", default: false },
  { key: "enable_soci_snapshotter", default: false },
];

/** Settings of other shapes. */
export const OTHER_SETTINGS = {
  availabilityZonesCount: { key: "availability_zones_count" },
  clusterAddons: { key: "enable_cluster_addons" },
  nodePools: { key: "node_pools" },
} as const;

/**
 * Settings of the infrastructure that terraform alone reads and checks. They are known here so that
 * a slip in one of their names is told apart from them.
 */
export const TERRAFORM_SETTINGS: readonly string[] = [
  // Network
  "availability_zones",
  "vpc_cidr",
  "pod_cidr",
  "single_nat_gateway",
  "vpc_endpoints",
  "vpc_id",
  "private_subnet_ids",
  "pod_subnet_ids",
  // Cluster
  "endpoint_public_access",
  "endpoint_private_access",
  "endpoint_public_access_cidrs",
  "admin_arns",
  "access_entries",
  "enable_secrets_encryption",
  "kms_key_arn",
  "log_types",
  "log_retention_days",
  "enable_deletion_protection",
  "core_node_group",
  "node_image",
  "token_command",
  "tags",
  // Add-ons
  "enable_aws_load_balancer_controller",
  "enable_lws",
  "enable_grove",
  "enable_ecr_repositories",
  "ecr_repositories",
];

/** Every name that the file may hold: exactly the variables of `terraform/`. */
export function knownKeys(): string[] {
  const settings: readonly { key: string; aliases?: readonly string[] }[] = [
    ...Object.values(TEXT_SETTINGS),
    ...SWITCHES,
    ...Object.values(OTHER_SETTINGS),
  ];
  return [
    ...settings.flatMap((setting) => [setting.key, ...(setting.aliases ?? [])]),
    ...TERRAFORM_SETTINGS,
  ];
}
