/**
 * The simulated nodes: those that the blueprint's node pools would bring on EKS, with the
 * capacity, labels and taints that Karpenter, EKS and NVIDIA's GPU feature discovery give them.
 *
 * @module
 */
import type { KubeObject } from "../kube/types.ts";

/** Label and value on everything that these tasks make. */
export const MANAGED_BY = { "app.kubernetes.io/managed-by": "dynamo-eks" } as const;

/** Region that the simulated nodes say they are in. */
export const SIMULATED_REGION = "us-west-2";

/** GPUs of an instance type. */
interface GpuModel {
  /** As GPU feature discovery names the product. */
  readonly product: string;
  /** As Karpenter names it. */
  readonly name: string;
  readonly family: string;
  readonly computeMajor: number;
  readonly computeMinor: number;
  /** MiB that the driver reports. */
  readonly memoryMiB: number;
  /** MiB that EC2 lists. */
  readonly listedMiB: number;
}

/** An EC2 instance type. Numbers: EC2's instance type list; pods: EKS's eni-max-pods. */
interface InstanceType {
  readonly family: string;
  readonly size: string;
  readonly category: string;
  readonly cpus: number;
  readonly memoryGiB: number;
  readonly maxPods: number;
  readonly gpus: number;
  readonly gpu?: GpuModel;
}

const A10G: GpuModel = {
  product: "NVIDIA-A10G",
  name: "a10g",
  family: "ampere",
  computeMajor: 8,
  computeMinor: 6,
  memoryMiB: 23_028,
  listedMiB: 24_576,
};

const L4: GpuModel = {
  product: "NVIDIA-L4",
  name: "l4",
  family: "ada-lovelace",
  computeMajor: 8,
  computeMinor: 9,
  memoryMiB: 23_034,
  listedMiB: 22_888,
};

const M5: InstanceType = {
  family: "m5",
  size: "2xlarge",
  category: "m",
  cpus: 8,
  memoryGiB: 32,
  maxPods: 58,
  gpus: 0,
};

const G5: InstanceType = {
  family: "g5",
  size: "12xlarge",
  category: "g",
  cpus: 48,
  memoryGiB: 192,
  maxPods: 737,
  gpus: 4,
  gpu: A10G,
};

const G5_LARGE: InstanceType = {
  ...G5,
  size: "48xlarge",
  cpus: 192,
  memoryGiB: 768,
  maxPods: 345,
  gpus: 8,
};

const G6: InstanceType = {
  family: "g6",
  size: "12xlarge",
  category: "g",
  cpus: 48,
  memoryGiB: 192,
  maxPods: 234,
  gpus: 4,
  gpu: L4,
};

/** A node pool with its nodes. */
interface NodePool {
  readonly name: string;
  readonly nodes: readonly InstanceType[];
}

const POOLS: readonly NodePool[] = [
  { name: "cpu-karpenter", nodes: [M5, M5] },
  { name: "g5-gpu-karpenter", nodes: [G5, G5, G5_LARGE] },
  { name: "g6-gpu-karpenter", nodes: [G6] },
];

/** A node with its status: both are set by us, its conditions and address by kwok. */
export interface SimulatedNode {
  /** The object without status. */
  readonly node: KubeObject;
  /** Capacity, allocatable and node information. */
  readonly status: Record<string, unknown>;
}

/** All simulated nodes. `kubernetes` is the version that their kubelet reports, without `v`. */
export function simulatedNodes(kubernetes: string): SimulatedNode[] {
  return POOLS.flatMap((pool) =>
    pool.nodes.map((type, index) => simulatedNode(pool.name, type, index, kubernetes))
  );
}

/** `2 × g5-gpu-karpenter (g5.12xlarge, 4 GPUs)` for each pool, for people. */
export function describeNodePools(): string[] {
  return POOLS.flatMap(({ name, nodes }) =>
    [...new Set(nodes)].map((type) => {
      const gpus = type.gpus === 0 ? "no GPU" : `${type.gpus} simulated GPUs each`;
      const count = nodes.filter((node) => node === type).length;
      return `${count} × ${name} (${type.family}.${type.size}, ${gpus})`;
    })
  );
}

function simulatedNode(
  pool: string,
  type: InstanceType,
  index: number,
  kubernetes: string,
): SimulatedNode {
  const name = `${pool}-${index + 1}`;
  const instance = `${type.family}.${type.size}`;
  const zone = `${SIMULATED_REGION}${"abc"[index % 3]}`;
  const resources = resourcesOf(type);
  return {
    node: {
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name,
        annotations: { "kwok.x-k8s.io/node": "fake" },
        labels: {
          ...MANAGED_BY,
          "kubernetes.io/hostname": name,
          "kubernetes.io/os": "linux",
          "kubernetes.io/arch": "amd64",
          "node.kubernetes.io/instance-type": instance,
          "topology.kubernetes.io/region": SIMULATED_REGION,
          "topology.kubernetes.io/zone": zone,
          ...karpenterLabels(pool, type),
          ...gpuLabels(type, instance),
        },
      },
      spec: type.gpus === 0
        ? {}
        : { taints: [{ key: "nvidia.com/gpu", value: "true", effect: "NoSchedule" }] },
    },
    status: {
      ...resources,
      nodeInfo: {
        architecture: "amd64",
        operatingSystem: "linux",
        kubeletVersion: `v${kubernetes}`,
        kubeProxyVersion: "",
        containerRuntimeVersion: "simulated://1",
        kernelVersion: "simulated",
        osImage: "Simulated node (dynamo-eks)",
        bootID: "",
        machineID: "",
        systemUUID: "",
      },
    },
  };
}

function karpenterLabels(name: string, type: InstanceType): Record<string, string> {
  const aws = "karpenter.k8s.aws";
  return {
    "karpenter.sh/nodepool": name,
    "karpenter.sh/capacity-type": "on-demand",
    "karpenter.sh/initialized": "true",
    "karpenter.sh/registered": "true",
    [`${aws}/instance-category`]: type.category,
    [`${aws}/instance-family`]: type.family,
    [`${aws}/instance-size`]: type.size,
    [`${aws}/instance-cpu`]: String(type.cpus),
    [`${aws}/instance-memory`]: String(type.memoryGiB * 1024),
    ...(type.gpu === undefined ? {} : {
      [`${aws}/instance-gpu-count`]: String(type.gpus),
      [`${aws}/instance-gpu-name`]: type.gpu.name,
      [`${aws}/instance-gpu-manufacturer`]: "nvidia",
      [`${aws}/instance-gpu-memory`]: String(type.gpu.listedMiB),
    }),
  };
}

function gpuLabels({ gpu, gpus }: InstanceType, instance: string): Record<string, string> {
  if (gpu === undefined) return {};
  return {
    "nvidia.com/gpu.present": "true",
    "nvidia.com/gpu.product": gpu.product,
    "nvidia.com/gpu.count": String(gpus),
    "nvidia.com/gpu.memory": String(gpu.memoryMiB),
    "nvidia.com/gpu.family": gpu.family,
    "nvidia.com/gpu.compute.major": String(gpu.computeMajor),
    "nvidia.com/gpu.compute.minor": String(gpu.computeMinor),
    "nvidia.com/gpu.machine": instance,
    "nvidia.com/gpu.replicas": "1",
    "nvidia.com/mig.capable": "false",
    // Recent enough for every release (1.3 and later ask for 580).
    "nvidia.com/cuda.driver-version.major": "580",
    "nvidia.com/cuda.driver-version.full": "580.95.05",
  };
}

/**
 * Capacity as a node reports it and what is left for pods. Karpenter takes 7.5 % of the
 * memory for the hypervisor and kernel; EKS reserves CPU by steps and 255 MiB + 11 MiB a pod,
 * and the kubelet evicts at 100 MiB.
 */
function resourcesOf(
  type: InstanceType,
): { readonly capacity: Record<string, string>; readonly allocatable: Record<string, string> } {
  const memoryMiB = Math.floor(type.memoryGiB * 1024 * 0.925);
  const reservedMiB = 255 + 11 * type.maxPods + 100;
  const common = {
    pods: String(type.maxPods),
    "ephemeral-storage": "100Gi",
    ...(type.gpus === 0 ? {} : { "nvidia.com/gpu": String(type.gpus) }),
  };
  return {
    capacity: { cpu: String(type.cpus), memory: `${memoryMiB}Mi`, ...common },
    allocatable: {
      cpu: `${type.cpus * 1000 - reservedMilliCpu(type.cpus)}m`,
      memory: `${memoryMiB - reservedMiB}Mi`,
      ...common,
    },
  };
}

// 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the others.
function reservedMilliCpu(cpus: number): number {
  const steps = [60, 10, 5, 5];
  let reserved = 0;
  for (let core = 0; core < cpus; core++) reserved += steps[core] ?? 2.5;
  return Math.round(reserved);
}
