module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "21.19.0"

  name               = local.name
  kubernetes_version = var.eks_cluster_version

  vpc_id                   = local.vpc_id
  subnet_ids               = local.node_subnet_ids
  control_plane_subnet_ids = local.control_plane_subnet_ids

  endpoint_private_access      = true
  endpoint_public_access       = var.endpoint_public_access
  endpoint_public_access_cidrs = var.endpoint_public_access_cidrs

  # Who runs the installation administers the cluster; others by their ARN.
  authentication_mode                      = "API"
  enable_cluster_creator_admin_permissions = true
  access_entries = {
    for arn in var.admin_arns : arn => {
      principal_arn = arn
      policy_associations = {
        admin = {
          policy_arn   = "arn:${local.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
          access_scope = { type = "cluster" }
        }
      }
    }
  }

  # Secrets are encrypted with a key of the cluster's own.
  create_kms_key                  = true
  enable_kms_key_rotation         = true
  kms_key_deletion_window_in_days = 7

  enabled_log_types                      = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  cloudwatch_log_group_retention_in_days = var.log_retention_days

  # Roles are given to pods by Pod Identity.
  enable_irsa = false

  addons = local.cluster_addons

  eks_managed_node_groups = {
    core = {
      ami_type       = "AL2023_x86_64_STANDARD"
      instance_types = var.core_node_group.instance_types
      min_size       = var.core_node_group.min_size
      max_size       = var.core_node_group.max_size
      desired_size   = var.core_node_group.desired_size
      labels = {
        "dynamo-eks/node-group"   = "core"
        "karpenter.sh/controller" = "true"
      }
      metadata_options = {
        http_tokens                 = "required"
        http_put_response_hop_limit = 1
      }
      block_device_mappings = {
        root = {
          device_name = "/dev/xvda"
          ebs = {
            volume_size = 100
            volume_type = "gp3"
            encrypted   = true
          }
        }
      }
    }
  }

  # EFA wants all traffic between its members allowed, in both directions.
  node_security_group_additional_rules = {
    efa_ingress = {
      description = "All traffic between nodes, for EFA"
      type        = "ingress"
      protocol    = "-1"
      from_port   = 0
      to_port     = 0
      self        = true
    }
    efa_egress = {
      description = "All traffic between nodes, for EFA"
      type        = "egress"
      protocol    = "-1"
      from_port   = 0
      to_port     = 0
      self        = true
    }
  }
}

data "aws_partition" "current" {}

locals {
  partition = data.aws_partition.current.partition
}
