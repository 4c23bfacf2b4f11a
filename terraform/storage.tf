# Disks (EBS) for databases and metrics, and shared storage (EFS) for models.

module "ebs_csi_pod_identity" {
  #checkov:skip=CKV_TF_1:modules of the registry are pinned by an exact version
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.8.1"

  create = local.ebs_csi

  name                      = "${local.role_name}-ebs-csi"
  use_name_prefix           = false
  attach_aws_ebs_csi_policy = true
}

module "efs_csi_pod_identity" {
  #checkov:skip=CKV_TF_1:modules of the registry are pinned by an exact version
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.8.1"

  create = var.enable_aws_efs_csi_driver

  name                      = "${local.role_name}-efs-csi"
  use_name_prefix           = false
  attach_aws_efs_csi_policy = true
}

resource "kubectl_manifest" "storage_class_gp3" {
  count = local.ebs_csi ? 1 : 0

  yaml_body = yamlencode({
    apiVersion = "storage.k8s.io/v1"
    kind       = "StorageClass"
    metadata = {
      name        = "gp3"
      labels      = local.labels
      annotations = { "storageclass.kubernetes.io/is-default-class" = "true" }
    }
    provisioner = "ebs.csi.aws.com"
    # The disk is made in the zone of the pod that wants it.
    volumeBindingMode    = "WaitForFirstConsumer"
    allowVolumeExpansion = true
    reclaimPolicy        = "Delete"
    parameters           = { type = "gp3", encrypted = "true" }
  })

  # The driver keeps its rights until what was made by the class is gone.
  depends_on = [module.eks, module.ebs_csi_pod_identity]
}

# Of subnets that were given, EFS takes one a zone.
data "aws_subnet" "given" {
  for_each = toset(local.own_vpc || !var.enable_aws_efs_csi_driver ? [] : local.given_node_subnet_ids)
  id       = each.value
}

locals {
  # Known before anything is made, as zones are; the ids need not be.
  efs_subnet_ids = local.own_vpc ? {
    for i, zone in local.zones : zone => local.node_subnet_ids[i]
    } : {
    for zone, ids in { for id, subnet in data.aws_subnet.given : subnet.availability_zone => id... } : zone => sort(ids)[0]
  }
}

module "efs" {
  #checkov:skip=CKV_TF_1:modules of the registry are pinned by an exact version
  source  = "terraform-aws-modules/efs/aws"
  version = "2.0.0"

  create = var.enable_aws_efs_csi_driver

  name = "${local.name}-models"
  # With AWS's own key: one of our own costs by the month and outlives the cluster.
  encrypted        = true
  performance_mode = "generalPurpose"
  # Models are read rarely and at once: pay by what is read, as fast as it goes.
  throughput_mode = "elastic"

  mount_targets = { for zone, id in local.efs_subnet_ids : zone => { subnet_id = id } }

  security_group_name            = "${local.name}-efs"
  security_group_use_name_prefix = false
  security_group_description     = "NFS from the nodes of ${local.name}"
  security_group_vpc_id          = local.vpc_id
  security_group_ingress_rules = {
    nodes = {
      description                  = "NFS from the nodes"
      referenced_security_group_id = module.eks.node_security_group_id
    }
  }

  # Models can be downloaded again.
  enable_backup_policy = false
}

resource "kubectl_manifest" "storage_class_efs" {
  count = var.enable_aws_efs_csi_driver ? 1 : 0

  yaml_body = yamlencode({
    apiVersion  = "storage.k8s.io/v1"
    kind        = "StorageClass"
    metadata    = { name = "efs-sc-dynamic", labels = local.labels }
    provisioner = "efs.csi.aws.com"
    # Each claim is a folder of the file system with an owner of its own.
    parameters = {
      provisioningMode = "efs-ap"
      fileSystemId     = module.efs.id
      directoryPerms   = "700"
      basePath         = "/dynamo"
    }
    mountOptions      = ["tls"]
    reclaimPolicy     = "Delete"
    volumeBindingMode = "Immediate"
  })

  depends_on = [module.eks, module.efs, module.efs_csi_pod_identity]
}
