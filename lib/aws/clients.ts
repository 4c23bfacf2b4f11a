/**
 * The SDK's clients: how each is called, loaded and configured.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import type { SdkHandler } from "./http.ts";

/** Instances, networks, quotas of use. */
export type Ec2 = InstanceType<typeof import("@aws-sdk/client-ec2")["EC2"]>;
/** Clusters. */
export type Eks = InstanceType<typeof import("@aws-sdk/client-eks")["EKS"]>;
/** Who we are. */
export type Sts = InstanceType<typeof import("@aws-sdk/client-sts")["STS"]>;
/** Roles and permissions. */
export type Iam = InstanceType<typeof import("@aws-sdk/client-iam")["IAM"]>;
/** Limits of the account. */
export type ServiceQuotas = InstanceType<
  typeof import("@aws-sdk/client-service-quotas")["ServiceQuotas"]
>;
/** The price list; it is served in us-east-1 and tells the prices of all regions. */
export type Pricing = InstanceType<typeof import("@aws-sdk/client-pricing")["Pricing"]>;
/** Buckets. */
export type S3 = InstanceType<typeof import("@aws-sdk/client-s3")["S3"]>;
/** Shared file systems. */
export type Efs = InstanceType<typeof import("@aws-sdk/client-efs")["EFS"]>;
/** Load balancers and their target groups. */
export type Elb = InstanceType<
  typeof import("@aws-sdk/client-elastic-load-balancing-v2")["ElasticLoadBalancingV2"]
>;
/** Classic load balancers. */
export type ClassicElb = InstanceType<
  typeof import("@aws-sdk/client-elastic-load-balancing")["ElasticLoadBalancing"]
>;
/** Repositories of images. */
export type Ecr = InstanceType<typeof import("@aws-sdk/client-ecr")["ECR"]>;
/** Log groups. */
export type Logs = InstanceType<typeof import("@aws-sdk/client-cloudwatch-logs")["CloudWatchLogs"]>;
/** Queues. */
export type Sqs = InstanceType<typeof import("@aws-sdk/client-sqs")["SQS"]>;
/** Rules of events. */
export type Events = InstanceType<typeof import("@aws-sdk/client-eventbridge")["EventBridge"]>;
/** Keys and their aliases. */
export type Kms = InstanceType<typeof import("@aws-sdk/client-kms")["KMS"]>;
/** What carries a tag, of any service. */
export type Tagging = InstanceType<
  typeof import("@aws-sdk/client-resource-groups-tagging-api")["ResourceGroupsTaggingAPI"]
>;

/** The clients by name. */
export interface Clients {
  /** Instances, networks, quotas of use. */
  readonly ec2: Ec2;
  /** Clusters. */
  readonly eks: Eks;
  /** Who we are. */
  readonly sts: Sts;
  /** Roles and permissions. */
  readonly iam: Iam;
  /** Limits of the account. */
  readonly serviceQuotas: ServiceQuotas;
  /** The price list. */
  readonly pricing: Pricing;
  /** Buckets. */
  readonly s3: S3;
  /** Shared file systems. */
  readonly efs: Efs;
  /** Load balancers and their target groups. */
  readonly elb: Elb;
  /** Classic load balancers. */
  readonly classicElb: ClassicElb;
  /** Repositories of images. */
  readonly ecr: Ecr;
  /** Log groups. */
  readonly logs: Logs;
  /** Queues. */
  readonly sqs: Sqs;
  /** Rules of events. */
  readonly events: Events;
  /** Keys and their aliases. */
  readonly kms: Kms;
  /** What carries a tag, of any service. */
  readonly tagging: Tagging;
}

/** Name of a client. */
export type ServiceName = keyof Clients;

/** What clients are made of. */
export interface ClientSettings {
  /** Environment and terminal. */
  readonly ctx: Pick<Context, "env" | "ui">;
  /** Region. */
  readonly region: string;
  /** Named profile, if any. */
  readonly profile: string | undefined;
  /** Sends requests. */
  readonly handler: SdkHandler;
  /** Keys that take the place of the SDK's chain. */
  readonly keys: Keys | undefined;
  /** Attempts of a call. */
  readonly maxAttempts: number;
}

/** Access keys. */
export interface Keys {
  /** Names the key. */
  readonly accessKeyId: string;
  /** The secret. */
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
}

/** What is said of each service: prefix of its actions, suffix of its AWS_ENDPOINT_URL_…, client. */
const SERVICES = {
  ec2: ["ec2", "EC2", async (c: object) => new (await import("@aws-sdk/client-ec2")).EC2(c)],
  eks: ["eks", "EKS", async (c: object) => new (await import("@aws-sdk/client-eks")).EKS(c)],
  sts: ["sts", "STS", async (c: object) => new (await import("@aws-sdk/client-sts")).STS(c)],
  iam: ["iam", "IAM", async (c: object) => new (await import("@aws-sdk/client-iam")).IAM(c)],
  serviceQuotas: [
    "servicequotas",
    "SERVICE_QUOTAS",
    async (c: object) => new (await import("@aws-sdk/client-service-quotas")).ServiceQuotas(c),
  ],
  pricing: [
    "pricing",
    "PRICING",
    async (c: object) => new (await import("@aws-sdk/client-pricing")).Pricing(c),
  ],
  s3: ["s3", "S3", async (c: object) => new (await import("@aws-sdk/client-s3")).S3(c)],
  efs: [
    "elasticfilesystem",
    "EFS",
    async (c: object) => new (await import("@aws-sdk/client-efs")).EFS(c),
  ],
  elb: [
    "elasticloadbalancing",
    "ELASTIC_LOAD_BALANCING_V2",
    async (c: object) =>
      new (await import("@aws-sdk/client-elastic-load-balancing-v2")).ElasticLoadBalancingV2(c),
  ],
  classicElb: [
    "elasticloadbalancing",
    "ELASTIC_LOAD_BALANCING",
    async (c: object) =>
      new (await import("@aws-sdk/client-elastic-load-balancing")).ElasticLoadBalancing(c),
  ],
  ecr: ["ecr", "ECR", async (c: object) => new (await import("@aws-sdk/client-ecr")).ECR(c)],
  logs: [
    "logs",
    "CLOUDWATCH_LOGS",
    async (c: object) => new (await import("@aws-sdk/client-cloudwatch-logs")).CloudWatchLogs(c),
  ],
  sqs: ["sqs", "SQS", async (c: object) => new (await import("@aws-sdk/client-sqs")).SQS(c)],
  events: [
    "events",
    "EVENTBRIDGE",
    async (c: object) => new (await import("@aws-sdk/client-eventbridge")).EventBridge(c),
  ],
  kms: ["kms", "KMS", async (c: object) => new (await import("@aws-sdk/client-kms")).KMS(c)],
  tagging: [
    "tag",
    "RESOURCE_GROUPS_TAGGING_API",
    async (c: object) =>
      new (await import("@aws-sdk/client-resource-groups-tagging-api")).ResourceGroupsTaggingAPI(c),
  ],
} as const;

/** Prefix of the service's actions in IAM policies. */
export function actionPrefix(name: ServiceName): string {
  return SERVICES[name][0];
}

/** Makes a client; the chain's credentials come from the client of STS, so that a role is assumed once. */
export async function makeClient<N extends ServiceName>(
  settings: ClientSettings,
  name: N,
  sts: () => Promise<Sts>,
): Promise<Clients[N]> {
  const { ctx, profile, keys } = settings;
  const [, suffix, make] = SERVICES[name];
  const endpoint = ctx.env.get(`AWS_ENDPOINT_URL_${suffix}`) ?? ctx.env.get("AWS_ENDPOINT_URL");
  const chain = async () => {
    const found = await (await sts()).config.credentials();
    ctx.ui.redact(found.secretAccessKey);
    if (found.sessionToken !== undefined) ctx.ui.redact(found.sessionToken);
    return found;
  };
  const credentials = keys ?? (name === "sts" ? undefined : chain);
  return await make({
    // Prices are served in few regions.
    region: name === "pricing" ? "us-east-1" : settings.region,
    maxAttempts: settings.maxAttempts,
    retryMode: "standard",
    requestHandler: settings.handler,
    ...(profile === undefined ? {} : { profile }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(endpoint === undefined ? {} : { endpoint }),
    // Buckets as names of hosts do not exist on a loopback server.
    ...(name === "s3" && endpoint !== undefined ? { forcePathStyle: true } : {}),
    // A queue's address names AWS's own host.
    ...(name === "sqs" && endpoint !== undefined ? { useQueueUrlAsEndpoint: false } : {}),
  }) as unknown as Clients[N];
}

/** The keys of the context's variables, unless a profile was asked for by name. */
export function keysOf(
  ctx: ClientSettings["ctx"],
  profile: string | undefined,
): Keys | undefined {
  const accessKeyId = ctx.env.get("AWS_ACCESS_KEY_ID");
  const secretAccessKey = ctx.env.get("AWS_SECRET_ACCESS_KEY");
  const sessionToken = ctx.env.get("AWS_SESSION_TOKEN");
  if (secretAccessKey !== undefined) ctx.ui.redact(secretAccessKey);
  if (sessionToken !== undefined) ctx.ui.redact(sessionToken);
  if (profile !== undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    return undefined;
  }
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}
