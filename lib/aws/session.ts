/**
 * AWS: one session for one region, with clients that load when they are first asked for.
 *
 * Importing this file costs nothing. The first client loads the SDK (about 0.3 s of CPU), each
 * further one takes about 10 ms. Clients are the SDK's aggregated ones: `(await aws.ec2())
 * .describeVpcs({})`. Every call retries throttling and passing faults with back-off, ends when
 * the context is aborted or at its deadline, and throws a TaskError (`errors.ts`).
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import {
  actionPrefix,
  type ClassicElb,
  type Clients,
  type ClientSettings,
  type Ec2,
  type Ecr,
  type Efs,
  type Eks,
  type Elb,
  type Events,
  type Iam,
  keysOf,
  type Kms,
  type Logs,
  makeClient,
  type Pricing,
  type S3,
  type ServiceName,
  type ServiceQuotas,
  type Sqs,
  type Sts,
  type Tagging,
} from "./clients.ts";
import { awsError, type FailedCall } from "./errors.ts";
import { fetchHandler } from "./http.ts";

/** Options of {@link openAws}. */
export interface AwsOptions {
  /** Region, such as `us-west-2`. */
  readonly region: string;
  /** Named profile of the AWS configuration; `AWS_PROFILE`, else the default chain. */
  readonly profile?: string | undefined;
  /** Milliseconds for a call with all its attempts; 90 s unless given. */
  readonly deadlineMs?: number;
  /** Milliseconds for one attempt; 30 s unless given. */
  readonly attemptMs?: number;
  /** Attempts of a call; `AWS_MAX_ATTEMPTS`, else 6. */
  readonly maxAttempts?: number;
}

/** A narrower life for calls: see {@link AwsSession.within}. */
export interface CallLimits {
  /** Ends calls. */
  readonly signal: AbortSignal;
  /** Milliseconds for a call with all its attempts. */
  readonly deadlineMs?: number;
}

/** AWS in one region. */
export interface AwsSession {
  /** Region. */
  readonly region: string;
  /** Named profile, if any. */
  readonly profile: string | undefined;
  /** Where requests go instead of AWS (`AWS_ENDPOINT_URL`); undefined for AWS itself. */
  readonly endpoint: string | undefined;
  /** Instances, networks, quotas of use. */
  ec2(): Promise<Ec2>;
  /** Clusters. */
  eks(): Promise<Eks>;
  /** Who we are. */
  sts(): Promise<Sts>;
  /** Roles and permissions. */
  iam(): Promise<Iam>;
  /** Limits of the account. */
  serviceQuotas(): Promise<ServiceQuotas>;
  /** The price list; it is served in us-east-1 and tells the prices of all regions. */
  pricing(): Promise<Pricing>;
  /** Terraform's state bucket. */
  s3(): Promise<S3>;
  /** Shared file systems. */
  efs(): Promise<Efs>;
  /** Load balancers and their target groups. */
  elb(): Promise<Elb>;
  /** Classic load balancers. */
  classicElb(): Promise<ClassicElb>;
  /** Repositories of images. */
  ecr(): Promise<Ecr>;
  /** Log groups. */
  logs(): Promise<Logs>;
  /** Queues. */
  sqs(): Promise<Sqs>;
  /** Rules of events. */
  events(): Promise<Events>;
  /** Keys and their aliases. */
  kms(): Promise<Kms>;
  /** What carries a tag, of any service. */
  tagging(): Promise<Tagging>;
  /** The same clients whose calls also end with this signal, for a step's or check's own deadline. */
  within(limits: CallLimits): AwsSession;
}

/** Who we are to AWS. */
export interface AwsIdentity {
  /** Twelve digits. */
  readonly account: string;
  /** `arn:aws:iam::…:user/…` or `arn:aws:sts::…:assumed-role/…`. */
  readonly arn: string;
  /** Unique id of the user or role session. */
  readonly userId: string;
}

const DEADLINE_MS = 90_000;
const ATTEMPT_MS = 30_000;
const MAX_ATTEMPTS = 6;

/** The part of a client that is replaced. */
interface Sender {
  send(command: object, options?: { abortSignal?: AbortSignal }): Promise<unknown>;
}

/**
 * Opens a session. Nothing is loaded, read or sent before the first call.
 *
 * Credentials: the variables of the context (`AWS_ACCESS_KEY_ID` …), else the SDK's standard chain
 * with the profile (files, SSO, assumed roles, web identity, container and instance roles).
 */
export function openAws(ctx: Context, options: AwsOptions): Promise<AwsSession> {
  const profile = options.profile ?? ctx.env.get("AWS_PROFILE");
  const endpoint = ctx.env.get("AWS_ENDPOINT_URL");
  const settings: ClientSettings = {
    ctx,
    region: options.region,
    profile,
    handler: fetchHandler(ctx, options.attemptMs ?? ATTEMPT_MS),
    keys: keysOf(ctx, options.profile),
    maxAttempts: options.maxAttempts ?? (Number(ctx.env.get("AWS_MAX_ATTEMPTS")) || MAX_ATTEMPTS),
  };
  const clients = new Map<ServiceName, Promise<unknown>>();
  const load = <N extends ServiceName>(name: N): Promise<Clients[N]> => {
    const found = clients.get(name) ?? makeClient(settings, name, () => load("sts"));
    clients.set(name, found);
    return found as Promise<Clients[N]>;
  };
  const base = { region: options.region, profile, endpoint };
  const limits = { signal: ctx.signal, deadlineMs: options.deadlineMs ?? DEADLINE_MS };
  return Promise.resolve(sessionOver(base, load, limits));
}

/**
 * Account, ARN and user id of the credentials; needs no permission.
 *
 * @throws {TaskError} as every call: AWS_NO_CREDENTIALS, AWS_EXPIRED, AWS_UNREACHABLE …
 */
export async function identity(aws: AwsSession): Promise<AwsIdentity> {
  const answer = await (await aws.sts()).getCallerIdentity({});
  return {
    account: answer.Account ?? "",
    arn: answer.Arn ?? "",
    userId: answer.UserId ?? "",
  };
}

function sessionOver(
  base: Pick<AwsSession, "region" | "profile" | "endpoint">,
  load: <N extends ServiceName>(name: N) => Promise<Clients[N]>,
  limits: Required<CallLimits>,
): AwsSession {
  const client = <N extends ServiceName>(name: N) => async (): Promise<Clients[N]> =>
    guarded<Clients[N]>(await load(name), name, base, limits);
  return {
    ...base,
    ec2: client("ec2"),
    eks: client("eks"),
    sts: client("sts"),
    iam: client("iam"),
    serviceQuotas: client("serviceQuotas"),
    pricing: client("pricing"),
    s3: client("s3"),
    efs: client("efs"),
    elb: client("elb"),
    classicElb: client("classicElb"),
    ecr: client("ecr"),
    logs: client("logs"),
    sqs: client("sqs"),
    events: client("events"),
    kms: client("kms"),
    tagging: client("tagging"),
    within: (more) =>
      sessionOver(base, load, {
        signal: AbortSignal.any([limits.signal, more.signal]),
        deadlineMs: Math.min(limits.deadlineMs, more.deadlineMs ?? limits.deadlineMs),
      }),
  };
}

/** The client with a `send` of ours, which all of its methods and paginators go through. */
function guarded<T extends object>(
  client: T,
  name: ServiceName,
  base: Pick<AwsSession, "region" | "profile" | "endpoint">,
  limits: Required<CallLimits>,
): T {
  const sender = client as unknown as Sender;
  const send: Sender["send"] = async (command, options = {}) => {
    const call: FailedCall = { ...base, action: `${actionPrefix(name)}:${operation(command)}` };
    limits.signal.throwIfAborted();
    const deadline = AbortSignal.timeout(limits.deadlineMs);
    const signals = [limits.signal, deadline, options.abortSignal].filter((s) => s !== undefined);
    const abortSignal = AbortSignal.any(signals);
    try {
      // The SDK sleeps between attempts without looking at the signal.
      return await untilAborted(sender.send(command, { ...options, abortSignal }), abortSignal);
    } catch (error) {
      limits.signal.throwIfAborted();
      options.abortSignal?.throwIfAborted();
      const seconds = Math.round(limits.deadlineMs / 1000);
      throw awsError(deadline.aborted ? new Error(`no answer after ${seconds} s`) : error, call);
    }
  };
  return Object.create(client, { send: { value: send } });
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

function operation(command: object): string {
  return command.constructor.name.replace(/Command$/, "");
}
