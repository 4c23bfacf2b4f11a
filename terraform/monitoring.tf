# Prometheus, Grafana, GPU metrics and Dynamo's dashboards.

locals {
  observability        = var.enable_ai_ml_observability_stack
  monitoring           = local.observability || var.enable_kube_prometheus_stack
  monitoring_namespace = "kube-prometheus-stack"
  dashboards           = local.observability ? fileset("${path.module}/dashboards", "*.json") : []
  alerts               = local.observability ? fileset("${path.module}/alerts", "*.yaml") : []

  # Without the driver of disks Prometheus keeps its data as long as its pod lives.
  prometheus_disk = local.ebs_csi ? {
    volumeClaimTemplate = {
      spec = {
        storageClassName = kubectl_manifest.storage_class_gp3[0].name
        accessModes      = ["ReadWriteOnce"]
        resources        = { requests = { storage = "50Gi" } }
      }
    }
  } : null
}

resource "helm_release" "kube_prometheus_stack" {
  count = local.monitoring ? 1 : 0

  name             = "kube-prometheus-stack"
  namespace        = local.monitoring_namespace
  create_namespace = true
  repository       = local.charts.kube_prometheus_stack.repository
  chart            = local.charts.kube_prometheus_stack.chart
  version          = local.charts.kube_prometheus_stack.version
  timeout          = 900
  upgrade_install  = true

  values = concat(
    [file("${path.module}/helm-values/kube-prometheus-stack.yaml")],
    local.ebs_csi ? [yamlencode({ prometheus = { prometheusSpec = { storageSpec = local.prometheus_disk } } })] : [],
  )

  depends_on = [terraform_data.cluster_ready, helm_release.aws_load_balancer_controller]
}

resource "helm_release" "dcgm_exporter" {
  count = local.observability ? 1 : 0

  name            = "dcgm-exporter"
  namespace       = local.monitoring_namespace
  repository      = local.charts.dcgm_exporter.repository
  chart           = local.charts.dcgm_exporter.chart
  version         = local.charts.dcgm_exporter.version
  upgrade_install = true

  values = [
    file("${path.module}/helm-values/dcgm-exporter.yaml"),
    yamlencode({ affinity = local.gpu_nodes, tolerations = local.everywhere }),
  ]

  # Its ServiceMonitor is a kind that the other chart defines.
  depends_on = [helm_release.kube_prometheus_stack]
}

# Grafana's side car loads every ConfigMap with this label.
resource "kubectl_manifest" "dashboard" {
  for_each = local.dashboards

  # A dashboard is too long for the annotation that applying from the client's side leaves.
  server_side_apply = true
  force_conflicts   = true

  yaml_body = yamlencode({
    apiVersion = "v1"
    kind       = "ConfigMap"
    metadata = {
      name        = "dashboard-${replace(lower(trimsuffix(each.value, ".json")), "/[^a-z0-9-]+/", "-")}"
      namespace   = local.monitoring_namespace
      labels      = merge(local.labels, { grafana_dashboard = "1" })
      annotations = { grafana_folder = "Dynamo" }
    }
    data = { (each.value) = file("${path.module}/dashboards/${each.value}") }
  })

  depends_on = [helm_release.kube_prometheus_stack]
}

# Alert rules, recording rules and what instances cost.
resource "kubectl_manifest" "alerts" {
  for_each = local.alerts

  server_side_apply = true
  force_conflicts   = true

  yaml_body = yamlencode(merge(yamldecode(file("${path.module}/alerts/${each.value}")), {
    metadata = merge(yamldecode(file("${path.module}/alerts/${each.value}")).metadata, { labels = local.labels })
  }))

  depends_on = [helm_release.kube_prometheus_stack]
}

# The operator of 0.4.1 makes no PodMonitors; later ones do, and two would count everything twice.
resource "kubectl_manifest" "dynamo_pod_monitor" {
  count = local.observability && local.dynamo_minor < 5 ? 1 : 0

  yaml_body = yamlencode({
    apiVersion = "monitoring.coreos.com/v1"
    kind       = "PodMonitor"
    metadata   = { name = "dynamo", namespace = local.monitoring_namespace, labels = local.labels }
    spec = {
      namespaceSelector   = { any = true }
      selector            = { matchExpressions = [{ key = "nvidia.com/dynamo-component", operator = "Exists" }] }
      podMetricsEndpoints = [for port in ["http", "system"] : { port = port, path = "/metrics", interval = "5s" }]
    }
  })

  depends_on = [helm_release.kube_prometheus_stack]
}
