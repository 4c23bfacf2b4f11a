# Repositories for images of your own.

module "ecr" {
  source  = "terraform-aws-modules/ecr/aws"
  version = "3.2.0"

  for_each = var.enable_ecr_repositories && local.dynamo_stack ? toset(var.ecr_repositories) : []

  repository_name = "${lower(local.name)}/${each.value}"

  # Tags of development builds move.
  repository_image_tag_mutability = "MUTABLE"
  repository_image_scan_on_push   = true
  repository_encryption_type      = "KMS"
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
