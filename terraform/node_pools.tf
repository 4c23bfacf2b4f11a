# Node pools as data: the known ones, changed and completed by var.node_pools.

variable "node_pools" {
  description = "Node pools by name: changes a known one (and switches it on), adds one, or takes one away (null)"
  # Pools name different fields.
  type    = any
  default = {}

  validation {
    condition     = can(keys(var.node_pools))
    error_message = "node_pools must be an object by pool name, such as { g5-gpu-karpenter = { capacity_types = [\"on-demand\"] } }."
  }

  validation {
    condition     = alltrue([for name in try(keys(var.node_pools), []) : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", name))])
    error_message = "node_pools: a pool's name must be lower-case letters, digits and -, at most 63 of them."
  }

  validation {
    condition = alltrue([
      for name, pool in try(tomap({ for k, v in var.node_pools : k => v }), var.node_pools) :
      pool == null ? true : length(setsubtract(keys(pool), [
        "instance_families", "instance_sizes", "capacity_types", "gpu", "taints", "efa_interfaces",
        "capacity_reservations", "limits", "disk_gib", "consolidate_after",
      ])) == 0
    ])
    error_message = "node_pools: unknown field. Fields: instance_families, instance_sizes, capacity_types (spot, on-demand, reserved), gpu, taints, efa_interfaces, capacity_reservations, limits, disk_gib, consolidate_after."
  }

  validation {
    condition = alltrue([
      for name, pool in var.node_pools :
      pool == null || contains(["cpu-karpenter", "g5-gpu-karpenter", "g6-gpu-karpenter", "p5-gpu-karpenter"], name) ||
      length(try(pool.instance_families, [])) > 0
    ])
    error_message = "node_pools: a new pool needs instance_families, such as [\"g6e\"] or [\"p6-b200\"]."
  }

  validation {
    condition = alltrue(flatten([
      for pool in values(var.node_pools) : [
        for family in try(pool.instance_families, []) : can(regex("^[a-z0-9]+(-[a-z0-9]+)*$", family))
      ]
    ]))
    error_message = "node_pools: instance_families are the part of an instance type before the dot, such as g5 or p6-b200."
  }

  validation {
    condition = alltrue(flatten([
      for pool in values(var.node_pools) : [
        for type in try(pool.capacity_types, []) : contains(["spot", "on-demand", "reserved"], type)
      ]
    ]))
    error_message = "node_pools: capacity_types are spot, on-demand and reserved."
  }

  validation {
    condition = alltrue([
      for pool in values(var.node_pools) : try(pool.efa_interfaces, null) == null ? true : try(pool.efa_interfaces >= 0 && pool.efa_interfaces <= 32, false)
    ])
    error_message = "node_pools: efa_interfaces must be a number from 0 to 32."
  }

  validation {
    condition = alltrue(flatten([
      for pool in values(var.node_pools) : [
        for taint in try(pool.taints, []) :
        can(taint.key) && contains(["NoSchedule", "PreferNoSchedule", "NoExecute"], try(taint.effect, "NoSchedule"))
      ]
    ]))
    error_message = "node_pools: a taint has a key, perhaps a value, and an effect: NoSchedule, PreferNoSchedule or NoExecute."
  }

  validation {
    condition = alltrue(flatten([
      for pool in values(var.node_pools) : [
        for id in try(pool.capacity_reservations, []) : can(regex("^cr-[0-9a-f]{8,17}$", id))
      ]
    ]))
    error_message = "node_pools: capacity_reservations are ids such as cr-0123456789abcdef0."
  }
}

locals {
  gpu_sizes = ["2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge"]

  # The same as in lib/blueprint/node_pools.ts; a test compares the two.
  default_node_pools = {
    cpu-karpenter = {
      instance_families = ["m5", "m6i", "m7i"]
      instance_sizes    = ["xlarge", "2xlarge", "4xlarge", "8xlarge"]
    }
    g5-gpu-karpenter = {
      instance_families = ["g5"]
      instance_sizes    = local.gpu_sizes
      gpu               = "A10G"
    }
    g6-gpu-karpenter = {
      instance_families = ["g6"]
      instance_sizes    = local.gpu_sizes
      gpu               = "L4"
    }
  }

  # Known and off until var.node_pools names them.
  optional_node_pools = {
    p5-gpu-karpenter = {
      instance_families = ["p5"]
      instance_sizes    = ["48xlarge"]
      capacity_types    = ["reserved", "on-demand"]
      gpu               = "H100"
      efa_interfaces    = 32
    }
  }

  named_pools = { for name, pool in var.node_pools : name => pool if pool != null }
  off_pools   = [for name, pool in var.node_pools : name if pool == null]

  raw_node_pools = {
    for name in setsubtract(setunion(keys(local.default_node_pools), keys(local.named_pools)), local.off_pools) :
    name => merge(
      try(local.default_node_pools[name], local.optional_node_pools[name], {}),
      { for field, value in try(local.named_pools[name], {}) : field => value if value != null },
    )
  }

  node_pools = {
    for name, pool in local.raw_node_pools : name => {
      instance_families     = pool.instance_families
      instance_sizes        = try(pool.instance_sizes, [])
      capacity_types        = try(pool.capacity_types, ["spot", "on-demand"])
      gpu                   = try(pool.gpu, null)
      taints                = try(pool.taints, try(pool.gpu, null) == null ? [] : [{ key = "nvidia.com/gpu", effect = "NoSchedule" }])
      efa_interfaces        = try(pool.efa_interfaces, 0)
      capacity_reservations = try(pool.capacity_reservations, [])
      limits                = try(pool.limits, try(pool.gpu, null) == null ? { cpu = 1000 } : { "nvidia.com/gpu" = 64 })
      # Images of engines have 10 to 30 GB, models up to hundreds.
      disk_gib = try(pool.disk_gib, try(pool.gpu, null) == null ? 100 : 500)
      # A GPU node that goes takes a loaded model with it.
      consolidate_after = try(pool.consolidate_after, try(pool.gpu, null) == null ? "1m" : "10m")
    }
  }
}

locals {
  # The nodes' image has the SOCI snapshotter, off.
  soci_user_data = yamlencode({
    apiVersion = "node.eks.aws/v1alpha1"
    kind       = "NodeConfig"
    spec       = { featureGates = { FastImagePull = true } }
  })
}

resource "kubectl_manifest" "node_class" {
  for_each = local.node_pools

  yaml_body = yamlencode({
    apiVersion = "karpenter.k8s.aws/v1"
    kind       = "EC2NodeClass"
    metadata   = { name = each.key, labels = local.labels }
    spec = merge(
      {
        # For GPU instances this alias is the image with NVIDIA's driver, the container toolkit and EFA.
        amiSelectorTerms           = [{ alias = "al2023@${local.node_image}" }]
        role                       = module.karpenter.node_iam_role_name
        subnetSelectorTerms        = [for id in local.node_subnet_ids : { id = id }]
        securityGroupSelectorTerms = [{ id = module.eks.node_security_group_id }]
        instanceStorePolicy        = "RAID0"
        metadataOptions            = { httpTokens = "required", httpPutResponseHopLimit = 1 }
        blockDeviceMappings = [{
          deviceName = "/dev/xvda"
          ebs = {
            volumeSize          = "${each.value.disk_gib}Gi"
            volumeType          = "gp3"
            throughput          = each.value.gpu == null ? 125 : 500
            iops                = each.value.gpu == null ? 3000 : 6000
            encrypted           = true
            deleteOnTermination = true
          }
        }]
        tags = merge(local.tags, { Name = "${local.name}-${each.key}" })
      },
      var.enable_soci_snapshotter ? { userData = local.soci_user_data } : {},
      length(each.value.capacity_reservations) == 0 ? {} : {
        capacityReservationSelectorTerms = [for id in each.value.capacity_reservations : { id = id }]
      },
    )
  })

  depends_on = [helm_release.karpenter]
}

resource "kubectl_manifest" "node_pool" {
  for_each = local.node_pools

  yaml_body = yamlencode({
    apiVersion = "karpenter.sh/v1"
    kind       = "NodePool"
    metadata   = { name = each.key, labels = local.labels }
    spec = {
      template = {
        spec = {
          nodeClassRef = { group = "karpenter.k8s.aws", kind = "EC2NodeClass", name = each.key }
          requirements = concat(
            [
              { key = "kubernetes.io/os", operator = "In", values = ["linux"] },
              { key = "kubernetes.io/arch", operator = "In", values = ["amd64"] },
              { key = "karpenter.sh/capacity-type", operator = "In", values = each.value.capacity_types },
              { key = "karpenter.k8s.aws/instance-family", operator = "In", values = each.value.instance_families },
            ],
            length(each.value.instance_sizes) == 0 ? [] : [
              { key = "karpenter.k8s.aws/instance-size", operator = "In", values = each.value.instance_sizes },
            ],
          )
          taints = [
            for taint in each.value.taints : merge(
              { key = taint.key, effect = try(taint.effect, "NoSchedule") },
              try(taint.value, null) == null ? {} : { value = taint.value },
            )
          ]
          expireAfter = "720h"
        }
      }
      disruption = {
        consolidationPolicy = each.value.gpu == null ? "WhenEmptyOrUnderutilized" : "WhenEmpty"
        consolidateAfter    = each.value.consolidate_after
      }
      limits = each.value.limits
    }
  })

  # A pool goes before its class, and both while Karpenter runs.
  depends_on = [kubectl_manifest.node_class, helm_release.karpenter]
}
