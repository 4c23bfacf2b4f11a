# Every Helm chart besides Karpenter's (karpenter.tf): where it comes from, and which version.
# Versions are exact, so that the same checkout makes the same cluster.

locals {
  # Minor release of Dynamo as a number: 0.4.1 is 4, 1.6.1 is 106.
  dynamo_version = trimprefix(coalesce(var.dynamo_stack_version, var.dynamo_platform_version, "0.4.1"), "v")
  dynamo_minor   = tonumber(split(".", local.dynamo_version)[0]) * 100 + tonumber(split(".", local.dynamo_version)[1])

  charts = {
    argocd = {
      repository = "https://argoproj.github.io/argo-helm"
      chart      = "argo-cd"
      version    = "8.1.1"
    }
    aws_efa_k8s_device_plugin = {
      repository = "https://aws.github.io/eks-charts"
      chart      = "aws-efa-k8s-device-plugin"
      version    = "v0.5.29"
    }
    aws_load_balancer_controller = {
      repository = "https://aws.github.io/eks-charts"
      chart      = "aws-load-balancer-controller"
      version    = "1.13.4"
    }
    dcgm_exporter = {
      repository = "https://nvidia.github.io/dcgm-exporter/helm-charts"
      chart      = "dcgm-exporter"
      version    = "4.8.1"
    }
    gpu_operator = {
      repository = "https://helm.ngc.nvidia.com/nvidia"
      chart      = "gpu-operator"
      version    = "v25.10.1"
    }
    # Dynamo's releases ask for different ones; these are the least that each of them works with.
    grove = {
      repository = "oci://ghcr.io/ai-dynamo/grove"
      chart      = "grove-charts"
      version = (
        local.dynamo_minor >= 106 ? "v0.1.0-alpha.14" :
        local.dynamo_minor >= 105 ? "v0.1.0-alpha.13" :
        local.dynamo_minor >= 104 ? "v0.1.0-alpha.12" : "v0.1.0-alpha.8"
      )
    }
    kai_scheduler = {
      repository = "oci://ghcr.io/kai-scheduler/kai-scheduler"
      chart      = "kai-scheduler"
      version    = local.dynamo_minor >= 105 ? "v0.17.0" : "v0.13.4"
    }
    kube_prometheus_stack = {
      repository = "https://prometheus-community.github.io/helm-charts"
      chart      = "kube-prometheus-stack"
      version    = "79.5.0"
    }
    lws = {
      repository = "oci://registry.k8s.io/lws/charts"
      chart      = "lws"
      version    = "0.7.0"
    }
    nvidia_device_plugin = {
      repository = "https://nvidia.github.io/k8s-device-plugin"
      chart      = "nvidia-device-plugin"
      version    = "0.18.0"
    }
  }
}
