# What the tasks and cleanup need; no secrets.

output "cluster_name" {
  description = "Name of the EKS cluster"
  value       = module.eks.cluster_name
}

output "region" {
  description = "AWS region"
  value       = local.region
}

output "account_id" {
  description = "AWS account"
  value       = data.aws_caller_identity.current.account_id
}

output "cluster_endpoint" {
  description = "URL of the API server"
  value       = module.eks.cluster_endpoint
}

output "cluster_certificate_authority_data" {
  description = "Certificate authority of the API server, base64"
  value       = module.eks.cluster_certificate_authority_data
}

output "cluster_arn" {
  description = "ARN of the cluster"
  value       = module.eks.cluster_arn
}

output "cluster_version" {
  description = "Kubernetes version"
  value       = module.eks.cluster_version
}

output "configure_kubectl" {
  description = "Command that makes kubectl use the cluster"
  value       = "aws eks --region ${local.region} update-kubeconfig --name ${module.eks.cluster_name}"
}

output "vpc_id" {
  description = "The VPC"
  value       = local.vpc_id
}

output "own_vpc" {
  description = "Whether the VPC was made here, and goes with the cluster"
  value       = local.own_vpc
}

output "node_subnet_ids" {
  description = "Subnets of nodes and pods"
  value       = local.node_subnet_ids
}

output "private_subnet_ids" {
  description = "Subnets of the control plane and of internal load balancers"
  value       = local.control_plane_subnet_ids
}

output "availability_zones" {
  description = "Zones of the network; empty for an existing VPC"
  value       = local.own_vpc ? local.zones : []
}

output "nat_public_ips" {
  description = "Addresses that the cluster's traffic to the internet comes from"
  value       = module.vpc.nat_public_ips
}

output "cluster_security_group_id" {
  description = "Security group of the control plane"
  value       = module.eks.cluster_security_group_id
}

output "node_security_group_id" {
  description = "Security group of all nodes; EFA traffic inside it is allowed"
  value       = module.eks.node_security_group_id
}

output "karpenter_node_role_name" {
  description = "IAM role of Karpenter's nodes"
  value       = module.karpenter.node_iam_role_name
}

output "karpenter_queue_name" {
  description = "Queue of interruption notices"
  value       = module.karpenter.queue_name
}

output "node_pools" {
  description = "Names of the node pools"
  value       = keys(local.node_pools)
}

output "node_pool_settings" {
  description = "The node pools with every field"
  value       = local.node_pools
}

output "kms_key_arn" {
  description = "Key that Kubernetes secrets are encrypted with; null without one"
  value       = var.enable_secrets_encryption ? (var.kms_key_arn != null ? var.kms_key_arn : module.eks.kms_key_arn) : null
}

output "dynamo" {
  description = "What deno task install puts on the cluster"
  value = {
    enabled   = local.dynamo_stack
    version   = coalesce(var.dynamo_stack_version, var.dynamo_platform_version, "v0.4.1")
    namespace = coalesce(var.dynamo_stack_namespace, var.dynamo_platform_namespace, var.dynamo_namespace, "dynamo-cloud")
  }
}

output "log_group_name" {
  description = "Log group of the control plane; EKS makes it again while the cluster lives"
  value       = module.eks.cloudwatch_log_group_name
}

output "tags" {
  description = "Tags of everything that was made; cleanup looks for them"
  value       = local.tags
}

output "argocd" {
  description = "Whether Argo CD was installed"
  value       = var.enable_argocd
}

output "monitoring_namespace" {
  description = "Namespace of Prometheus and Grafana; null without them"
  value       = local.monitoring ? local.monitoring_namespace : null
}

output "efs_file_system_id" {
  description = "File system for models; null without it"
  value       = var.enable_aws_efs_csi_driver ? module.efs.id : null
}

output "ecr_repositories" {
  description = "URLs of the repositories for your own images"
  value       = { for name, repository in module.ecr : name => repository.repository_url }
}
