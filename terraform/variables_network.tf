# The network: a VPC of its own, or one that is there already.

variable "availability_zones_count" {
  description = "Number of availability zones. GPUs may be scarce in some zones."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains([2, 3, 4, 5, 6], var.availability_zones_count)
    error_message = "availability_zones_count must be a whole number from 2 to 6: EKS needs two zones."
  }
}

variable "availability_zones" {
  description = "The zones by name, where it matters which (a capacity reservation lies in one). Default: the region's first ones."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.availability_zones) == 0 || (length(var.availability_zones) >= 2 && length(var.availability_zones) <= 6)
    error_message = "availability_zones must name 2 to 6 zones, or none to take the first availability_zones_count of the region."
  }
  validation {
    condition     = alltrue([for zone in var.availability_zones : can(regex("^[a-z]{2,3}(-[a-z]+){1,3}-[0-9]{1,2}[a-z]$", zone))])
    error_message = "availability_zones must hold names of zones such as us-west-2a."
  }
  validation {
    condition     = length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones names a zone twice."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: load balancers, control plane interfaces and endpoints."
  type        = string
  default     = "10.1.0.0/21"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && can(regex("/(1[6-9]|2[0-2])$", var.vpc_cidr))
    error_message = "vpc_cidr must be an IPv4 range from /16 to /22, such as 10.1.0.0/21."
  }
  validation {
    condition     = try(cidrhost(var.vpc_cidr, 0) == split("/", var.vpc_cidr)[0], true)
    error_message = "vpc_cidr must begin at the first address of its range: 10.1.0.0/21, not 10.1.0.5/21."
  }
}

variable "pod_cidr" {
  description = "Addresses of nodes and pods, in their own subnets. Not routed outside of the VPC."
  type        = string
  default     = "100.64.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrnetmask(var.pod_cidr)) && can(regex("/(1[6-9]|20)$", var.pod_cidr))
    error_message = "pod_cidr must be an IPv4 range from /16 to /20, such as 100.64.0.0/16: every pod takes an address of it."
  }
  validation {
    condition     = try(cidrhost(var.pod_cidr, 0) == split("/", var.pod_cidr)[0], true)
    error_message = "pod_cidr must begin at the first address of its range: 100.64.0.0/16, not 100.64.0.5/16."
  }
  validation {
    # Two ranges overlap when they are equal after both are cut to the shorter mask.
    condition = try(
      cidrhost("${cidrhost(var.vpc_cidr, 0)}/${min(split("/", var.vpc_cidr)[1], split("/", var.pod_cidr)[1])}", 0) !=
      cidrhost("${cidrhost(var.pod_cidr, 0)}/${min(split("/", var.vpc_cidr)[1], split("/", var.pod_cidr)[1])}", 0),
      true,
    )
    error_message = "vpc_cidr and pod_cidr overlap; choose ranges apart from each other."
  }
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones (cheaper), or one for each zone (survives the loss of a zone)."
  type        = bool
  default     = true
  nullable    = false
}

variable "vpc_endpoints" {
  description = "AWS services reached without the NAT gateway: s3 (free), ecr, sts, ec2, eks-auth, logs, sqs, elasticfilesystem (each billed by the hour and zone)."
  type        = set(string)
  default     = ["s3", "ecr"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.vpc_endpoints, ["s3", "ecr", "sts", "ec2", "eks-auth", "logs", "sqs", "elasticfilesystem"])) == 0
    error_message = "vpc_endpoints may hold s3, ecr, sts, ec2, eks-auth, logs, sqs and elasticfilesystem; unknown: ${join(", ", setsubtract(var.vpc_endpoints, ["s3", "ecr", "sts", "ec2", "eks-auth", "logs", "sqs", "elasticfilesystem"]))}."
  }
}

variable "vpc_id" {
  description = "An existing VPC to build in. Default: a new one."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^vpc-[0-9a-f]{8,17}$", coalesce(var.vpc_id, "vpc-00000000")))
    error_message = "vpc_id must be the id of a VPC, such as vpc-0123456789abcdef0."
  }
}

variable "private_subnet_ids" {
  description = "With vpc_id: subnets of the control plane and of internal load balancers."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.private_subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "private_subnet_ids must hold ids of subnets, such as subnet-0123456789abcdef0."
  }
  validation {
    condition     = length(var.private_subnet_ids) == 0 || var.vpc_id != null
    error_message = "private_subnet_ids needs vpc_id; without it a new VPC with its own subnets is made."
  }
  validation {
    condition     = var.vpc_id == null || length(var.private_subnet_ids) >= 2
    error_message = "vpc_id needs private_subnet_ids: two or more private subnets of that VPC, in different zones, with a way to the internet."
  }
}

variable "pod_subnet_ids" {
  description = "With vpc_id: subnets of nodes and pods. Default: private_subnet_ids."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.pod_subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "pod_subnet_ids must hold ids of subnets, such as subnet-0123456789abcdef0."
  }
  validation {
    condition     = length(var.pod_subnet_ids) == 0 || var.vpc_id != null
    error_message = "pod_subnet_ids needs vpc_id; without it a new VPC with its own subnets is made."
  }
}
