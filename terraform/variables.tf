# The settings of blueprint.tfvars that concern the account, the network and the cluster.
# Settings with two names: give one of them; null means that the file does not say it.

variable "name" {
  description = "Name of the EKS cluster"
  type        = string
  default     = null

  validation {
    condition     = var.name == null || can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,37}$", var.name))
    error_message = "name must be letters, digits, - and _, starting with a letter or digit, at most 38 of them: names of IAM roles are made of it."
  }

  validation {
    condition     = var.name == null || var.cluster_name == null || var.name == var.cluster_name
    error_message = "name and cluster_name are two names of one setting and differ: remove one."
  }
}

variable "cluster_name" {
  description = "Other name of name"
  type        = string
  default     = null

  validation {
    condition     = var.cluster_name == null || can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,37}$", var.cluster_name))
    error_message = "cluster_name must be letters, digits, - and _, starting with a letter or digit, at most 38 of them: names of IAM roles are made of it."
  }
}

variable "region" {
  description = "AWS region"
  type        = string
  default     = null

  validation {
    condition     = var.region == null || can(regex("^[a-z]{2,3}(-[a-z]+){1,3}-[0-9]{1,2}$", var.region))
    error_message = "region must be an AWS region such as us-west-2."
  }

  validation {
    condition     = var.region == null || var.aws_region == null || var.region == var.aws_region
    error_message = "region and aws_region are two names of one setting and differ: remove one."
  }
}

variable "aws_region" {
  description = "Other name of region"
  type        = string
  default     = null

  validation {
    condition     = var.aws_region == null || can(regex("^[a-z]{2,3}(-[a-z]+){1,3}-[0-9]{1,2}$", var.aws_region))
    error_message = "aws_region must be an AWS region such as us-west-2."
  }
}

variable "eks_cluster_version" {
  description = "Kubernetes version of the cluster"
  type        = string
  default     = "1.33"

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.eks_cluster_version))
    error_message = "eks_cluster_version must be a Kubernetes version in quotes such as \"1.33\"."
  }
}

variable "availability_zones_count" {
  description = "Number of availability zones"
  type        = number
  default     = 2

  validation {
    condition     = contains([2, 3, 4, 5, 6], var.availability_zones_count)
    error_message = "availability_zones_count must be 2 to 6: EKS needs two zones, and no region has more than six."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: load balancers, NAT gateways, the control plane's interfaces"
  type        = string
  default     = "10.1.0.0/21"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && try(tonumber(split("/", var.vpc_cidr)[1]) >= 16 && tonumber(split("/", var.vpc_cidr)[1]) <= 22, false)
    error_message = "vpc_cidr must be a block of addresses such as 10.1.0.0/21, from /16 to /22."
  }
}

variable "pod_cidr" {
  description = "Addresses of nodes and pods, a second block of the VPC"
  type        = string
  default     = "100.64.0.0/16"

  validation {
    condition     = can(cidrhost(var.pod_cidr, 0)) && try(tonumber(split("/", var.pod_cidr)[1]) >= 16 && tonumber(split("/", var.pod_cidr)[1]) <= 20, false)
    error_message = "pod_cidr must be a block of addresses such as 100.64.0.0/16, from /16 to /20."
  }
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones; false: one a zone, which survives the loss of a zone"
  type        = bool
  default     = true
}

variable "enable_vpc_endpoints" {
  description = "Endpoints for S3 and ECR, so that images do not pass the NAT gateway"
  type        = bool
  default     = true
}

variable "vpc_id" {
  description = "An existing VPC; null makes one"
  type        = string
  default     = null

  validation {
    condition     = var.vpc_id == null || can(regex("^vpc-[0-9a-f]{8,17}$", var.vpc_id))
    error_message = "vpc_id must look like vpc-0123456789abcdef0."
  }
}

variable "private_subnet_ids" {
  description = "With vpc_id: private subnets, for the control plane, nodes and pods"
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.private_subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))])
    error_message = "private_subnet_ids must look like subnet-0123456789abcdef0."
  }

  validation {
    condition     = length(var.private_subnet_ids) == 0 || var.vpc_id != null
    error_message = "private_subnet_ids is given without vpc_id, the VPC they are in."
  }

  validation {
    condition     = var.vpc_id == null || length(var.private_subnet_ids) >= 2
    error_message = "vpc_id needs private_subnet_ids: two or more private subnets of it, in different zones."
  }
}

variable "endpoint_public_access" {
  description = "Whether the API server can be reached from outside of the VPC"
  type        = bool
  default     = true
}

variable "endpoint_public_access_cidrs" {
  description = "From where the API server can be reached"
  type        = list(string)
  default     = ["0.0.0.0/0"]

  validation {
    condition     = alltrue([for cidr in var.endpoint_public_access_cidrs : can(cidrhost(cidr, 0))])
    error_message = "endpoint_public_access_cidrs must be blocks of addresses such as 203.0.113.0/24."
  }

  validation {
    condition     = length(var.endpoint_public_access_cidrs) > 0 || !var.endpoint_public_access
    error_message = "endpoint_public_access_cidrs is empty, so nobody could reach the API server: set endpoint_public_access = false instead."
  }
}

variable "admin_arns" {
  description = "IAM roles and users that administer the cluster, besides who makes it"
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.admin_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", arn))])
    error_message = "admin_arns must be ARNs of IAM roles or users such as arn:aws:iam::123456789012:role/Admin."
  }
}

variable "log_retention_days" {
  description = "Days that the control plane's logs are kept"
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "log_retention_days must be a number that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731."
  }
}

variable "core_node_group" {
  description = "The managed nodes that run what the cluster itself needs"
  type = object({
    instance_types = optional(list(string), ["m6i.xlarge"])
    min_size       = optional(number, 2)
    max_size       = optional(number, 4)
    desired_size   = optional(number, 2)
  })
  default  = {}
  nullable = false

  validation {
    condition = (
      var.core_node_group.min_size >= 1 &&
      var.core_node_group.min_size <= var.core_node_group.desired_size &&
      var.core_node_group.desired_size <= var.core_node_group.max_size
    )
    error_message = "core_node_group needs 1 <= min_size <= desired_size <= max_size: Karpenter itself runs on these nodes."
  }
}

variable "token_command" {
  description = "Program and arguments that print a token for the cluster; null: the AWS CLI"
  type        = list(string)
  default     = null
}
