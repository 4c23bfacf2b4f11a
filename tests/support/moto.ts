/**
 * AWS for tests: moto's server (PyPI) on a loopback port, in a virtual environment of the cache.
 *
 * - `withMoto(async (moto) => { … })` starts one, gives it to the body and ends it; where it
 *   cannot be had it prints SKIPPED and why, and the body does not run.
 * - `moto.url` is what AWS_ENDPOINT_URL points to; `moto.env` are the variables a task needs.
 * - `moto.aws(ctx, region)` opens a session; `moto.cluster(ctx, options)` makes an EKS cluster.
 * - `aws_front.ts` stands in front of it, with faults and answers that moto lacks.
 *
 * Not in moto 5.2: SimulatePrincipalPolicy, DescribeCapacityReservations,
 * DescribeClusterVersions, most service quotas, DryRun.
 *
 * @module
 */
import type { Context } from "../../lib/cli/context.ts";
import { messageOf } from "../../lib/cli/errors.ts";
import { exists, removeAll } from "../../lib/cli/files.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { type AwsSession, openAws } from "../../lib/aws/session.ts";
import { withCacheLock } from "../../lib/local/cache_lock.ts";

/** Version of moto. */
export const MOTO_VERSION = "5.2.5";

/** Options of {@link Moto.cluster}. */
export interface MotoClusterOptions {
  /** Name of the cluster. */
  readonly name: string;
  /** Region; us-west-2 unless given. */
  readonly region?: string;
  /** Kubernetes version; 1.33 unless given. */
  readonly version?: string;
}

/** A running server. */
export interface Moto {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Variables that send the SDK, terraform and helm to it and nowhere else. */
  readonly env: Readonly<Record<string, string>>;
  /** A session against it, whatever the context's own variables are. */
  aws(ctx: Context, region?: string): Promise<AwsSession>;
  /** Makes a role, a network with two subnets and an EKS cluster; returns its VPC. */
  cluster(ctx: Context, options: MotoClusterOptions): Promise<{ readonly vpcId: string }>;
  /** Forgets everything. */
  reset(): Promise<void>;
  /** Ends it. */
  close(): Promise<void>;
}

/** Variables for the AWS that listens at `url`: planted keys, no other source of credentials. */
export function awsEnvironment(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: "AKIAMOTOTEST",
    AWS_SECRET_ACCESS_KEY: "planted-moto-secret",
    AWS_REGION: "us-west-2",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
}

/** Runs `body` with a server of its own, or prints SKIPPED. */
export async function withMoto(body: (moto: Moto) => Promise<void>): Promise<void> {
  await using made = await testContext();
  const moto = await startMoto(made.ctx);
  if ("reason" in moto) {
    // deno-lint-ignore no-console -- a test that cannot run says so
    console.log(`SKIPPED: no moto on this machine: ${moto.reason}`);
    return;
  }
  try {
    await body(moto);
  } finally {
    await moto.close();
  }
}

// It ends with its standard input, so it never outlives the test, however that ends.
const SERVER = `
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
from moto.server import main
main(["-H", "127.0.0.1", "-p", "0"])
`;

/** Starts a server, or says why there is none. */
export async function startMoto(ctx: Context): Promise<Moto | { readonly reason: string }> {
  const python = await motoPython(ctx);
  if (typeof python !== "string") return python;
  const child = new Deno.Command(python, {
    args: ["-c", SERVER],
    env: { MOTO_ALLOW_NONEXISTENT_REGION: "false" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const draining = child.stdout.pipeTo(new WritableStream()).catch(() => {});
  const close = async () => {
    await child.stdin.close().catch(() => {});
    await Promise.all([child.status, draining, log]);
  };
  const ready = Promise.withResolvers<string>();
  const log = followLog(child.stderr, ready.resolve);
  const tooLate = setTimeout(() => ready.resolve(""), 60_000);
  const url = await ready.promise;
  clearTimeout(tooLate);
  if (url === "") {
    await close();
    return { reason: "moto did not start within 60 s" };
  }
  const env = awsEnvironment(url);
  const aws = (from: Context, region = "us-west-2") =>
    openAws({ ...from, env: { get: (name) => env[name], toObject: () => env } }, { region });
  return {
    url,
    env,
    aws,
    cluster: async (from, options) => await makeCluster(await aws(from, options.region), options),
    reset: async () => {
      await (await fetch(`${url}/moto-api/reset`, { method: "POST" })).body?.cancel();
    },
    close,
  };
}

async function followLog(
  stream: ReadableStream<Uint8Array>,
  onReady: (url: string) => void,
): Promise<void> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text = (text + part).slice(-4000);
    const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(text);
    if (found !== null) onReady(found[1]!);
  }
  onReady("");
}

async function makeCluster(
  aws: AwsSession,
  options: MotoClusterOptions,
): Promise<{ readonly vpcId: string }> {
  const [ec2, eks, iam] = [await aws.ec2(), await aws.eks(), await aws.iam()];
  const vpcId = (await ec2.createVpc({ CidrBlock: "10.1.0.0/16" })).Vpc!.VpcId!;
  const subnetIds: string[] = [];
  for (const [index, zone] of ["a", "b"].entries()) {
    const made = await ec2.createSubnet({
      VpcId: vpcId,
      CidrBlock: `10.1.${index}.0/24`,
      AvailabilityZone: `${aws.region}${zone}`,
    });
    subnetIds.push(made.Subnet!.SubnetId!);
  }
  const role = await iam.createRole({
    RoleName: `${options.name}-cluster`,
    AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [] }),
  });
  await eks.createCluster({
    name: options.name,
    version: options.version ?? "1.33",
    roleArn: role.Role!.Arn!,
    resourcesVpcConfig: { subnetIds },
  });
  return { vpcId };
}

/** Python of an environment with moto, made on first use (a minute, 150 MB). */
async function motoPython(ctx: Context): Promise<string | { readonly reason: string }> {
  const parent = `${ctx.cache}/moto`;
  const folder = `${parent}/${MOTO_VERSION}`;
  const python = `${folder}/bin/python`;
  const marker = `${folder}/complete`;
  if (await exists(ctx, marker) && await exists(ctx, python)) return python;
  return await withCacheLock(ctx, parent, () => {}, async () => {
    if (await exists(ctx, marker) && await exists(ctx, python)) return python;
    await removeAll(ctx, folder);
    try {
      const steps: [string, string[]][] = [
        ["python3", ["-m", "venv", folder]],
        [python, ["-m", "pip", "install", "--quiet", `moto[server]==${MOTO_VERSION}`]],
      ];
      for (const [program, args] of steps) {
        const result = await ctx.processes.run(program, args, { signal: ctx.signal });
        if (result.code !== 0) {
          return { reason: `${program} ${args[1]} failed: ${result.stderr.trim().slice(-300)}` };
        }
      }
    } catch (error) {
      return { reason: messageOf(error) };
    }
    await ctx.fs.writeTextFile(marker, "");
    return python;
  });
}
