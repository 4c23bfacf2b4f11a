# Node pools as data: the known ones, changed and completed by var.node_pools.

locals {
  gpu_sizes = ["2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge"]

  # The same as in lib/blueprint/node_pools.ts; a test compares the two.
  default_node_pools = {
    cpu-karpenter = {
      instance_families = ["m5", "m6i", "m7i"]
      instance_sizes    = ["xlarge", "2xlarge", "4xlarge", "8xlarge"]
      taints            = []
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

  # A field that is null is as good as not given.
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
      taints                = try(pool.taints, can(pool.gpu) ? [{ key = "nvidia.com/gpu", effect = "NoSchedule" }] : [])
      efa_interfaces        = try(pool.efa_interfaces, 0)
      capacity_reservations = try(pool.capacity_reservations, [])
      placement_group       = try(pool.placement_group, null)
      architecture          = try(pool.architecture, "amd64")
      zones                 = try(pool.zones, [])
      labels                = try(pool.labels, {})
      weight                = try(pool.weight, null)
      limits                = try(pool.limits, can(pool.gpu) ? { "nvidia.com/gpu" = 64 } : { cpu = 1000 })
      # Images of engines have 10 to 30 GB, models up to hundreds.
      disk_gib = try(pool.disk_gib, can(pool.gpu) ? 500 : 100)
      # A GPU node that goes takes a loaded model with it: only empty ones go, and not at once.
      consolidation_policy = try(pool.consolidation_policy, can(pool.gpu) ? "WhenEmpty" : "WhenEmptyOrUnderutilized")
      consolidate_after    = try(pool.consolidate_after, can(pool.gpu) ? "10m" : "1m")
      expire_after         = try(pool.expire_after, "720h")
    }
  }

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
        amiSelectorTerms           = [{ alias = "al2023@${var.node_image}" }]
        role                       = module.karpenter.node_iam_role_name
        subnetSelectorTerms        = [for id in local.node_subnet_ids : { id = id }]
        securityGroupSelectorTerms = [{ id = module.eks.node_security_group_id }]
        # Local disks, where an instance has some, hold images and what pods write.
        instanceStorePolicy = "RAID0"
        # Pods do not reach the metadata service, and with it the node's role.
        metadataOptions = { httpTokens = "required", httpPutResponseHopLimit = 1 }
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
      each.value.efa_interfaces == 0 ? {} : { networkInterfaces = local.efa_network_interfaces[each.key] },
      each.value.placement_group == null ? {} : { placementGroupSelector = { name = each.value.placement_group } },
      length(each.value.capacity_reservations) == 0 ? {} : {
        capacityReservationSelectorTerms = [for id in each.value.capacity_reservations : { id = id }]
      },
    )
  })

  # Waits until Karpenter has let go of it.
  wait = true

  depends_on = [helm_release.karpenter]
}

resource "kubectl_manifest" "node_pool" {
  for_each = local.node_pools

  yaml_body = yamlencode({
    apiVersion = "karpenter.sh/v1"
    kind       = "NodePool"
    metadata   = { name = each.key, labels = local.labels }
    spec = merge(
      {
        template = {
          metadata = { labels = each.value.labels }
          spec = {
            nodeClassRef = { group = "karpenter.k8s.aws", kind = "EC2NodeClass", name = each.key }
            requirements = [
              for key, values in {
                "kubernetes.io/os"                  = ["linux"]
                "kubernetes.io/arch"                = [each.value.architecture]
                "karpenter.sh/capacity-type"        = each.value.capacity_types
                "karpenter.k8s.aws/instance-family" = each.value.instance_families
                "karpenter.k8s.aws/instance-size"   = each.value.instance_sizes
                "topology.kubernetes.io/zone"       = each.value.zones
              } : { key = key, operator = "In", values = values } if length(values) > 0
            ]
            taints = [
              for taint in each.value.taints : merge(
                { key = taint.key, effect = try(coalesce(taint.effect), "NoSchedule") },
                try(taint.value, null) == null ? {} : { value = taint.value },
              )
            ]
            expireAfter = each.value.expire_after
          }
        }
        disruption = {
          consolidationPolicy = each.value.consolidation_policy
          consolidateAfter    = each.value.consolidate_after
        }
        limits = each.value.limits
      },
      each.value.weight == null ? {} : { weight = each.value.weight },
    )
  })

  # Its nodes are drained and gone before it counts as deleted.
  wait           = true
  delete_cascade = "Foreground"

  # A pool goes before its class, and both while Karpenter runs.
  depends_on = [kubectl_manifest.node_class, helm_release.karpenter]
}
