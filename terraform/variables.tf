# The settings of blueprint.tfvars that say what is built and where. Settings with two spellings
# may be given by either; locals.tf takes the one that was given.

variable "name" {
  description = "Name of the EKS cluster, and the start of most other names. Default: dynamo-on-eks."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$", coalesce(var.name, "unset")))
    error_message = "name must be a cluster name of letters, digits, - and _, at most 100 of them, and begin with a letter or digit."
  }
  validation {
    condition     = var.name == null || var.cluster_name == null || var.name == var.cluster_name
    error_message = "name and cluster_name are two spellings of one setting, but their values differ; keep name."
  }
}

variable "cluster_name" {
  description = "Other spelling of name."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$", coalesce(var.cluster_name, "unset")))
    error_message = "cluster_name must be a cluster name of letters, digits, - and _, at most 100 of them, and begin with a letter or digit."
  }
}

variable "region" {
  description = "AWS region. Default: us-west-2."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[a-z]{2,3}(-[a-z]+){1,3}-[0-9]{1,2}$", coalesce(var.region, "us-west-2")))
    error_message = "region must be an AWS region such as us-west-2; an availability zone such as us-west-2a is not one."
  }
  validation {
    condition     = var.region == null || var.aws_region == null || var.region == var.aws_region
    error_message = "region and aws_region are two spellings of one setting, but their values differ; keep region."
  }
}

variable "aws_region" {
  description = "Other spelling of region."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[a-z]{2,3}(-[a-z]+){1,3}-[0-9]{1,2}$", coalesce(var.aws_region, "us-west-2")))
    error_message = "aws_region must be an AWS region such as us-west-2; an availability zone such as us-west-2a is not one."
  }
}

variable "tags" {
  description = "Further tags for everything that is created."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(key, "aws:") && length(key) >= 1 && length(key) <= 128])
    error_message = "tags must have keys of 1 to 128 characters that do not begin with aws:, which AWS keeps for itself."
  }
  validation {
    condition     = length(setintersection(keys(var.tags), ["managed-by", "dynamo-eks/cluster", "dynamo-eks/region"])) == 0
    error_message = "tags must not contain managed-by, dynamo-eks/cluster or dynamo-eks/region: cleanup finds what belongs to this cluster by them."
  }
}

variable "token_command" {
  description = "Program and arguments that print a token for the cluster (an ExecCredential). Default: aws eks get-token."
  type        = list(string)
  default     = null

  validation {
    condition     = var.token_command == null || try(length(var.token_command[0]) > 0, false)
    error_message = "token_command must begin with a program, as in [\"aws\", \"eks\", \"get-token\", …]; leave it out to use the AWS CLI."
  }
}
