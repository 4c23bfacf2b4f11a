/**
 * Presigned `sts:GetCallerIdentity`, by the SDK's signer.
 *
 * @module
 */
import type { AwsSession } from "../aws/session.ts";
import { awsError } from "../aws/errors.ts";

/** Header by which a cluster knows that a token is meant for it. */
export const CLUSTER_HEADER = "x-k8s-aws-id";
/** Life of the URL, which clusters insist on being this short. */
const URL_SECONDS = 60;

/** URL of the signed request; the header is signed and has to be sent with it. */
export async function presignIdentity(
  aws: AwsSession,
  options: {
    /** Value of {@link CLUSTER_HEADER}. */
    readonly clusterHeader: string;
    /** Milliseconds since the epoch. */
    readonly now: number;
  },
): Promise<string> {
  const { SignatureV4 } = await import("@smithy/signature-v4");
  const sts = await aws.sts();
  try {
    const signer = new SignatureV4({
      service: "sts",
      region: aws.region,
      credentials: await sts.config.credentials(),
      sha256: sts.config.sha256,
      applyChecksum: false,
    });
    const base = new URL(aws.endpoint ?? `https://${stsHost(aws.region)}`);
    const signed = await signer.presign({
      method: "GET",
      protocol: base.protocol,
      hostname: base.hostname,
      ...(base.port === "" ? {} : { port: Number(base.port) }),
      path: "/",
      query: { Action: "GetCallerIdentity", Version: "2011-06-15" },
      headers: { host: base.host, [CLUSTER_HEADER]: options.clusterHeader },
    }, { expiresIn: URL_SECONDS, signingDate: new Date(options.now) });
    const query = Object.entries(signed.query ?? {})
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
    return `${base.origin}/?${query.join("&")}`;
  } catch (error) {
    throw awsError(error, { action: "sts:GetCallerIdentity", region: aws.region });
  }
}

/** Regional host of STS: the global one may be switched off, and is far from many. */
export function stsHost(region: string): string {
  return `sts.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}
