# Repositories for images of your own.

locals {
  # What ECR takes of a cluster's name: lower case, one separator at a time.
  ecr_prefix = trim(replace(lower(local.name), "/[-_]+/", "-"), "-")
}

module "ecr" {
  #checkov:skip=CKV_TF_1:modules of the registry are pinned by an exact version
  source  = "terraform-aws-modules/ecr/aws"
  version = "3.2.0"

  for_each = var.enable_ecr_repositories ? toset(var.ecr_repositories) : []

  repository_name = "${local.ecr_prefix}/${each.value}"

  # A tag that a graph names keeps its meaning; build under a new one.
  repository_image_tag_mutability = "IMMUTABLE"
  repository_image_scan_on_push   = true
  # With AWS's own key: one of our own costs by the month and outlives the cluster.
  repository_encryption_type = "KMS"
  # Destroy is asked for by name, and images can be built again.
  repository_force_delete = true

  repository_lifecycle_policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Images without a tag go after a week"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "The newest 30 stay"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 30 }
        action       = { type = "expire" }
      },
    ]
  })
}
