# Ways to AWS services that do not pass the NAT gateway. An existing VPC is left with its own.

locals {
  # ECR is two services: its API, and the registry that images are pulled from.
  endpoint_services = flatten([
    for service in setsubtract(var.vpc_endpoints, ["s3"]) : service == "ecr" ? ["ecr.api", "ecr.dkr"] : [service]
  ])

  gateway_endpoints = contains(var.vpc_endpoints, "s3") ? {
    s3 = {
      service         = "s3"
      service_type    = "Gateway"
      route_table_ids = module.vpc.private_route_table_ids
      tags            = { Name = "${local.name}-s3" }
    }
  } : {}

  interface_endpoints = {
    for service in local.endpoint_services : replace(service, ".", "_") => {
      service             = service
      private_dns_enabled = true
      subnet_ids          = module.vpc.private_subnets
      tags                = { Name = "${local.name}-${service}" }
    }
  }
}

module "vpc_endpoints" {
  #checkov:skip=CKV_TF_1:modules of the registry are pinned by an exact version
  source  = "terraform-aws-modules/vpc/aws//modules/vpc-endpoints"
  version = "6.6.0"

  create = local.own_vpc && length(var.vpc_endpoints) > 0

  vpc_id    = module.vpc.vpc_id
  endpoints = merge(local.gateway_endpoints, local.interface_endpoints)

  create_security_group      = local.own_vpc && length(local.interface_endpoints) > 0
  security_group_name_prefix = "${local.short_name}-endpoints-"
  security_group_description = "HTTPS from the VPC to endpoints of AWS services"
  security_group_rules = {
    https = {
      description = "HTTPS from nodes and pods"
      cidr_blocks = [var.vpc_cidr, var.pod_cidr]
    }
  }
}
