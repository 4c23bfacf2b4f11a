# GPUs and EFA interfaces as resources that pods can ask for.

locals {
  # On every GPU node, whatever taints its pool has.
  everywhere = [{ operator = "Exists" }]

  # Nodes with NVIDIA GPUs: Karpenter's own label, and NVIDIA's for nodes from elsewhere.
  gpu_nodes = {
    nodeAffinity = {
      requiredDuringSchedulingIgnoredDuringExecution = {
        nodeSelectorTerms = [
          { matchExpressions = [{ key = "karpenter.k8s.aws/instance-gpu-manufacturer", operator = "In", values = ["nvidia"] }] },
          { matchExpressions = [{ key = "nvidia.com/gpu.present", operator = "In", values = ["true"] }] },
        ]
      }
    }
  }
}

resource "helm_release" "nvidia_device_plugin" {
  count = var.enable_nvidia_gpu_operator ? 0 : 1

  name             = "nvidia-device-plugin"
  namespace        = "nvidia-device-plugin"
  create_namespace = true
  repository       = local.charts.nvidia_device_plugin.repository
  chart            = local.charts.nvidia_device_plugin.chart
  version          = local.charts.nvidia_device_plugin.version
  upgrade_install  = true

  values = [yamlencode({
    # Karpenter says what a node has, so no feature discovery is needed to find the GPU nodes.
    affinity    = local.gpu_nodes
    tolerations = local.everywhere
  })]

  depends_on = [terraform_data.cluster_ready]
}

resource "helm_release" "nvidia_gpu_operator" {
  count = var.enable_nvidia_gpu_operator ? 1 : 0

  name             = "gpu-operator"
  namespace        = "gpu-operator"
  create_namespace = true
  repository       = local.charts.gpu_operator.repository
  chart            = local.charts.gpu_operator.chart
  version          = local.charts.gpu_operator.version
  timeout          = 600
  upgrade_install  = true

  values = [yamlencode({
    # The nodes' image has both.
    driver  = { enabled = false }
    toolkit = { enabled = false }
    # Metrics of GPUs come from the exporter in monitoring.tf.
    dcgm         = { enabled = false }
    dcgmExporter = { enabled = false }
    daemonsets   = { tolerations = local.everywhere }
    node-feature-discovery = {
      worker = { tolerations = local.everywhere }
    }
  })]

  depends_on = [terraform_data.cluster_ready]
}

# The chart knows which types of instances have EFA.
resource "helm_release" "aws_efa_k8s_device_plugin" {
  count = var.enable_aws_efa_k8s_device_plugin ? 1 : 0

  name            = "aws-efa-k8s-device-plugin"
  namespace       = "kube-system"
  repository      = local.charts.aws_efa_k8s_device_plugin.repository
  chart           = local.charts.aws_efa_k8s_device_plugin.chart
  version         = local.charts.aws_efa_k8s_device_plugin.version
  upgrade_install = true

  values = [yamlencode({ tolerations = local.everywhere })]

  depends_on = [terraform_data.cluster_ready]
}
