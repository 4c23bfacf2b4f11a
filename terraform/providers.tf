provider "aws" {
  region = local.region

  # Cleanup deletes only what carries these.
  default_tags {
    tags = local.tags
  }
}

locals {
  # A program that prints a token, so that no token gets into the state.
  token_command = coalesce(var.token_command, [
    "aws", "eks", "get-token", "--cluster-name", local.name, "--region", local.region,
  ])

  cluster_access = {
    host                   = module.eks.cluster_endpoint
    cluster_ca_certificate = base64decode(module.eks.cluster_certificate_authority_data)
    exec = {
      api_version = "client.authentication.k8s.io/v1beta1"
      command     = local.token_command[0]
      args        = slice(local.token_command, 1, length(local.token_command))
    }
  }
}

provider "helm" {
  kubernetes = local.cluster_access
}

provider "kubectl" {
  host                   = local.cluster_access.host
  cluster_ca_certificate = local.cluster_access.cluster_ca_certificate
  load_config_file       = false

  exec {
    api_version = local.cluster_access.exec.api_version
    command     = local.cluster_access.exec.command
    args        = local.cluster_access.exec.args
  }
}
