/**
 * Service quotas: virtual CPUs of the pools' families, addresses, networks, against what is used.
 *
 * Codes of vCPU quotas: "Amazon EC2 instance type quotas" of the EC2 documentation. Those of VPCs
 * and Elastic IPs are what other tools use for them.
 *
 * @module
 */
import { instanceType, instanceTypes, poolOffers } from "../aws/instance_types.ts";
import type { AwsSession } from "../aws/session.ts";
import type { NodePool } from "../blueprint/types.ts";
import { TaskError } from "../cli/errors.ts";
import { type Check, fail, type Finding, ok, warn } from "./types.ts";

/** How capacity is bought, as quotas tell it apart; reservations count as on-demand. */
type Market = "on-demand" | "spot";

/** A quota of virtual CPUs. */
interface CpuQuota {
  readonly market: Market;
  readonly name: string;
  readonly code: string;
  readonly families: RegExp;
}

const CPU_QUOTAS: readonly CpuQuota[] = [
  { market: "on-demand", name: "Standard", code: "L-1216C47A", families: /^[acdhimrtz]\d/ },
  { market: "on-demand", name: "G and VT", code: "L-DB2E81BA", families: /^(g|vt)\d/ },
  { market: "on-demand", name: "P", code: "L-417A185B", families: /^p\d/ },
  { market: "spot", name: "Standard", code: "L-34B43A08", families: /^[acdhimrtz]\d/ },
  { market: "spot", name: "G and VT", code: "L-3819A6DF", families: /^(g|vt)\d/ },
  { market: "spot", name: "P5", code: "L-C4BD4855", families: /^p5/ },
  { market: "spot", name: "P", code: "L-7212CCBC", families: /^p\d/ },
];

/** A quota with what is used of it; undefined where AWS does not tell. */
interface Room extends CpuQuota {
  readonly limit: number | undefined;
  readonly used: number;
}

/** Virtual CPUs for every pool, at least for its smallest node. */
export const cpuQuotaCheck: Check = {
  id: "quota-vcpu",
  title: "vCPU quotas",
  targets: ["eks"],
  quick: true,
  needs: "aws",
  deadlineMs: 40_000,
  async run(patient) {
    const aws = (await patient.aws()).within(patient.ctx);
    const pools = patient.blueprint.nodePools.value;
    const quotas = CPU_QUOTAS.filter((quota) =>
      pools.some((pool) => quotaFor(pool, quota.market) === quota)
    );
    const used = await vcpusInUse(aws);
    const rooms = await Promise.all(quotas.map(async (quota): Promise<Room> => ({
      ...quota,
      limit: await quotaValue(aws, "ec2", quota.code),
      used: used.get(quota.code) ?? 0,
    })));
    const findings = pools.map((pool) => judgePool(pool, rooms));
    // One GPU pool without a quota is a matter of choice, none with one is not.
    const gpu = pools.flatMap((pool, at) => pool.gpu === undefined ? [] : [at]);
    const noneLeft = gpu.length > 0 && gpu.every((at) => findings[at]!.status === "fail");
    return findings.map((finding, at) =>
      finding.status === "fail" && gpu.includes(at) && !noneLeft
        ? { ...finding, status: "warn" as const }
        : finding
    );
  },
};

function quotaFor(pool: NodePool, market: Market): CpuQuota | undefined {
  const wanted = pool.capacityTypes.some((type) =>
    (type === "spot" ? "spot" : "on-demand") === market
  );
  const family = pool.instanceFamilies[0] ?? "";
  return wanted
    ? CPU_QUOTAS.find((quota) => quota.market === market && quota.families.test(family))
    : undefined;
}

function judgePool(pool: NodePool, rooms: readonly Room[]): Finding {
  const what = `vCPU quota of ${pool.name}`;
  const smallest = Math.min(
    ...instanceTypes().filter(({ name }) => poolOffers(pool, name)).map(({ vcpus }) => vcpus),
  );
  const own = rooms.filter((room) => quotaFor(pool, room.market)?.code === room.code);
  const texts = own.map((room) => `${room.market} ${room.used} of ${room.limit ?? "?"} used`);
  const why = `${texts.join(", ")} (${own[0]?.name ?? pool.instanceFamilies.join(", ")})`;
  if (!Number.isFinite(smallest)) {
    return warn(
      `${why}; the sizes of its nodes are not in our table`,
      "Compare it yourself.",
      what,
    );
  }
  const need = `its smallest node needs ${smallest}`;
  if (own.length === 0 || own.every((room) => room.limit === undefined)) {
    return warn(
      `AWS does not tell it (servicequotas:GetServiceQuota); ${need}`,
      "Look it up in the Service Quotas console.",
      what,
    );
  }
  const fits = own.filter((room) => room.limit === undefined || room.limit - room.used >= smallest);
  if (fits.length === own.length) return ok(`${why}; ${need}`, what);
  const lacking = own.filter((room) => !fits.includes(room));
  const todo =
    `Ask for more in Service Quotas (EC2, ${lacking.map(({ code }) => code).join(", ")}); ` +
    "that takes hours to days.";
  return fits.length > 0
    ? warn(`${why}; ${need}, so only ${fits[0]!.market} capacity will come`, todo, what)
    : fail(`${why}; ${need}`, todo, what);
}

/** Virtual CPUs of running instances by quota. */
async function vcpusInUse(aws: AwsSession): Promise<Map<string, number>> {
  const ec2 = await aws.ec2();
  const used = new Map<string, number>();
  let token: string | undefined;
  do {
    const page = await ec2.describeInstances({
      Filters: [{ Name: "instance-state-name", Values: ["pending", "running"] }],
      MaxResults: 1000,
      ...(token === undefined ? {} : { NextToken: token }),
    });
    for (const one of page.Reservations?.flatMap(({ Instances }) => Instances ?? []) ?? []) {
      const market: Market = one.InstanceLifecycle === "spot" ? "spot" : "on-demand";
      const type = one.InstanceType ?? "";
      const quota = CPU_QUOTAS.find((quota) =>
        quota.market === market && quota.families.test(type)
      );
      if (quota === undefined) continue;
      const { CoreCount = 0, ThreadsPerCore = 0 } = one.CpuOptions ?? {};
      const vcpus = CoreCount * ThreadsPerCore || (instanceType(type)?.vcpus ?? 0);
      used.set(quota.code, (used.get(quota.code) ?? 0) + vcpus);
    }
    token = page.NextToken;
  } while (token !== undefined);
  return used;
}

/** The account's value, AWS's default where none was set; undefined when it cannot be read. */
async function quotaValue(
  aws: AwsSession,
  service: string,
  code: string,
): Promise<number | undefined> {
  const quotas = await aws.serviceQuotas();
  const key = { ServiceCode: service, QuotaCode: code };
  const unknown = (error: unknown) => {
    if (error instanceof TaskError && error.code.startsWith("AWS_")) return undefined;
    throw error;
  };
  const own = await quotas.getServiceQuota(key).catch(unknown);
  if (own?.Quota?.Value !== undefined) return own.Quota.Value;
  return (await quotas.getAWSDefaultServiceQuota(key).catch(unknown))?.Quota?.Value;
}

/** One VPC and one Elastic IP, unless the cluster is there. */
export const networkQuotaCheck: Check = {
  id: "quota-network",
  title: "VPC and Elastic IP quotas",
  targets: ["eks"],
  quick: true,
  needs: "aws",
  deadlineMs: 40_000,
  async run(patient) {
    const aws = (await patient.aws()).within(patient.ctx);
    const ec2 = await aws.ec2();
    const [vpcs, addresses, vpcLimit, addressLimit] = await Promise.all([
      countVpcs(aws, patient.blueprint.name.value),
      ec2.describeAddresses({}),
      quotaValue(aws, "vpc", "L-F678F1CE"),
      quotaValue(aws, "ec2", "L-0263D0A3"),
    ]);
    return [
      judgeCount("VPC quota", vpcs, vpcLimit, "VPC, L-F678F1CE"),
      judgeCount(
        "Elastic IP quota",
        {
          used: addresses.Addresses?.length ?? 0,
          ours: vpcs.ours,
        },
        addressLimit,
        "EC2, L-0263D0A3",
      ),
    ];
  },
};

interface Count {
  readonly used: number;
  readonly ours: boolean;
}

async function countVpcs(aws: AwsSession, cluster: string): Promise<Count> {
  const ec2 = await aws.ec2();
  let used = 0;
  let ours = false;
  let token: string | undefined;
  do {
    const page = await ec2.describeVpcs(token === undefined ? {} : { NextToken: token });
    for (const { Tags } of page.Vpcs ?? []) {
      used++;
      ours ||= Tags?.some(({ Key, Value }) => Key === "Name" && Value?.startsWith(cluster)) ??
        false;
    }
    token = page.NextToken;
  } while (token !== undefined);
  return { used, ours };
}

function judgeCount(
  what: string,
  { used, ours }: Count,
  limit: number | undefined,
  where: string,
): Finding {
  if (limit === undefined) {
    return warn(
      `${used} used; AWS does not tell the limit`,
      "Look it up in the Service Quotas console.",
      what,
    );
  }
  const why = `${used} of ${limit} used`;
  if (used < limit) return ok(why, what);
  return ours
    ? ok(`${why}; this stack's own is among them`, what)
    : fail(why, `Remove one, or ask for more in Service Quotas (${where}).`, what);
}
