module "vpc" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "6.6.0"

  create_vpc = local.own_vpc

  name                  = local.name
  cidr                  = var.vpc_cidr
  secondary_cidr_blocks = [var.pod_cidr]
  azs                   = local.zones

  # For each zone: a public and a private subnet of an eighth of the first block, which is enough
  # for eight zones' halves, and a private one of an eighth of the second for nodes and pods.
  public_subnets = [for i, zone in local.zones : cidrsubnet(var.vpc_cidr, 4, i)]
  private_subnets = concat(
    [for i, zone in local.zones : cidrsubnet(var.vpc_cidr, 4, i + 8)],
    [for i, zone in local.zones : cidrsubnet(var.pod_cidr, 3, i)],
  )

  enable_nat_gateway     = true
  single_nat_gateway     = var.single_nat_gateway
  one_nat_gateway_per_az = !var.single_nat_gateway

  # Nothing is meant to use what every VPC begins with.
  manage_default_security_group  = true
  default_security_group_ingress = []
  default_security_group_egress  = []

  public_subnet_tags  = { "kubernetes.io/role/elb" = 1 }
  private_subnet_tags = { "kubernetes.io/role/internal-elb" = 1 }
}

locals {
  interface_endpoints = toset(["ecr.api", "ecr.dkr", "sts", "eks-auth"])
}

module "vpc_endpoints" {
  source  = "terraform-aws-modules/vpc/aws//modules/vpc-endpoints"
  version = "6.6.0"

  create = local.own_vpc && var.enable_vpc_endpoints

  vpc_id = local.vpc_id

  create_security_group      = local.own_vpc && var.enable_vpc_endpoints
  security_group_name_prefix = "${local.name}-endpoints-"
  security_group_description = "HTTPS from the VPC to endpoints of AWS services"
  security_group_rules = {
    https = {
      description = "HTTPS from nodes and pods"
      cidr_blocks = [var.vpc_cidr, var.pod_cidr]
    }
  }

  endpoints = merge(
    {
      s3 = {
        service         = "s3"
        service_type    = "Gateway"
        route_table_ids = module.vpc.private_route_table_ids
        tags            = { Name = "${local.name}-s3" }
      }
    },
    {
      for service in local.interface_endpoints : replace(service, ".", "_") => {
        service             = service
        private_dns_enabled = true
        subnet_ids          = local.control_plane_subnet_ids
        tags                = { Name = "${local.name}-${service}" }
      }
    },
  )
}
