locals {
  labels = {
    "app.kubernetes.io/managed-by" = "dynamo-eks"
    "app.kubernetes.io/part-of"    = local.name
  }
  node_image     = "v20250920"
  charts         = { karpenter = "1.8.1" }
  cluster_addons = {}
}
