# For graphs whose workers span several nodes: all pods of such a group start together or not at
# all. Dynamo's operator takes Grove with the KAI scheduler, or LeaderWorkerSet (with Volcano,
# which is not installed here).

resource "helm_release" "lws" {
  count = var.enable_lws ? 1 : 0

  name             = "lws"
  namespace        = "lws-system"
  create_namespace = true
  repository       = local.charts.lws.repository
  chart            = local.charts.lws.chart
  version          = local.charts.lws.version
  upgrade_install  = true

  depends_on = [terraform_data.cluster_ready]
}

resource "helm_release" "kai_scheduler" {
  count = var.enable_grove ? 1 : 0

  name             = "kai-scheduler"
  namespace        = "kai-scheduler"
  create_namespace = true
  repository       = local.charts.kai_scheduler.repository
  chart            = local.charts.kai_scheduler.chart
  version          = local.charts.kai_scheduler.version
  upgrade_install  = true

  values = [yamlencode({
    # Groups of Grove wait longer for their nodes than KAI would let them. The flag's form changed.
    scheduler = { args = { "default-staleness-grace-period" = local.dynamo_minor >= 105 ? "-1s" : "-1" } }
  })]

  depends_on = [terraform_data.cluster_ready]
}

resource "helm_release" "grove" {
  count = var.enable_grove ? 1 : 0

  name             = "grove"
  namespace        = "grove-system"
  create_namespace = true
  repository       = local.charts.grove.repository
  chart            = local.charts.grove.chart
  version          = local.charts.grove.version
  upgrade_install  = true

  depends_on = [terraform_data.cluster_ready, helm_release.kai_scheduler]
}
