# Settings that say what runs on the cluster. Terraform itself does not install Dynamo's platform
# (`deno task install` does, after the add-ons); it takes these settings because the same file
# holds them, and prints them as outputs.

variable "dynamo_stack_version" {
  description = "Dynamo version, with or without v. Default: v0.4.1."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^v?[0-9]+\\.[0-9]+\\.[0-9]+([-.][0-9A-Za-z.-]+)?$", coalesce(var.dynamo_stack_version, "v0.4.1")))
    error_message = "dynamo_stack_version must be a version such as v0.4.1, 1.6.1 or 0.9.0-post1."
  }
  validation {
    condition     = var.dynamo_stack_version == null || var.dynamo_platform_version == null || var.dynamo_stack_version == var.dynamo_platform_version
    error_message = "dynamo_stack_version and dynamo_platform_version are two spellings of one setting, but their values differ; keep dynamo_stack_version."
  }
}

variable "dynamo_platform_version" {
  description = "Other spelling of dynamo_stack_version."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^v?[0-9]+\\.[0-9]+\\.[0-9]+([-.][0-9A-Za-z.-]+)?$", coalesce(var.dynamo_platform_version, "v0.4.1")))
    error_message = "dynamo_platform_version must be a version such as v0.4.1, 1.6.1 or 0.9.0-post1."
  }
}

variable "dynamo_stack_namespace" {
  description = "Kubernetes namespace of the platform and its graphs. Default: dynamo-cloud."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", coalesce(var.dynamo_stack_namespace, "unset")))
    error_message = "dynamo_stack_namespace must be a namespace of lower-case letters, digits and -, at most 63 of them."
  }
  validation {
    condition = length(distinct([
      for given in [var.dynamo_stack_namespace, var.dynamo_platform_namespace, var.dynamo_namespace] : given if given != null
    ])) <= 1
    error_message = "dynamo_stack_namespace, dynamo_platform_namespace and dynamo_namespace are spellings of one setting, but their values differ; keep dynamo_stack_namespace."
  }
}

variable "dynamo_platform_namespace" {
  description = "Other spelling of dynamo_stack_namespace."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", coalesce(var.dynamo_platform_namespace, "unset")))
    error_message = "dynamo_platform_namespace must be a namespace of lower-case letters, digits and -, at most 63 of them."
  }
}

variable "dynamo_namespace" {
  description = "Other spelling of dynamo_stack_namespace."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", coalesce(var.dynamo_namespace, "unset")))
    error_message = "dynamo_namespace must be a namespace of lower-case letters, digits and -, at most 63 of them."
  }
}

variable "enable_dynamo_stack" {
  description = "Whether Dynamo's platform is wanted. Default: true."
  type        = bool
  default     = null

  validation {
    condition     = var.enable_dynamo_stack == null || var.enable_dynamo_platform == null || var.enable_dynamo_stack == var.enable_dynamo_platform
    error_message = "enable_dynamo_stack and enable_dynamo_platform are two spellings of one setting, but their values differ; keep enable_dynamo_stack."
  }
}

variable "enable_dynamo_platform" {
  description = "Other spelling of enable_dynamo_stack."
  type        = bool
  default     = null
}
