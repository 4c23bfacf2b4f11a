# EFA: the fast network between GPU nodes. Its interfaces come with a node pool that has
# efa_interfaces (node_pools.tf), their device plugin is an add-on.

locals {
  # EFA only works where its members' security group lets everything pass to itself, both ways.
  efa_rules = {
    for direction in ["ingress", "egress"] : "efa_${direction}" => {
      description = "All traffic between nodes, for EFA"
      type        = direction
      protocol    = "-1"
      from_port   = 0
      to_port     = 0
      self        = true
    }
  }

  # Interfaces of a node, as AWS advises for instances with several network cards: the first card
  # carries IP and, as a second device, EFA; every other card carries EFA alone.
  efa_network_interfaces = {
    for name, pool in local.node_pools : name => concat(
      [{ networkCardIndex = 0, deviceIndex = 0, interfaceType = "interface" }],
      [{ networkCardIndex = 0, deviceIndex = 1, interfaceType = "efa-only" }],
      [for card in range(1, pool.efa_interfaces) : { networkCardIndex = card, deviceIndex = 0, interfaceType = "efa-only" }],
    ) if pool.efa_interfaces > 0
  }
}
