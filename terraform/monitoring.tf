# Prometheus, Grafana, GPU metrics and Dynamo's dashboards.

locals {
  monitoring            = var.enable_ai_ml_observability_stack || var.enable_kube_prometheus_stack
  observability         = var.enable_ai_ml_observability_stack
  monitoring_namespace  = "kube-prometheus-stack"
  dashboards            = local.observability ? fileset("${path.module}/dashboards", "*.json") : []
  prometheus_disk_class = kubectl_manifest.storage_class_gp3.name
}

resource "kubectl_manifest" "monitoring_namespace" {
  count = local.monitoring ? 1 : 0

  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "Namespace"
    metadata   = { name = local.monitoring_namespace, labels = local.labels }
  })

  depends_on = [module.eks]
}

resource "helm_release" "kube_prometheus_stack" {
  count = local.monitoring ? 1 : 0

  name       = "kube-prometheus-stack"
  namespace  = local.monitoring_namespace
  repository = "https://prometheus-community.github.io/helm-charts"
  chart      = "kube-prometheus-stack"
  version    = local.charts.kube_prometheus_stack
  timeout    = 900

  values = [
    file("${path.module}/helm-values/kube-prometheus-stack.yaml"),
    yamlencode({
      prometheus = { prometheusSpec = { storageSpec = { volumeClaimTemplate = { spec = {
        storageClassName = local.prometheus_disk_class
        accessModes      = ["ReadWriteOnce"]
        resources        = { requests = { storage = "50Gi" } }
      } } } } }
    }),
  ]

  # Karpenter stays until its pods are gone; so does the driver of its disk.
  depends_on = [module.eks, kubectl_manifest.monitoring_namespace, helm_release.aws_load_balancer_controller]
}

resource "helm_release" "dcgm_exporter" {
  count = local.observability ? 1 : 0

  name       = "dcgm-exporter"
  namespace  = local.monitoring_namespace
  repository = "https://nvidia.github.io/dcgm-exporter/helm-charts"
  chart      = "dcgm-exporter"
  version    = local.charts.dcgm_exporter

  values = [yamlencode({
    serviceMonitor = { enabled = true, interval = "15s" }
    tolerations    = local.gpu_tolerations
    affinity = { nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms = [{
      matchExpressions = [{ key = "karpenter.k8s.aws/instance-gpu-manufacturer", operator = "In", values = ["nvidia"] }]
    }] } } }
  })]

  depends_on = [helm_release.kube_prometheus_stack]
}

# Grafana's side car loads every ConfigMap with this label.
resource "kubectl_manifest" "dashboard" {
  for_each = local.dashboards

  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name      = "dashboard-${trimsuffix(each.value, ".json")}"
      namespace = local.monitoring_namespace
      labels    = merge(local.labels, { grafana_dashboard = "1" })
    }
    data = { (each.value) = file("${path.module}/dashboards/${each.value}") }
  })

  depends_on = [helm_release.kube_prometheus_stack]
}
