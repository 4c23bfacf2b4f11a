# GPUs and EFA interfaces as resources that pods can ask for.

locals {
  # Whatever value the taint has.
  gpu_tolerations = [{ key = "nvidia.com/gpu", operator = "Exists", effect = "NoSchedule" }]
}

resource "helm_release" "nvidia_device_plugin" {
  count = var.enable_nvidia_gpu_operator ? 0 : 1

  name             = "nvidia-device-plugin"
  namespace        = "nvidia-device-plugin"
  create_namespace = true
  repository       = "https://nvidia.github.io/k8s-device-plugin"
  chart            = "nvidia-device-plugin"
  version          = local.charts.nvidia_device_plugin

  values = [yamlencode({
    # GPU feature discovery writes the labels that Dynamo's planner and doctor read.
    gfd         = { enabled = true }
    tolerations = local.gpu_tolerations
  })]

  depends_on = [module.eks]
}

resource "helm_release" "nvidia_gpu_operator" {
  count = var.enable_nvidia_gpu_operator ? 1 : 0

  name             = "gpu-operator"
  namespace        = "gpu-operator"
  create_namespace = true
  repository       = "https://helm.ngc.nvidia.com/nvidia"
  chart            = "gpu-operator"
  version          = local.charts.gpu_operator

  values = [yamlencode({
    # The nodes' image has both.
    driver  = { enabled = false }
    toolkit = { enabled = false }
    # Metrics come from the exporter of the observability stack when there is one.
    dcgmExporter = { enabled = !var.enable_ai_ml_observability_stack }
    daemonsets   = { tolerations = local.gpu_tolerations }
  })]

  depends_on = [module.eks]
}

resource "helm_release" "aws_efa_k8s_device_plugin" {
  count = var.enable_aws_efa_k8s_device_plugin ? 1 : 0

  name       = "aws-efa-k8s-device-plugin"
  namespace  = "kube-system"
  repository = "https://aws.github.io/eks-charts"
  chart      = "aws-efa-k8s-device-plugin"
  version    = local.charts.aws_efa_k8s_device_plugin

  values = [yamlencode({ tolerations = local.gpu_tolerations })]

  depends_on = [module.eks]
}
