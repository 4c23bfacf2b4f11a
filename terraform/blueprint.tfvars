# What you want. Every task reads this file, and terraform gets it as its variables.
# `deno task config` prints every setting and where it came from: a flag beats an
# environment variable, that beats this file, and this file beats the defaults.

# Name of the EKS cluster. Flag --name, variable DYNAMO_CLUSTER_NAME.
name = "dynamo-on-eks"

# AWS region. Flag --region, variable DYNAMO_REGION. Without any of them AWS_REGION
# or AWS_DEFAULT_REGION counts, and at last us-west-2.
# region = "us-west-2"

# Kubernetes version of the cluster, in quotes (1.30 without them would be 1.3).
# eks_cluster_version = "1.33"

# Number of availability zones, 2 to 6, or the zones by name, where it matters which: GPUs may be
# scarce in some, and a capacity reservation lies in one.
# availability_zones_count = 2
# availability_zones = ["us-west-2a", "us-west-2b"]

# Required for Dynamo deployment
enable_dynamo_stack = true # also accepted: enable_dynamo_platform
enable_argocd       = true

# Dynamo version: charts, images and the form of graphs follow from it.
# Flag --dynamo-version, variable DYNAMO_VERSION. Also accepted: dynamo_platform_version.
# Forms: "v0.4.1", "1.6.1", "0.9.0-post1", or a private build's tag such as "1.2.0-mybuild.7".
dynamo_stack_version = "v0.4.1"

# Kubernetes namespace of the platform and its graphs. Flag --namespace, variable
# DYNAMO_PLATFORM_NAMESPACE. Also accepted: dynamo_platform_namespace.
# dynamo_stack_namespace = "dynamo-cloud"

# Required infrastructure components
enable_aws_efs_csi_driver        = true # shared storage for models
enable_aws_efa_k8s_device_plugin = true # fast network between GPU nodes
enable_ai_ml_observability_stack = true # Prometheus, Grafana and dashboards

# Optional infrastructure components
# enable_kube_prometheus_stack = false # Prometheus and Grafana without the dashboards
# enable_nvidia_gpu_operator   = false # in place of the NVIDIA device plugin
# enable_soci_snapshotter      = false # lazy loading of container images
# enable_lws                   = true  # LeaderWorkerSet, for workers that span several nodes
# enable_grove                 = false # Grove and KAI, for graphs whose workers span several nodes

# AWS's controller for Ingresses and Services of type LoadBalancer
# enable_aws_load_balancer_controller = true

# Repositories for images of your own, and their names below the cluster's name
# enable_ecr_repositories = true
# ecr_repositories = ["dynamo", "vllm-runtime", "sglang-runtime", "tensorrtllm-runtime"]

# EKS add-ons to switch on or off, by name
# enable_cluster_addons = {
#   metrics-server = true
# }

# Karpenter node pools. cpu-karpenter, g5-gpu-karpenter and g6-gpu-karpenter are built
# in: name one here to change it, give it null to leave it out, or add your own.
# p5-gpu-karpenter (p5.48xlarge with EFA) is known and off: {} switches it on.
# Fields: instance_families, instance_sizes, capacity_types (spot, on-demand, reserved),
# gpu (adds the taint nvidia.com/gpu), taints (key, value, effect), efa_interfaces,
# capacity_reservations (ids), placement_group, zones, architecture (amd64, arm64), labels,
# weight (1 to 100, the heaviest pool comes first), limits, disk_gib, consolidation_policy
# (WhenEmpty, WhenEmptyOrUnderutilized), consolidate_after and expire_after (10m, 720h, Never).
# node_pools = {
#   g5-gpu-karpenter = {
#     capacity_types = ["on-demand"]
#   }
#   p5-gpu-karpenter = {}
#   p6-b200 = {
#     instance_families = ["p6-b200"]
#     instance_sizes    = ["48xlarge"]
#     capacity_types    = ["reserved", "on-demand"]
#     gpu               = "B200"
#     efa_interfaces    = 8
#     capacity_reservations = ["cr-0123456789abcdef0"]
#     limits = { "nvidia.com/gpu" = 16 }
#     disk_gib = 1000
#     consolidate_after = "30m"
#   }
# }

# Release of the image of their nodes: the newest one, or one such as "v20250920".
# node_image = "latest"

# What follows is read by terraform alone, which checks it before anything is made.

# Network. Addresses of the VPC (/16 to /22), and of nodes and pods (/16 to /20).
# vpc_cidr = "10.1.0.0/21"
# pod_cidr = "100.64.0.0/16"

# One NAT gateway for all zones, or one each: dearer, but a zone may fail.
# single_nat_gateway = true

# AWS services reached without it: s3 (free), ecr, sts, ec2, eks-auth, logs, sqs and
# elasticfilesystem (each billed by the hour and zone).
# vpc_endpoints = ["s3", "ecr"]

# An existing VPC in place of a new one: two or more of its private subnets, in different
# zones, with a way to the internet; and others for nodes and pods, if you like.
# vpc_id             = "vpc-0123456789abcdef0"
# private_subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
# pod_subnet_ids     = ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"]

# Who reaches the API server, which asks for credentials in any case.
# endpoint_public_access       = true
# endpoint_private_access      = true
# endpoint_public_access_cidrs = ["203.0.113.0/24"]

# Who may use the cluster besides the identity that makes it: administrators, and others by
# a name of your choice, for all of the cluster or for some namespaces.
# admin_arns = ["arn:aws:iam::111122223333:role/Admin"]
# access_entries = {
#   search-team = {
#     principal_arn = "arn:aws:iam::111122223333:role/Search"
#     policy        = "AmazonEKSEditPolicy"
#     namespaces    = ["search"]
#   }
# }

# Encryption of Kubernetes secrets: by a new key, or by yours. It stays on once it is.
# enable_secrets_encryption = true
# kms_key_arn = "arn:aws:kms:us-west-2:111122223333:key/0a1b2c3d-0000-1111-2222-333344445555"

# Logs of the control plane in CloudWatch, and the days that they are kept.
# log_types          = ["api", "audit", "authenticator"]
# log_retention_days = 90

# AWS refuses to delete the cluster while this is true; deno task cleanup then stops.
# enable_deletion_protection = false

# Nodes of Karpenter, the add-ons and the platform.
# core_node_group = {
#   instance_types = ["m6i.xlarge"]
#   min_size       = 2
#   max_size       = 5
#   desired_size   = 3
#   volume_size    = 100
# }

# Program that prints a token for the cluster; the tasks bring their own.
# token_command = ["aws", "eks", "get-token", "--cluster-name", "dynamo-on-eks"]

# Further tags of everything that is made.
# tags = { team = "search" }
