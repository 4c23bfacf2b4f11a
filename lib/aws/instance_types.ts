/**
 * EC2 instance types that graphs run on: GPUs, memory, and list price.
 *
 * Source: the tables that Karpenter's AWS provider generates from EC2's DescribeInstanceTypes and
 * AWS's price list API (github.com/aws/karpenter-provider-aws at v1.14.1:
 * website/content/en/docs/reference/instance-types.md and
 * pkg/providers/pricing/zz_generated.pricing_aws.go, generated 2026-07-20 for us-east-1).
 *
 * @module
 */
import type { NodePool } from "../blueprint/types.ts";

/** Region of the prices. */
export const PRICE_REGION = "us-east-1";

/** Day of the prices. */
export const PRICE_DATE = "2026-07-20";

/** One instance type. */
export interface InstanceType {
  /** `g5.2xlarge`. */
  readonly name: string;
  /** NVIDIA's name of the GPU; absent without one. */
  readonly gpu?: string;
  /** GPUs of the instance. */
  readonly gpus: number;
  /** Memory of one GPU in MiB, as EC2 tells it; 0 without a GPU. */
  readonly gpuMemoryMiB: number;
  /** Virtual CPUs. */
  readonly vcpus: number;
  /** Memory in GiB. */
  readonly memoryGiB: number;
  /** On-demand price in USD an hour in {@link PRICE_REGION}; absent where none is published. */
  readonly pricePerHour?: number;
}

/** GPUs, virtual CPUs, memory in GiB, USD an hour. */
type Size = readonly [gpus: number, vcpus: number, memoryGiB: number, pricePerHour?: number];

interface Family {
  readonly gpu?: string;
  readonly gpuMemoryMiB?: number;
  readonly sizes: Readonly<Record<string, Size>>;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  m5: {
    sizes: {
      "large": [0, 2, 8, 0.096],
      "xlarge": [0, 4, 16, 0.192],
      "2xlarge": [0, 8, 32, 0.384],
      "4xlarge": [0, 16, 64, 0.768],
      "8xlarge": [0, 32, 128, 1.536],
      "12xlarge": [0, 48, 192, 2.304],
      "16xlarge": [0, 64, 256, 3.072],
      "24xlarge": [0, 96, 384, 4.608],
    },
  },
  m6i: {
    sizes: {
      "large": [0, 2, 8, 0.096],
      "xlarge": [0, 4, 16, 0.192],
      "2xlarge": [0, 8, 32, 0.384],
      "4xlarge": [0, 16, 64, 0.768],
      "8xlarge": [0, 32, 128, 1.536],
      "12xlarge": [0, 48, 192, 2.304],
      "16xlarge": [0, 64, 256, 3.072],
      "24xlarge": [0, 96, 384, 4.608],
      "32xlarge": [0, 128, 512, 6.144],
    },
  },
  m7i: {
    sizes: {
      "large": [0, 2, 8, 0.1008],
      "xlarge": [0, 4, 16, 0.2016],
      "2xlarge": [0, 8, 32, 0.4032],
      "4xlarge": [0, 16, 64, 0.8064],
      "8xlarge": [0, 32, 128, 1.6128],
      "12xlarge": [0, 48, 192, 2.4192],
      "16xlarge": [0, 64, 256, 3.2256],
      "24xlarge": [0, 96, 384, 4.8384],
      "48xlarge": [0, 192, 768, 9.6768],
    },
  },
  g4dn: {
    gpu: "T4",
    gpuMemoryMiB: 16384,
    sizes: {
      "xlarge": [1, 4, 16, 0.526],
      "2xlarge": [1, 8, 32, 0.752],
      "4xlarge": [1, 16, 64, 1.204],
      "8xlarge": [1, 32, 128, 2.176],
      "12xlarge": [4, 48, 192, 3.912],
      "16xlarge": [1, 64, 256, 4.352],
    },
  },
  g5: {
    gpu: "A10G",
    gpuMemoryMiB: 22888,
    sizes: {
      "xlarge": [1, 4, 16, 1.006],
      "2xlarge": [1, 8, 32, 1.212],
      "4xlarge": [1, 16, 64, 1.624],
      "8xlarge": [1, 32, 128, 2.448],
      "12xlarge": [4, 48, 192, 5.672],
      "16xlarge": [1, 64, 256, 4.096],
      "24xlarge": [4, 96, 384, 8.144],
      "48xlarge": [8, 192, 768, 16.288],
    },
  },
  g6: {
    gpu: "L4",
    gpuMemoryMiB: 22888,
    sizes: {
      "xlarge": [1, 4, 16, 0.8048],
      "2xlarge": [1, 8, 32, 0.9776],
      "4xlarge": [1, 16, 64, 1.3232],
      "8xlarge": [1, 32, 128, 2.0144],
      "12xlarge": [4, 48, 192, 4.6016],
      "16xlarge": [1, 64, 256, 3.3968],
      "24xlarge": [4, 96, 384, 6.6752],
      "48xlarge": [8, 192, 768, 13.3504],
    },
  },
  g6e: {
    gpu: "L40S",
    gpuMemoryMiB: 45776,
    sizes: {
      "xlarge": [1, 4, 32, 1.861],
      "2xlarge": [1, 8, 64, 2.2421],
      "4xlarge": [1, 16, 128, 3.0042],
      "8xlarge": [1, 32, 256, 4.5286],
      "12xlarge": [4, 48, 384, 10.4926],
      "16xlarge": [1, 64, 512, 7.5772],
      "24xlarge": [4, 96, 768, 15.0656],
      "48xlarge": [8, 192, 1536, 30.1312],
    },
  },
  g7e: {
    gpu: "RTX PRO 6000",
    gpuMemoryMiB: 98304,
    sizes: {
      "2xlarge": [1, 8, 64, 3.3631],
      "4xlarge": [1, 16, 128, 3.9982],
      "8xlarge": [1, 32, 256, 5.2682],
      "12xlarge": [2, 48, 512, 8.2861],
      "24xlarge": [4, 96, 1024, 16.5722],
      "48xlarge": [8, 192, 2048, 33.1443],
    },
  },
  p4d: {
    gpu: "A100",
    gpuMemoryMiB: 40960,
    sizes: {
      "24xlarge": [8, 96, 1152, 21.9576],
    },
  },
  p4de: {
    gpu: "A100",
    gpuMemoryMiB: 81920,
    sizes: {
      "24xlarge": [8, 96, 1152, 27.4471],
    },
  },
  p5: {
    gpu: "H100",
    gpuMemoryMiB: 81920,
    sizes: {
      "4xlarge": [1, 16, 256, 6.88],
      "48xlarge": [8, 192, 2048, 55.04],
    },
  },
  p5e: {
    gpu: "H200",
    gpuMemoryMiB: 144384,
    sizes: {
      "48xlarge": [8, 192, 2048],
    },
  },
  p5en: {
    gpu: "H200",
    gpuMemoryMiB: 144384,
    sizes: {
      "48xlarge": [8, 192, 2048, 63.296],
    },
  },
  "p6-b200": {
    gpu: "B200",
    gpuMemoryMiB: 183359,
    sizes: {
      "48xlarge": [8, 192, 2048, 113.933],
    },
  },
};

/** The type, or undefined when it is not in the table. */
export function instanceType(name: string): InstanceType | undefined {
  const dot = name.indexOf(".");
  const [familyName, size] = [name.slice(0, dot), name.slice(dot + 1)];
  const family = Object.hasOwn(FAMILIES, familyName) ? FAMILIES[familyName] : undefined;
  if (family === undefined || !Object.hasOwn(family.sizes, size)) return undefined;
  const [gpus, vcpus, memoryGiB, price] = family.sizes[size]!;
  return {
    name,
    ...(family.gpu === undefined ? {} : { gpu: family.gpu }),
    gpus,
    gpuMemoryMiB: family.gpuMemoryMiB ?? 0,
    vcpus,
    memoryGiB,
    ...(price === undefined ? {} : { pricePerHour: price }),
  };
}

/** All types of the table. */
export function instanceTypes(): InstanceType[] {
  return Object.entries(FAMILIES).flatMap(([family, { sizes }]) =>
    Object.keys(sizes).map((size) => instanceType(`${family}.${size}`)!)
  );
}

/** Whether a pool may start the type. */
export function poolOffers(pool: NodePool, name: string): boolean {
  const dot = name.indexOf(".");
  return pool.instanceFamilies.includes(name.slice(0, dot)) &&
    (pool.instanceSizes.length === 0 || pool.instanceSizes.includes(name.slice(dot + 1)));
}

/**
 * What pods get of a node, roughly: the kubelet, the system and the daemons of a cluster take
 * their share. In cores and GiB. Checked against the table's "Resources", from which it takes
 * another 0 to 5 % of memory for daemons.
 */
export function allocatable(
  type: InstanceType,
): { readonly cpus: number; readonly memoryGiB: number } {
  return { cpus: type.vcpus * 0.99 - 0.25, memoryGiB: type.memoryGiB * 0.88 - 0.25 };
}
