# Node pools as the file says them. What they mean is in node_pools.tf.

variable "node_pools" {
  description = "Node pools by name: changes a known one (and switches it on), adds one, or takes one away (null)."
  # Pools name different fields, which a map of one type would not allow; unknown ones would get lost.
  type     = any
  default  = {}
  nullable = false

  validation {
    condition     = can(keys(var.node_pools)) && alltrue([for pool in try(values(var.node_pools), []) : pool == null || can(keys(pool))])
    error_message = "node_pools must be an object by pool name, such as { g5-gpu-karpenter = { capacity_types = [\"on-demand\"] } }."
  }

  validation {
    condition     = alltrue([for name in try(keys(var.node_pools), []) : can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", name))])
    error_message = "node_pools: a pool's name must be lower-case letters, digits and -, at most 63 of them."
  }

  validation {
    condition = alltrue([
      for pool in try(values(var.node_pools), []) : length(setsubtract(try(keys(pool), []), [
        "instance_families", "instance_sizes", "capacity_types", "gpu", "taints", "efa_interfaces",
        "capacity_reservations", "limits", "disk_gib", "consolidation_policy", "consolidate_after", "expire_after",
        "architecture", "zones", "labels", "weight", "placement_group",
      ])) == 0
    ])
    error_message = "node_pools: unknown field. Given: ${join(", ", distinct(flatten([for pool in try(values(var.node_pools), []) : try(keys(pool), [])])))}. Known: instance_families, instance_sizes, capacity_types, gpu, taints, efa_interfaces, capacity_reservations, limits, disk_gib, consolidation_policy, consolidate_after, expire_after, architecture, zones, labels, weight, placement_group."
  }

  validation {
    condition = alltrue(flatten([
      for pool in try(values(var.node_pools), []) : [
        for field in ["instance_families", "instance_sizes", "capacity_types", "taints", "capacity_reservations", "zones"] :
        try(pool[field], null) == null || can(slice(pool[field], 0, 0))
      ]
    ]))
    error_message = "node_pools: instance_families, instance_sizes, capacity_types, taints, capacity_reservations and zones are lists, such as [\"g5\"]."
  }

  validation {
    condition = alltrue([
      for name, pool in try({ for name, pool in var.node_pools : name => pool }, {}) :
      pool == null || try(length(pool.instance_families) > 0, false) || (
        try(pool.instance_families, null) == null &&
        contains(["cpu-karpenter", "g5-gpu-karpenter", "g6-gpu-karpenter", "p5-gpu-karpenter"], name)
      )
    ])
    error_message = "node_pools: a new pool needs instance_families, such as [\"g6e\"] or [\"p6-b200\"]."
  }

  validation {
    condition = alltrue(flatten([
      for pool in try(values(var.node_pools), []) : [
        for family in try([for family in pool.instance_families : family], []) : can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", family))
      ]
    ]))
    error_message = "node_pools: instance_families are the part of an instance type before the dot, such as g5 or p6-b200."
  }

  validation {
    condition = alltrue(flatten([
      for pool in try(values(var.node_pools), []) : [
        for size in try([for size in pool.instance_sizes : size], []) : can(regex("^[a-z0-9]+(-[a-z0-9]+)*$", size))
      ]
    ]))
    error_message = "node_pools: instance_sizes are the part of an instance type after the dot, such as 2xlarge."
  }

  validation {
    condition = alltrue(flatten([
      for pool in try(values(var.node_pools), []) : [
        for type in try([for type in pool.capacity_types : type], []) : contains(["spot", "on-demand", "reserved"], type)
      ]
    ]))
    error_message = "node_pools: capacity_types are spot, on-demand and reserved."
  }

  validation {
    condition = alltrue(flatten([
      for pool in try(values(var.node_pools), []) : [
        for taint in try([for taint in pool.taints : taint], []) :
        try(length(taint.key) > 0, false) && length(setsubtract(keys(taint), ["key", "value", "effect"])) == 0 &&
        contains(["NoSchedule", "PreferNoSchedule", "NoExecute"], try(coalesce(taint.effect), "NoSchedule"))
      ]
    ]))
    error_message = "node_pools: a taint has a key, perhaps a value, and an effect: NoSchedule, PreferNoSchedule or NoExecute."
  }

  validation {
    condition = alltrue([
      for pool in try(values(var.node_pools), []) : try(pool.efa_interfaces, null) == null || try(contains(range(0, 33), pool.efa_interfaces), false)
    ])
    error_message = "node_pools: efa_interfaces must be a whole number from 0 to 32."
  }

  validation {
    condition = alltrue(flatten([
      for pool in try(values(var.node_pools), []) : [
        for id in try([for id in pool.capacity_reservations : id], []) : can(regex("^cr-[0-9a-f]{8,17}$", id))
      ]
    ]))
    error_message = "node_pools: capacity_reservations are ids such as cr-0123456789abcdef0."
  }

  validation {
    condition = alltrue([
      for pool in try(values(var.node_pools), []) :
      (try(pool.disk_gib, null) == null || try(pool.disk_gib >= 50 && pool.disk_gib <= 16384, false)) &&
      (try(pool.weight, null) == null || try(pool.weight >= 1 && pool.weight <= 100, false)) &&
      (try(pool.limits, null) == null || can(keys(pool.limits))) &&
      (try(pool.labels, null) == null || can(keys(pool.labels)))
    ])
    error_message = "node_pools: disk_gib is 50 to 16384, weight 1 to 100, limits an object such as { \"nvidia.com/gpu\" = 16 }, labels one such as { team = \"search\" }."
  }

  validation {
    condition = alltrue([
      for pool in try(values(var.node_pools), []) :
      contains(["WhenEmpty", "WhenEmptyOrUnderutilized"], try(coalesce(pool.consolidation_policy), "WhenEmpty")) &&
      can(regex("^(([0-9]+(s|m|h))+|Never)$", try(coalesce(pool.consolidate_after), "1m"))) &&
      can(regex("^(([0-9]+(s|m|h))+|Never)$", try(coalesce(pool.expire_after), "720h"))) &&
      contains(["amd64", "arm64"], try(coalesce(pool.architecture), "amd64"))
    ])
    error_message = "node_pools: consolidation_policy is WhenEmpty or WhenEmptyOrUnderutilized, consolidate_after and expire_after are durations such as 10m or 720h, or Never, architecture is amd64 or arm64."
  }
}

variable "node_image" {
  description = "Release of EKS's Amazon Linux image for node pools: latest, or one such as v20250920. With latest, a new release replaces nodes as pods allow."
  type        = string
  default     = "latest"
  nullable    = false

  validation {
    condition     = can(regex("^(latest|v[0-9]{8})$", var.node_image))
    error_message = "node_image must be latest or a release such as v20250920."
  }
}
