# The cluster: version, who reaches it, its core nodes, and Karpenter.

variable "eks_cluster_version" {
  description = "Kubernetes version of the cluster, in quotes."
  type        = string
  default     = "1.33"
  nullable    = false

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.eks_cluster_version))
    error_message = "eks_cluster_version must be a Kubernetes version in quotes such as \"1.33\"; without quotes 1.30 would be 1.3."
  }
}

variable "endpoint_public_access" {
  description = "Whether the API server is reachable from the internet (it asks for credentials in any case)."
  type        = bool
  default     = true
  nullable    = false
}

variable "endpoint_private_access" {
  description = "Whether the API server is reachable from inside of the VPC."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.endpoint_private_access || var.endpoint_public_access
    error_message = "endpoint_private_access and endpoint_public_access are both false: nobody could reach the cluster."
  }
}

variable "endpoint_public_access_cidrs" {
  description = "IPv4 ranges that may reach the public API server."
  type        = list(string)
  default     = ["0.0.0.0/0"]
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.endpoint_public_access_cidrs : can(cidrnetmask(cidr))])
    error_message = "endpoint_public_access_cidrs must hold IPv4 ranges such as 203.0.113.0/24; one address is 203.0.113.7/32."
  }
  validation {
    condition     = length(var.endpoint_public_access_cidrs) > 0 || !var.endpoint_public_access
    error_message = "endpoint_public_access_cidrs is empty, so nobody could reach the public API server; name a range or set endpoint_public_access = false."
  }
}

variable "admin_arns" {
  description = "IAM roles and users that administer the cluster, besides the identity that creates it."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.admin_arns : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", arn))])
    error_message = "admin_arns must hold ARNs of IAM roles or users such as arn:aws:iam::111122223333:role/Admin."
  }
}

variable "access_entries" {
  description = "Who else may use the cluster, by a name of your choice: all of it, or some namespaces."
  type = map(object({
    principal_arn = string
    policy        = optional(string, "AmazonEKSViewPolicy")
    namespaces    = optional(list(string), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for entry in values(var.access_entries) : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", entry.principal_arn))])
    error_message = "access_entries must have principal_arn: the ARN of an IAM role or user, such as arn:aws:iam::111122223333:role/Admin."
  }
  validation {
    condition     = alltrue([for entry in values(var.access_entries) : contains(["AmazonEKSClusterAdminPolicy", "AmazonEKSAdminPolicy", "AmazonEKSEditPolicy", "AmazonEKSViewPolicy", "AmazonEKSAdminViewPolicy"], entry.policy)])
    error_message = "access_entries may have as policy: AmazonEKSClusterAdminPolicy, AmazonEKSAdminPolicy, AmazonEKSEditPolicy, AmazonEKSViewPolicy or AmazonEKSAdminViewPolicy."
  }
}

variable "enable_secrets_encryption" {
  description = "Whether Kubernetes secrets are encrypted with a KMS key of the cluster. Cannot be turned off later."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key_arn" {
  description = "An existing KMS key for secrets. Default: a new one."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", coalesce(var.kms_key_arn, "arn:aws:kms:us-west-2:111122223333:key/1")))
    error_message = "kms_key_arn must be the ARN of a KMS key, such as arn:aws:kms:us-west-2:111122223333:key/1234abcd-…."
  }
}

variable "log_types" {
  description = "Logs of the control plane that go to CloudWatch."
  type        = list(string)
  default     = ["api", "audit", "authenticator"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.log_types, ["api", "audit", "authenticator", "controllerManager", "scheduler"])) == 0
    error_message = "log_types may hold api, audit, authenticator, controllerManager and scheduler."
  }
}

variable "log_retention_days" {
  description = "Days that CloudWatch keeps the control plane's logs."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 or years up to 3653."
  }
}

variable "enable_deletion_protection" {
  description = "Whether AWS refuses to delete the cluster until this is false again."
  type        = bool
  default     = false
  nullable    = false
}

variable "core_node_group" {
  description = "The managed node group of Karpenter, the add-ons and the platform."
  type = object({
    instance_types = optional(list(string), ["m6i.xlarge"])
    min_size       = optional(number, 2)
    max_size       = optional(number, 5)
    desired_size   = optional(number, 3)
    volume_size    = optional(number, 100)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.core_node_group.min_size >= 1 && var.core_node_group.min_size <= var.core_node_group.desired_size && var.core_node_group.desired_size <= var.core_node_group.max_size
    error_message = "core_node_group needs 1 <= min_size <= desired_size <= max_size."
  }
  validation {
    condition     = length(var.core_node_group.instance_types) > 0 && alltrue([for type in var.core_node_group.instance_types : can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", type))])
    error_message = "core_node_group.instance_types must hold EC2 instance types such as m6i.xlarge."
  }
  validation {
    condition     = var.core_node_group.volume_size >= 20 && var.core_node_group.volume_size <= 16384
    error_message = "core_node_group.volume_size must be 20 to 16384 GiB."
  }
}
