data "aws_caller_identity" "current" {}

data "aws_availability_zones" "available" {
  # Local zones have no EKS control plane.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  name   = coalesce(var.name, var.cluster_name, "dynamo-on-eks")
  region = coalesce(var.region, var.aws_region, "us-west-2")

  tags = {
    "managed-by"         = "dynamo-eks"
    "dynamo-eks/cluster" = local.name
  }

  zones = slice(
    data.aws_availability_zones.available.names,
    0,
    min(var.availability_zones_count, length(data.aws_availability_zones.available.names)),
  )

  own_vpc = var.vpc_id == null
  vpc_id  = local.own_vpc ? module.vpc.vpc_id : var.vpc_id

  # The VPC's first private subnets hold the control plane's interfaces, the others nodes and pods.
  control_plane_subnet_ids = local.own_vpc ? slice(module.vpc.private_subnets, 0, length(local.zones)) : var.private_subnet_ids
  node_subnet_ids          = local.own_vpc ? slice(module.vpc.private_subnets, length(local.zones), 2 * length(local.zones)) : var.private_subnet_ids
}
