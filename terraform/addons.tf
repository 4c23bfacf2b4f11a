# What every cluster gets: EKS add-ons, load balancers, and several-node workloads.

locals {
  labels = {
    "app.kubernetes.io/managed-by" = "dynamo-eks"
    "app.kubernetes.io/part-of"    = local.name
  }

  # Every chart's version in one place.
  charts = {
    argocd                       = "8.1.1"
    aws_efa_k8s_device_plugin    = "v0.5.7"
    aws_load_balancer_controller = "1.13.4"
    dcgm_exporter                = "4.2.3"
    gpu_operator                 = "v25.3.4"
    grove                        = "v0.1.0-alpha.14"
    kai_scheduler                = "v0.17.0"
    kube_prometheus_stack        = "75.15.1"
    lws                          = "0.7.0"
    nvidia_device_plugin         = "0.17.4"
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

  addon_settings = {
    vpc-cni = {
      before_compute = true
      # Prefixes of 16 addresses: more pods a node, and fewer calls to EC2.
      configuration_values = jsonencode({ env = { ENABLE_PREFIX_DELEGATION = "true", WARM_PREFIX_TARGET = "1" } })
    }
    eks-pod-identity-agent = { before_compute = true }
    aws-ebs-csi-driver = {
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
  }

  # The version of each is the default of EKS for the cluster's Kubernetes version.
  cluster_addons = {
    for name, on in local.addon_switches : name => try(local.addon_settings[name], {}) if on
  }
}

module "lb_controller_pod_identity" {
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.8.1"

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
  name       = "aws-load-balancer-controller"
  namespace  = "kube-system"
  repository = "https://aws.github.io/eks-charts"
  chart      = "aws-load-balancer-controller"
  version    = local.charts.aws_load_balancer_controller

  values = [yamlencode({
    clusterName    = module.eks.cluster_name
    region         = local.region
    vpcId          = local.vpc_id
    serviceAccount = { name = "aws-load-balancer-controller" }
    # Without it every Service would wait for its webhook, those of add-ons too.
    enableServiceMutatorWebhook = false
    defaultTags                 = local.tags
  })]

  depends_on = [module.eks, module.lb_controller_pod_identity]
}

resource "helm_release" "lws" {
  count = var.enable_lws ? 1 : 0

  name             = "lws"
  namespace        = "lws-system"
  create_namespace = true
  repository       = "oci://registry.k8s.io/lws/charts"
  chart            = "lws"
  version          = local.charts.lws

  depends_on = [module.eks]
}

resource "helm_release" "kai_scheduler" {
  count = var.enable_grove ? 1 : 0

  name             = "kai-scheduler"
  namespace        = "kai-scheduler"
  create_namespace = true
  repository       = "oci://ghcr.io/nvidia/kai-scheduler"
  chart            = "kai-scheduler"
  version          = local.charts.kai_scheduler

  depends_on = [module.eks]
}

resource "helm_release" "grove" {
  count = var.enable_grove ? 1 : 0

  name             = "grove"
  namespace        = "grove-system"
  create_namespace = true
  repository       = "oci://ghcr.io/ai-dynamo/grove"
  chart            = "grove-charts"
  version          = local.charts.grove

  depends_on = [helm_release.kai_scheduler]
}
