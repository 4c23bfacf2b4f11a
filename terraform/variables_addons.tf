# The switches of blueprint.tfvars for what runs on the cluster.

variable "enable_argocd" {
  description = "Argo CD, which then installs Dynamo's platform"
  type        = bool
  default     = true
}

variable "enable_aws_efs_csi_driver" {
  description = "An EFS file system for models and the StorageClass efs-sc-dynamic"
  type        = bool
  default     = true
}

variable "enable_aws_efa_k8s_device_plugin" {
  description = "EFA interfaces as the resource vpc.amazonaws.com/efa"
  type        = bool
  default     = true
}

variable "enable_ai_ml_observability_stack" {
  description = "Prometheus, Grafana, Dynamo's dashboards and GPU metrics"
  type        = bool
  default     = true
}

variable "enable_kube_prometheus_stack" {
  description = "Prometheus and Grafana alone; the observability stack has them already"
  type        = bool
  default     = false
}

variable "enable_nvidia_gpu_operator" {
  description = "NVIDIA's GPU operator in place of the device plugin"
  type        = bool
  default     = false
}

variable "enable_soci_snapshotter" {
  description = "Pulls container images in parallel and unpacks them while they come"
  type        = bool
  default     = false
}

variable "enable_lws" {
  description = "LeaderWorkerSet, for graphs whose pods span several nodes"
  type        = bool
  default     = true
}

variable "enable_grove" {
  description = "Grove and the KAI scheduler, for gang-scheduled graphs over several nodes"
  type        = bool
  default     = false
}

variable "enable_ecr_repositories" {
  description = "Repositories for images of your own"
  type        = bool
  default     = true
}

variable "ecr_repositories" {
  description = "Their names below the cluster's name"
  type        = list(string)
  default     = ["dynamo", "vllm-runtime", "sglang-runtime", "tensorrtllm-runtime"]

  validation {
    condition     = alltrue([for name in var.ecr_repositories : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", name))])
    error_message = "ecr_repositories must be names of lower-case letters and digits with ., _, / or - between them."
  }
}

variable "enable_cluster_addons" {
  description = "EKS add-ons to switch on or off, by name"
  type        = map(bool)
  default     = {}

  validation {
    condition = length(setsubtract(keys(var.enable_cluster_addons), [
      "coredns", "kube-proxy", "vpc-cni", "eks-pod-identity-agent", "aws-ebs-csi-driver", "aws-efs-csi-driver",
      "metrics-server", "eks-node-monitoring-agent", "amazon-cloudwatch-observability", "cert-manager",
      "snapshot-controller", "external-dns",
    ])) == 0
    error_message = "enable_cluster_addons: unknown add-on. Known: coredns, kube-proxy, vpc-cni, eks-pod-identity-agent, aws-ebs-csi-driver, aws-efs-csi-driver, metrics-server, eks-node-monitoring-agent, amazon-cloudwatch-observability, cert-manager, snapshot-controller, external-dns."
  }

  validation {
    condition     = alltrue([for name in ["vpc-cni", "eks-pod-identity-agent"] : lookup(var.enable_cluster_addons, name, true)])
    error_message = "enable_cluster_addons: vpc-cni and eks-pod-identity-agent cannot be off, pods get their addresses and roles from them."
  }
}
