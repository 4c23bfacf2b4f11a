data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:availability_zones names them where a new zone must not count
  # Local zones have no EKS control plane.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }

  lifecycle {
    postcondition {
      condition     = var.vpc_id != null || length(var.availability_zones) > 0 || length(self.names) >= var.availability_zones_count
      error_message = "availability_zones_count is ${var.availability_zones_count}, but ${local.region} has ${length(self.names)} zones for this account: ${join(", ", self.names)}."
    }
    postcondition {
      condition     = length(setsubtract(var.availability_zones, self.names)) == 0
      error_message = "availability_zones names zones that ${local.region} does not have for this account. It has ${join(", ", self.names)}."
    }
  }
}

locals {
  # Settings with two spellings: the one that was given.
  name      = coalesce(var.name, var.cluster_name, "dynamo-on-eks")
  region    = coalesce(var.region, var.aws_region, "us-west-2")
  partition = data.aws_partition.current.partition

  # IAM allows 64 characters for a role and 38 for the start of a generated name, a cluster 100;
  # long names are cut and told apart by a hash.
  short_name = length(local.name) <= 27 ? local.name : "${substr(local.name, 0, 20)}-${substr(sha1(local.name), 0, 6)}"
  # Roles belong to the account, clusters to a region: the same name may exist in two of them.
  role_name = "${local.short_name}-${local.region}"

  tags = merge(var.tags, {
    "managed-by"         = "dynamo-eks"
    "dynamo-eks/cluster" = local.name
    "dynamo-eks/region"  = local.region
  })
}
