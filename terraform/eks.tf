module "eks" {
  #checkov:skip=CKV_TF_1:modules of the registry are pinned by an exact version
  source  = "terraform-aws-modules/eks/aws"
  version = "21.19.0"

  name               = local.name
  kubernetes_version = var.eks_cluster_version

  vpc_id                   = local.vpc_id
  subnet_ids               = local.node_subnet_ids
  control_plane_subnet_ids = local.control_plane_subnet_ids

  endpoint_private_access      = var.endpoint_private_access
  endpoint_public_access       = var.endpoint_public_access
  endpoint_public_access_cidrs = var.endpoint_public_access_cidrs

  # Who may use the cluster is said by access entries alone, not by a ConfigMap within it.
  authentication_mode                      = "API"
  enable_cluster_creator_admin_permissions = true
  access_entries                           = merge(local.admin_entries, local.other_entries)

  # Secrets are encrypted with a key of the cluster's own, or with the one that was named.
  create_kms_key                  = var.enable_secrets_encryption && var.kms_key_arn == null
  encryption_config               = var.enable_secrets_encryption ? { provider_key_arn = var.kms_key_arn, resources = ["secrets"] } : null
  enable_kms_key_rotation         = true
  kms_key_deletion_window_in_days = 7

  enabled_log_types                      = var.log_types
  cloudwatch_log_group_retention_in_days = var.log_retention_days
  deletion_protection                    = var.enable_deletion_protection

  # Roles are given to pods by Pod Identity, so the cluster needs no OIDC provider.
  enable_irsa = false

  iam_role_name = "${local.short_name}-cluster"
  tags          = local.tags

  addons = local.cluster_addons

  eks_managed_node_groups = {
    core = local.core_node_group
  }

  # For node classes of the user's own; ours name the group by its id.
  node_security_group_tags = { "karpenter.sh/discovery" = local.name }

  node_security_group_additional_rules = local.efa_rules
}

locals {
  admin_policy = "arn:${local.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  admin_entries = {
    for arn in var.admin_arns : arn => {
      principal_arn       = arn
      policy_associations = { admin = { policy_arn = local.admin_policy, access_scope = { type = "cluster" } } }
    }
  }

  other_entries = {
    for name, entry in var.access_entries : name => {
      principal_arn = entry.principal_arn
      policy_associations = {
        given = {
          policy_arn = "arn:${local.partition}:eks::aws:cluster-access-policy/${entry.policy}"
          access_scope = {
            type       = length(entry.namespaces) > 0 ? "namespace" : "cluster"
            namespaces = length(entry.namespaces) > 0 ? entry.namespaces : null
          }
        }
      }
    }
  }

  # Karpenter, the add-ons and the platform run here; graphs run on the node pools.
  core_node_group = {
    ami_type       = "AL2023_x86_64_STANDARD"
    instance_types = var.core_node_group.instance_types
    min_size       = var.core_node_group.min_size
    max_size       = var.core_node_group.max_size
    desired_size   = var.core_node_group.desired_size
    labels = {
      "dynamo-eks/node-group"   = "core"
      "karpenter.sh/controller" = "true"
    }
    iam_role_name = "${local.short_name}-core"
    metadata_options = {
      http_tokens                 = "required"
      http_put_response_hop_limit = 1
    }
    block_device_mappings = {
      root = {
        device_name = "/dev/xvda"
        ebs = {
          volume_size           = var.core_node_group.volume_size
          volume_type           = "gp3"
          encrypted             = true
          delete_on_termination = true
        }
      }
    }
  }
}
