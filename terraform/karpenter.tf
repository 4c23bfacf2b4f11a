module "karpenter" {
  #checkov:skip=CKV_TF_1:modules of the registry are pinned by an exact version
  source  = "terraform-aws-modules/eks/aws//modules/karpenter"
  version = "21.19.0"

  cluster_name = module.eks.cluster_name

  # Names that cleanup can find again.
  iam_role_name                 = "${local.role_name}-karpenter"
  iam_role_use_name_prefix      = false
  node_iam_role_name            = local.node_role_name
  node_iam_role_use_name_prefix = false
  queue_name                    = "${local.short_name}-karpenter"
  rule_name_prefix              = local.rule_name_prefix

  # As a policy of its own the controller's rights come close to the longest that IAM allows.
  enable_inline_policy = true

  create_pod_identity_association = true
  namespace                       = "kube-system"
  service_account                 = "karpenter"

  node_iam_role_additional_policies = {
    ssm = "arn:${local.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
  }
}

locals {
  node_role_name = "${local.role_name}-node"

  # EventBridge leaves 38 characters, of which the module's longest name takes 20.
  rule_name_prefix = "${substr(local.name, 0, 17)}-"

  # 1.11 is the first whose node classes have EFA interfaces and placement groups.
  karpenter_version = "1.12.0"
}

# Its custom resources in a release of their own: Helm upgrades none that a chart brings along.
resource "helm_release" "karpenter_crd" {
  name       = "karpenter-crd"
  namespace  = "kube-system"
  repository = "oci://public.ecr.aws/karpenter"
  chart      = "karpenter-crd"
  version    = local.karpenter_version

  depends_on = [module.eks]
}

resource "helm_release" "karpenter" {
  name       = "karpenter"
  namespace  = "kube-system"
  repository = "oci://public.ecr.aws/karpenter"
  chart      = "karpenter"
  version    = local.karpenter_version
  skip_crds  = true
  wait       = true

  values = [yamlencode({
    serviceAccount = { name = module.karpenter.service_account }
    settings = {
      clusterName       = module.eks.cluster_name
      clusterEndpoint   = module.eks.cluster_endpoint
      interruptionQueue = module.karpenter.queue_name
      featureGates      = { reservedCapacity = true }
    }
    # Never on nodes that it manages itself.
    nodeSelector = { "karpenter.sh/controller" = "true" }
  })]

  # Destroyed before the roles and the queue that it works with.
  depends_on = [module.eks, module.karpenter, helm_release.karpenter_crd]
}
