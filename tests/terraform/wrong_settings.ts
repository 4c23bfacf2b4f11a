/**
 * Wrong settings, and what terraform says of them.
 *
 * @module
 */

/** Settings as a `.tfvars` text, and a part of the sentence that refuses them. */
export type WrongSettings = readonly [settings: string, sentence: string];

/** Mistakes that lib/blueprint sees as well, as it reads these settings too. */
export const WRONG_EVERYWHERE: readonly WrongSettings[] = [
  ['name = "my cluster"', "name must be a cluster name of letters, digits, - and _"],
  ['name = "-a"', "name must be a cluster name"],
  [`name = "${"a".repeat(101)}"`, "at most 100 of them"],
  ['cluster_name = "a.b"', "cluster_name must be a cluster name"],
  ['name = "a"\ncluster_name = "b"', "name and cluster_name are two spellings of one setting"],
  ['region = "us-west-2a"', "an availability zone such as us-west-2a is not one"],
  ['region = "Oregon"', "region must be an AWS region such as us-west-2"],
  ['aws_region = "uswest2"', "aws_region must be an AWS region"],
  ['region = "us-west-2"\naws_region = "us-east-1"', "region and aws_region are two spellings"],
  ["eks_cluster_version = 1.30", 'must be a Kubernetes version in quotes such as "1.33"'],
  ['eks_cluster_version = "v1.33"', "eks_cluster_version must be a Kubernetes version"],
  ["availability_zones_count = 1", "a whole number from 2 to 6: EKS needs two zones"],
  ["availability_zones_count = 7", "a whole number from 2 to 6"],
  ["availability_zones_count = 2.5", "a whole number from 2 to 6"],
  ['dynamo_stack_version = "latest"', "dynamo_stack_version must be a version such as v0.4.1"],
  ['dynamo_platform_version = "1"', "dynamo_platform_version must be a version"],
  [
    'dynamo_stack_version = "v0.4.1"\ndynamo_platform_version = "1.6.1"',
    "dynamo_stack_version and dynamo_platform_version are two spellings",
  ],
  ['dynamo_stack_namespace = "Dynamo"', "dynamo_stack_namespace must be a namespace"],
  ['dynamo_platform_namespace = "a_b"', "dynamo_platform_namespace must be a namespace"],
  ['dynamo_namespace = "-a"', "dynamo_namespace must be a namespace"],
  [
    'dynamo_platform_namespace = "a"\ndynamo_namespace = "b"',
    "dynamo_platform_namespace and dynamo_namespace are spellings of one setting",
  ],
  [
    "enable_dynamo_stack = true\nenable_dynamo_platform = false",
    "enable_dynamo_stack and enable_dynamo_platform are two spellings",
  ],
  ['enable_argocd = "perhaps"', "a bool is required"],
  ["node_pools = []", "node_pools must be an object by pool name"],
  ['node_pools = { a = "g5" }', "node_pools must be an object by pool name"],
  ['node_pools = { G5 = { instance_families = ["g5"] } }', "a pool's name must be lower-case"],
  [
    'node_pools = { g5-gpu-karpenter = { instance_type = "g5.xlarge" } }',
    "unknown field. Given: instance_type. Known: instance_families",
  ],
  ["node_pools = { mine = {} }", "a new pool needs instance_families"],
  ["node_pools = { mine = { instance_families = [] } }", "a new pool needs instance_families"],
  ["node_pools = { mine = { instance_families = null } }", "a new pool needs instance_families"],
  [
    "node_pools = { g5-gpu-karpenter = { instance_families = [] } }",
    "a new pool needs instance_families",
  ],
  ['node_pools = { mine = { instance_families = "g5" } }', "are lists, such as"],
  ['node_pools = { cpu-karpenter = { capacity_types = "spot" } }', "are lists, such as"],
  [
    'node_pools = { cpu-karpenter = { capacity_types = ["Spot"] } }',
    "capacity_types are spot, on-demand and reserved",
  ],
  [
    'node_pools = { cpu-karpenter = { taints = [{ key = "a", effect = "NoStart" }] } }',
    "a taint has a key, perhaps a value, and an effect",
  ],
  [
    'node_pools = { cpu-karpenter = { taints = [{ effect = "NoExecute" }] } }',
    "a taint has a key, perhaps a value, and an effect",
  ],
  [
    'node_pools = { cpu-karpenter = { taints = [{ key = "a", vaule = "b" }] } }',
    "a taint has a key, perhaps a value, and an effect",
  ],
  [
    'node_pools = { p5-gpu-karpenter = { efa_interfaces = "many" } }',
    "efa_interfaces must be a whole number from 0 to 32",
  ],
  [
    "node_pools = { p5-gpu-karpenter = { efa_interfaces = 33 } }",
    "efa_interfaces must be a whole number from 0 to 32",
  ],
  [
    "node_pools = { p5-gpu-karpenter = { efa_interfaces = 0.5 } }",
    "efa_interfaces must be a whole number from 0 to 32",
  ],
];

/** Mistakes that terraform alone sees. */
export const WRONG_IN_TERRAFORM: readonly WrongSettings[] = [
  [
    'node_pools = { mine = { instance_families = ["g5.xlarge"] } }',
    "instance_families are the part of an instance type before the dot",
  ],
  [
    'node_pools = { cpu-karpenter = { instance_sizes = ["m5.xlarge"] } }',
    "instance_sizes are the part of an instance type after the dot",
  ],
  [
    'node_pools = { p5-gpu-karpenter = { capacity_reservations = ["p5"] } }',
    "capacity_reservations are ids such as cr-0123456789abcdef0",
  ],
  ["node_pools = { cpu-karpenter = { disk_gib = 5 } }", "disk_gib is 50 to 16384"],
  ['node_pools = { cpu-karpenter = { disk_gib = "big" } }', "disk_gib is 50 to 16384"],
  ["node_pools = { cpu-karpenter = { weight = 0 } }", "weight 1 to 100"],
  ["node_pools = { cpu-karpenter = { limits = 16 } }", "limits an object such as"],
  ['node_pools = { cpu-karpenter = { labels = ["a"] } }', "labels one such as"],
  [
    'node_pools = { cpu-karpenter = { consolidate_after = "soon" } }',
    "consolidate_after and expire_after are durations such as 10m or 720h, or Never",
  ],
  [
    'node_pools = { cpu-karpenter = { consolidation_policy = "Always" } }',
    "consolidation_policy is WhenEmpty or WhenEmptyOrUnderutilized",
  ],
  ['node_pools = { cpu-karpenter = { architecture = "x86" } }', "architecture is amd64 or arm64"],
  ['node_image = "al2023"', "node_image must be latest or a release such as v20250920"],
  ['availability_zones = ["us-west-2a"]', "must name 2 to 6 zones"],
  ['availability_zones = ["us-west-2", "us-west-2b"]', "must hold names of zones"],
  ['availability_zones = ["us-west-2a", "us-west-2a"]', "names a zone twice"],
  ['vpc_cidr = "10.1.0.0"', "vpc_cidr must be an IPv4 range from /16 to /22"],
  ['vpc_cidr = "10.1.0.0/24"', "vpc_cidr must be an IPv4 range from /16 to /22"],
  ['vpc_cidr = "10.300.0.0/20"', "vpc_cidr must be an IPv4 range from /16 to /22"],
  ['vpc_cidr = "fd00::/20"', "vpc_cidr must be an IPv4 range from /16 to /22"],
  ['vpc_cidr = "10.1.0.5/21"', "vpc_cidr must begin at the first address of its range"],
  ['pod_cidr = "100.64.0.0/24"', "pod_cidr must be an IPv4 range from /16 to /20"],
  ['pod_cidr = "100.64.0.5/16"', "pod_cidr must begin at the first address of its range"],
  ['vpc_cidr = "100.64.8.0/21"', "vpc_cidr and pod_cidr overlap"],
  ['pod_cidr = "10.1.0.0/16"', "vpc_cidr and pod_cidr overlap"],
  ['vpc_endpoints = ["s3", "ebs"]', "and elasticfilesystem; unknown: ebs"],
  ['vpc_id = "my-vpc"', "vpc_id must be the id of a VPC"],
  ['vpc_id = "vpc-0123456789abcdef0"', "vpc_id needs private_subnet_ids: two or more"],
  [
    'vpc_id = "vpc-0123456789abcdef0"\nprivate_subnet_ids = ["subnet-0123456789abcdef0"]',
    "vpc_id needs private_subnet_ids: two or more",
  ],
  [
    'vpc_id = "vpc-0123456789abcdef0"\nprivate_subnet_ids = ["a", "b"]',
    "private_subnet_ids must hold ids of subnets",
  ],
  [
    'private_subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]',
    "private_subnet_ids needs vpc_id",
  ],
  ['pod_subnet_ids = ["subnet-0123456789abcdef0"]', "pod_subnet_ids needs vpc_id"],
  [
    'vpc_id = "vpc-0123456789abcdef0"\n' +
    'private_subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]\n' +
    'pod_subnet_ids = ["pods"]',
    "pod_subnet_ids must hold ids of subnets",
  ],
  ["endpoint_public_access = false\nendpoint_private_access = false", "nobody could reach"],
  ['endpoint_public_access_cidrs = ["203.0.113.7"]', "one address is 203.0.113.7/32"],
  ["endpoint_public_access_cidrs = []", "endpoint_public_access_cidrs is empty"],
  ['admin_arns = ["Admin"]', "admin_arns must hold ARNs of IAM roles or users"],
  [
    'admin_arns = ["arn:aws:sts::111122223333:assumed-role/Admin/me"]',
    "admin_arns must hold ARNs of IAM roles or users",
  ],
  ['access_entries = { a = { principal_arn = "a" } }', "access_entries must have principal_arn"],
  [
    'access_entries = { a = { principal_arn = "arn:aws:iam::111122223333:role/A", policy = "Root" } }',
    "access_entries may have as policy",
  ],
  ['kms_key_arn = "alias/mine"', "kms_key_arn must be the ARN of a KMS key"],
  ['log_types = ["kubelet"]', "log_types may hold api, audit, authenticator"],
  ["log_retention_days = 10", "log_retention_days must be a number of days that CloudWatch knows"],
  ["core_node_group = { min_size = 4 }", "needs 1 <= min_size <= desired_size <= max_size"],
  ["core_node_group = { min_size = 0 }", "needs 1 <= min_size <= desired_size <= max_size"],
  ['core_node_group = { instance_types = ["m6i"] }', "must hold EC2 instance types"],
  ["core_node_group = { volume_size = 8 }", "volume_size must be 20 to 16384 GiB"],
  ["token_command = []", "token_command must begin with a program"],
  ['tags = { "aws:team" = "a" }', "do not begin with aws:"],
  ['tags = { managed-by = "me" }', "cleanup finds what belongs to this cluster by them"],
  ["enable_grove = true", "enable_grove needs Dynamo 0.5.0 or later"],
  ['ecr_repositories = ["Dynamo"]', "ecr_repositories must be names of lower-case letters"],
  ["enable_cluster_addons = { core-dns = true }", "unknown add-on. Known: coredns"],
  ["enable_cluster_addons = { coredns = null }", "must say true or false for each add-on"],
  ["enable_cluster_addons = { vpc-cni = false }", "cannot be off"],
  ["enable_cluster_addons = { aws-efs-csi-driver = false }", "say different things"],
];
