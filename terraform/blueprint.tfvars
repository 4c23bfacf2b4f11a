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

# Number of availability zones, 2 to 6. GPUs may be scarce in some zones.
# availability_zones_count = 2

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

# EKS add-ons to switch on or off, by name
# enable_cluster_addons = {
#   metrics-server = true
# }

# Karpenter node pools. cpu-karpenter, g5-gpu-karpenter and g6-gpu-karpenter are built
# in: name one here to change it, give it null to leave it out, or add your own.
# p5-gpu-karpenter (p5.48xlarge with EFA) is known and off: {} switches it on.
# Fields: instance_families, instance_sizes, capacity_types (spot, on-demand, reserved),
# gpu (adds the taint nvidia.com/gpu), taints (key, value, effect), efa_interfaces.
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
#   }
# }
