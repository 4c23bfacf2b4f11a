locals {
  own_vpc = var.vpc_id == null

  available_zones = data.aws_availability_zones.available.names
  zones = (
    length(var.availability_zones) > 0 ? var.availability_zones :
    slice(local.available_zones, 0, min(var.availability_zones_count, length(local.available_zones)))
  )

  # The first block in sixteenths: public subnets from the start, private ones from the middle. The
  # second in quarters, or in eighths from five zones on, as pods take an address each.
  public_cidrs  = [for i, zone in local.zones : cidrsubnet(var.vpc_cidr, 4, i)]
  private_cidrs = [for i, zone in local.zones : cidrsubnet(var.vpc_cidr, 4, i + 8)]
  pod_cidrs     = { for i, zone in local.zones : zone => cidrsubnet(var.pod_cidr, length(local.zones) > 4 ? 3 : 2, i) }
}

module "vpc" {
  #checkov:skip=CKV_TF_1:modules of the registry are pinned by an exact version
  source  = "terraform-aws-modules/vpc/aws"
  version = "6.6.0"

  create_vpc = local.own_vpc

  name                  = local.name
  cidr                  = var.vpc_cidr
  secondary_cidr_blocks = [var.pod_cidr]
  azs                   = local.zones
  public_subnets        = local.public_cidrs
  private_subnets       = local.private_cidrs

  enable_nat_gateway     = true
  single_nat_gateway     = var.single_nat_gateway
  one_nat_gateway_per_az = !var.single_nat_gateway

  # Nothing is meant to use what every VPC begins with.
  manage_default_security_group  = true
  default_security_group_ingress = []
  default_security_group_egress  = []

  public_subnet_tags  = { "kubernetes.io/role/elb" = "1" }
  private_subnet_tags = { "kubernetes.io/role/internal-elb" = "1" }
}

# Nodes and pods live in the second block, apart from load balancers and the control plane: their
# number does not eat the addresses that peers route to. All interfaces of a node, EFA's too, are
# in the one subnet of its zone, as EFA traffic does not leave a subnet. Not in the module, whose
# private subnets all get the same tags.
resource "aws_subnet" "pods" {
  for_each = local.own_vpc ? local.pod_cidrs : {}

  vpc_id            = module.vpc.vpc_id
  availability_zone = each.key
  cidr_block        = each.value

  tags = {
    Name                     = "${local.name}-pods-${each.key}"
    "karpenter.sh/discovery" = local.name
  }

  # The block must belong to the VPC first.
  depends_on = [module.vpc]
}

resource "aws_route_table_association" "pods" {
  for_each = aws_subnet.pods

  subnet_id = each.value.id
  route_table_id = module.vpc.private_route_table_ids[
    var.single_nat_gateway ? 0 : index(local.zones, each.key)
  ]
}

# The subnets that everything else builds on. They wait for the whole network, so a node that is
# being drained still has its way to AWS: the gateways go only after it. One by one, so that the
# ids of those that stay are known while another zone is added.
locals {
  given_node_subnet_ids = length(var.pod_subnet_ids) > 0 ? var.pod_subnet_ids : var.private_subnet_ids

  subnets = local.own_vpc ? merge(
    { for i, zone in local.zones : "control-plane-${i}" => module.vpc.private_subnets[i] },
    { for i, zone in local.zones : "nodes-${i}" => aws_subnet.pods[zone].id },
    ) : merge(
    { for i, id in var.private_subnet_ids : "control-plane-${i}" => id },
    { for i, id in local.given_node_subnet_ids : "nodes-${i}" => id },
  )
}

resource "terraform_data" "subnet" {
  for_each = local.subnets

  input = each.value

  depends_on = [module.vpc, module.vpc_endpoints, aws_route_table_association.pods]
}

locals {
  vpc_id                   = local.own_vpc ? module.vpc.vpc_id : var.vpc_id
  control_plane_subnet_ids = [for name in sort(keys(local.subnets)) : terraform_data.subnet[name].output if startswith(name, "control-plane-")]
  node_subnet_ids          = [for name in sort(keys(local.subnets)) : terraform_data.subnet[name].output if startswith(name, "nodes-")]
}

data "aws_vpc" "existing" {
  count = local.own_vpc ? 0 : 1
  id    = var.vpc_id
}

locals {
  # From where nodes and pods come.
  vpc_cidrs = local.own_vpc ? [var.vpc_cidr, var.pod_cidr] : data.aws_vpc.existing[0].cidr_block_associations[*].cidr_block
}
