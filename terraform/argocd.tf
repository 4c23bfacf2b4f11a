resource "helm_release" "argocd" {
  count = var.enable_argocd ? 1 : 0

  name             = "argocd"
  namespace        = "argocd"
  create_namespace = true
  repository       = "https://argoproj.github.io/argo-helm"
  chart            = "argo-cd"
  version          = local.charts.argocd
  timeout          = 600

  values = [yamlencode({
    # Nobody outside of the cluster reaches it without a port-forward.
    server = { service = { type = "ClusterIP" } }
    # Its resources stay when it goes, and so do the applications that it installed.
    crds = { keep = true }
    dex  = { enabled = false }
  })]

  depends_on = [module.eks, helm_release.aws_load_balancer_controller]
}
