# The switches of blueprint.tfvars for what runs on the cluster.

variable "enable_argocd" {
  description = "Argo CD, which then installs Dynamo's platform."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_aws_efs_csi_driver" {
  description = "An EFS file system for models, its CSI driver and the StorageClass efs-sc-dynamic."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_aws_efa_k8s_device_plugin" {
  description = "EFA interfaces as the resource vpc.amazonaws.com/efa."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_ai_ml_observability_stack" {
  description = "Prometheus, Grafana, Dynamo's dashboards and metrics of GPUs."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_kube_prometheus_stack" {
  description = "Prometheus and Grafana alone; the observability stack has them already."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_nvidia_gpu_operator" {
  description = "NVIDIA's GPU operator in place of the device plugin."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_soci_snapshotter" {
  description = "Nodes pull container images in parallel and unpack them while they come."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_aws_load_balancer_controller" {
  description = "AWS's controller for Ingresses and Services of type LoadBalancer."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_lws" {
  description = "LeaderWorkerSet, for workloads whose groups of pods span several nodes."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_grove" {
  description = "Grove and the KAI scheduler, for graphs whose workers span several nodes."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.enable_grove || local.dynamo_minor >= 5
    error_message = "enable_grove needs Dynamo 0.5.0 or later, which dynamo_stack_version must say: earlier ones know neither Grove nor KAI."
  }
}

variable "enable_ecr_repositories" {
  description = "Repositories for images of your own."
  type        = bool
  default     = true
  nullable    = false
}

variable "ecr_repositories" {
  description = "Their names, below the cluster's name."
  type        = list(string)
  default     = ["dynamo", "vllm-runtime", "sglang-runtime", "tensorrtllm-runtime"]
  nullable    = false

  validation {
    condition     = alltrue([for name in var.ecr_repositories : can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", name))])
    error_message = "ecr_repositories must be names of lower-case letters and digits with ., _, / or - between them."
  }
}

variable "enable_cluster_addons" {
  description = "EKS add-ons to switch on or off, by name."
  type        = map(bool)
  default     = {}
  nullable    = false

  validation {
    condition = length(setsubtract(keys(var.enable_cluster_addons), [
      "coredns", "kube-proxy", "vpc-cni", "eks-pod-identity-agent", "aws-ebs-csi-driver", "aws-efs-csi-driver",
      "metrics-server", "eks-node-monitoring-agent", "amazon-cloudwatch-observability", "cert-manager",
      "snapshot-controller",
    ])) == 0
    error_message = "enable_cluster_addons: unknown add-on. Known: coredns, kube-proxy, vpc-cni, eks-pod-identity-agent, aws-ebs-csi-driver, aws-efs-csi-driver, metrics-server, eks-node-monitoring-agent, amazon-cloudwatch-observability, cert-manager, snapshot-controller."
  }
  validation {
    condition     = alltrue([for on in values(var.enable_cluster_addons) : on != null])
    error_message = "enable_cluster_addons must say true or false for each add-on that it names."
  }
  validation {
    condition = alltrue([
      for name in ["coredns", "kube-proxy", "vpc-cni", "eks-pod-identity-agent"] :
      try(lookup(var.enable_cluster_addons, name, true), true) != false
    ])
    error_message = "enable_cluster_addons: coredns, kube-proxy, vpc-cni and eks-pod-identity-agent cannot be off: pods get their network, names and roles from them."
  }
  validation {
    condition     = lookup(var.enable_cluster_addons, "aws-efs-csi-driver", var.enable_aws_efs_csi_driver) == var.enable_aws_efs_csi_driver
    error_message = "enable_cluster_addons and enable_aws_efs_csi_driver say different things of aws-efs-csi-driver; keep enable_aws_efs_csi_driver."
  }
}
