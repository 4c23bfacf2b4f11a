# EKS add-ons, by name in enable_cluster_addons, and the charts that every other part builds on.

locals {
  labels = {
    "app.kubernetes.io/managed-by" = "dynamo-eks"
    "app.kubernetes.io/part-of"    = local.name
  }

  dynamo_stack = coalesce(var.enable_dynamo_stack, var.enable_dynamo_platform, true)

  addon_switches = merge({
    coredns                = true
    kube-proxy             = true
    vpc-cni                = true
    eks-pod-identity-agent = true
    aws-ebs-csi-driver     = true
    aws-efs-csi-driver     = var.enable_aws_efs_csi_driver
    metrics-server         = true
  }, var.enable_cluster_addons)

  ebs_csi            = local.addon_switches["aws-ebs-csi-driver"]
  cloudwatch_metrics = lookup(local.addon_switches, "amazon-cloudwatch-observability", false)

  addon_settings = {
    vpc-cni = {
      # Nodes are not ready without it.
      before_compute = true
      # Prefixes of 16 addresses: more pods a node, and fewer calls to EC2.
      configuration_values = jsonencode({ env = { ENABLE_PREFIX_DELEGATION = "true", WARM_PREFIX_TARGET = "1" } })
    }
    eks-pod-identity-agent = { before_compute = true }
    aws-ebs-csi-driver = {
      # Cleanup finds disks that were left behind by these tags.
      configuration_values = jsonencode({ controller = { extraVolumeTags = local.tags, k8sTagClusterId = local.name } })
      pod_identity_association = [{
        role_arn        = module.ebs_csi_pod_identity.iam_role_arn
        service_account = "ebs-csi-controller-sa"
      }]
    }
    aws-efs-csi-driver = {
      pod_identity_association = [{
        role_arn        = module.efs_csi_pod_identity.iam_role_arn
        service_account = "efs-csi-controller-sa"
      }]
    }
    amazon-cloudwatch-observability = {
      pod_identity_association = [{
        role_arn        = module.cloudwatch_pod_identity.iam_role_arn
        service_account = "cloudwatch-agent"
      }]
    }
  }

  # Not the newest version of each, but the one that EKS gives to the cluster's Kubernetes version.
  # Without try or lookup, which make all of an add-on's settings unknown when one of them is, a role.
  cluster_addons = {
    for name, on in local.addon_switches :
    name => merge({ most_recent = false }, [for known, settings in local.addon_settings : settings if known == name]...) if on
  }
}

module "cloudwatch_pod_identity" {
  #checkov:skip=CKV_TF_1:modules of the registry are pinned by an exact version
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.8.1"

  create = local.cloudwatch_metrics

  name            = "${local.role_name}-cloudwatch"
  use_name_prefix = false
  additional_policy_arns = {
    agent = "arn:${local.partition}:iam::aws:policy/CloudWatchAgentServerPolicy"
  }
}

# What is installed by Helm, and all that uses disks, comes after this and so goes before it: pods
# leave while Karpenter can take their nodes away and while the CSI drivers can detach their disks.
resource "terraform_data" "cluster_ready" {
  depends_on = [
    module.eks,
    helm_release.karpenter,
    kubectl_manifest.node_pool,
    kubectl_manifest.storage_class_gp3,
    kubectl_manifest.storage_class_efs,
  ]
}

module "lb_controller_pod_identity" {
  #checkov:skip=CKV_TF_1:modules of the registry are pinned by an exact version
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.8.1"

  create = var.enable_aws_load_balancer_controller

  name                            = "${local.role_name}-lb-controller"
  use_name_prefix                 = false
  attach_aws_lb_controller_policy = true

  associations = {
    main = {
      cluster_name    = module.eks.cluster_name
      namespace       = "kube-system"
      service_account = "aws-load-balancer-controller"
    }
  }
}

# At destroy it goes after everything that may have asked for a load balancer.
resource "helm_release" "aws_load_balancer_controller" {
  count = var.enable_aws_load_balancer_controller ? 1 : 0

  name            = "aws-load-balancer-controller"
  namespace       = "kube-system"
  repository      = local.charts.aws_load_balancer_controller.repository
  chart           = local.charts.aws_load_balancer_controller.chart
  version         = local.charts.aws_load_balancer_controller.version
  upgrade_install = true

  values = [yamlencode({
    clusterName    = module.eks.cluster_name
    region         = local.region
    vpcId          = local.vpc_id
    serviceAccount = { name = "aws-load-balancer-controller" }
    # Without it every Service would wait for its webhook, those of add-ons too.
    enableServiceMutatorWebhook = false
    defaultTags                 = local.tags
  })]

  depends_on = [terraform_data.cluster_ready, module.lb_controller_pod_identity]
}
