/**
 * Tokens for EKS clusters: a presigned request to STS that the cluster makes in our name to
 * learn who we are. No AWS CLI is needed.
 *
 * Source: aws-iam-authenticator's README ("API Authorization from Outside a Cluster") and the
 * AWS CLI's `eks get-token`.
 *
 * @module
 */
import { presignIdentity } from "./sts_presign.ts";
import type { Context } from "../cli/context.ts";
import { type AwsSession, openAws } from "../aws/session.ts";
import type { TokenSource } from "../kube/credentials.ts";

const PREFIX = "k8s-aws-v1.";
/** A cluster takes a token for 15 minutes from when it was signed; one less is safe. */
export const TOKEN_LIFE_MS = 14 * 60_000;

/** A token, and until when it may be kept. */
export interface EksToken {
  /** `k8s-aws-v1.…`, a secret. */
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/** Names a cluster to make tokens for. */
export interface EksTokenOptions {
  /** Name of the cluster. */
  readonly cluster: string;
  /** Region of the cluster. */
  readonly region: string;
  /** Profile of the AWS configuration. */
  readonly profile?: string | undefined;
}

/**
 * Makes a token with the session's credentials. Nothing is sent; credentials that AWS does not
 * take are found out by the cluster.
 *
 * @throws {TaskError} AWS_NO_CREDENTIALS and others of the credentials' chain.
 */
export async function eksToken(
  aws: AwsSession,
  options: {
    /** Name of the cluster. */
    readonly cluster: string;
    /** Milliseconds since the epoch. */
    readonly now: number;
  },
): Promise<EksToken> {
  const { cluster, now } = options;
  const url = await presignIdentity(aws, { clusterHeader: cluster, now });
  const bytes = new TextEncoder().encode(url);
  const token = PREFIX + bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  return { token, expires: now + TOKEN_LIFE_MS };
}

/** What an exec credential plugin prints (client.authentication.k8s.io/v1). */
export function execCredential(
  { token, expires }: EksToken,
  apiVersion: string,
): Record<string, unknown> {
  return {
    kind: "ExecCredential",
    apiVersion,
    spec: {},
    status: {
      expirationTimestamp: new Date(expires).toISOString().replace(/\.\d+/, ""),
      token,
    },
  };
}

/** A source of tokens for the Kubernetes client: each is kept for 14 minutes. */
export function eksTokens(ctx: Context, options: EksTokenOptions): TokenSource {
  let session: Promise<AwsSession> | undefined;
  let kept: Promise<EksToken> | undefined;
  function make(): Promise<EksToken> {
    session ??= openAws(ctx, options);
    const made = session.then((aws) =>
      eksToken(aws, { cluster: options.cluster, now: ctx.clock.now() })
    );
    kept = made;
    made.catch(() => {
      if (kept === made) kept = undefined;
    });
    return made;
  }
  async function current(): Promise<EksToken> {
    const token = await (kept ?? make());
    return ctx.clock.now() < token.expires ? token : await make();
  }
  return {
    read: async () => (await current()).token,
    refresh() {
      kept = undefined;
      // Credentials may have been renewed since.
      session = undefined;
    },
  };
}
