# Argo CD. Its password for the user admin is made in the cluster, in the Secret
# argocd-initial-admin-secret; terraform never has it.

resource "helm_release" "argocd" {
  count = var.enable_argocd ? 1 : 0

  name             = "argocd"
  namespace        = "argocd"
  create_namespace = true
  repository       = local.charts.argocd.repository
  chart            = local.charts.argocd.chart
  version          = local.charts.argocd.version
  timeout          = 600
  upgrade_install  = true

  values = [file("${path.module}/helm-values/argocd.yaml")]

  # Applications may have asked for load balancers.
  depends_on = [terraform_data.cluster_ready, helm_release.aws_load_balancer_controller]
}
