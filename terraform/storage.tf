# Disks (EBS) for databases and metrics, and shared storage (EFS) for models.

module "ebs_csi_pod_identity" {
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.8.1"

  name                      = "${local.role_name}-ebs-csi"
  use_name_prefix           = false
  attach_aws_ebs_csi_policy = true
}

module "efs_csi_pod_identity" {
  source  = "terraform-aws-modules/eks-pod-identity/aws"
  version = "2.8.1"

  create = var.enable_aws_efs_csi_driver

  name                      = "${local.role_name}-efs-csi"
  use_name_prefix           = false
  attach_aws_efs_csi_policy = true
}

resource "kubectl_manifest" "storage_class_gp3" {
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
    parameters = merge(
      { type = "gp3", encrypted = "true" },
      # Cleanup finds disks by their tags.
      { for i, tag in keys(local.tags) : "tagSpecification_${i + 1}" => "${tag}=${local.tags[tag]}" },
    )
  })

  depends_on = [module.eks]
}

module "efs" {
  source  = "terraform-aws-modules/efs/aws"
  version = "2.0.0"

  create = var.enable_aws_efs_csi_driver

  name             = "${local.name}-models"
  encrypted        = true
  throughput_mode  = "elastic"
  performance_mode = "generalPurpose"

  mount_targets = { for i, id in local.mount_subnet_ids : tostring(i) => { subnet_id = id } }

  security_group_name            = "${local.name}-efs"
  security_group_use_name_prefix = false
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

locals {
  mount_subnet_ids = local.own_vpc ? local.node_subnet_ids : var.private_subnet_ids
}

resource "kubectl_manifest" "storage_class_efs" {
  count = var.enable_aws_efs_csi_driver ? 1 : 0

  yaml_body = yamlencode({
    apiVersion    = "storage.k8s.io/v1"
    kind          = "StorageClass"
    metadata      = { name = "efs-sc-dynamic", labels = local.labels }
    provisioner   = "efs.csi.aws.com"
    reclaimPolicy = "Delete"
    mountOptions  = ["tls"]
    parameters = {
      provisioningMode = "efs-ap"
      fileSystemId     = module.efs.id
      directoryPerms   = "755"
      basePath         = "/dynamo"
    }
  })

  depends_on = [module.eks, module.efs]
}
