/**
 * An EKS cluster for tests: AWS as moto with a front that describes the cluster, and its API
 * server, which takes EKS tokens as aws-iam-authenticator does and hands requests on to the
 * embedded control plane.
 *
 * @module
 */
import type { Context } from "../../lib/cli/context.ts";
import type { RunningCluster } from "../../lib/local/cluster.ts";
import { readAuthority, servingPaths } from "../../lib/local/serving_certificate.ts";
import { type AwsAnswer, fault, json } from "./aws_front.ts";
import { expectedSignature, tokenUrl } from "./presigned.ts";

/** A request that would change something. */
export interface ApiChange {
  /** `DELETE`, `PATCH` … */
  readonly method: string;
  /** Path of the API server. */
  readonly path: string;
  /** When it came, milliseconds since the epoch. */
  readonly at: number;
}

/** A running endpoint. */
export interface EksEndpoint extends AsyncDisposable {
  /** `https://127.0.0.1:<port>`. */
  readonly url: string;
  /** Certificate authority, base64 of PEM. */
  readonly authority: string;
  /** Requests that were let in. */
  readonly accepted: number;
  /** Those of them that would change something. */
  readonly changes: readonly ApiChange[];
  /** Gives an answer in place of the API server's; a test may set it at any time. */
  instead: ((change: ApiChange) => Response | undefined) | undefined;
  /** Why others were not. */
  readonly refused: readonly string[];
}

/** Options of {@link startEksEndpoint}. */
export interface EksEndpointOptions {
  /** The control plane behind it. */
  readonly cluster: RunningCluster;
  /** Name of the EKS cluster, which tokens must be meant for. */
  readonly name: string;
  /** Secret access key that tokens must be signed with. */
  readonly secret: string;
  /** Where STS is; tokens that lead elsewhere are refused. */
  readonly sts: () => string;
}

const TOKEN_LIFE_MS = 15 * 60_000;

/** Starts the endpoint with the control plane's own certificate. */
export async function startEksEndpoint(
  ctx: Context,
  options: EksEndpointOptions,
): Promise<EksEndpoint> {
  const { access, layout } = options.cluster;
  const folder = `${layout.pki}/serving`;
  const paths = servingPaths(folder);
  const authority = (await readAuthority(ctx, folder))!;
  const client = Deno.createHttpClient({ caCerts: [authority], http2: false });
  const refused: string[] = [];
  const changes: ApiChange[] = [];
  let accepted = 0;
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: await Deno.readTextFile(paths.certificate),
    key: await Deno.readTextFile(paths.key),
    onListen() {},
  }, async (request) => {
    const token = /^Bearer (.*)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    const problem = tokenProblem(token, options);
    if (problem !== undefined) {
      refused.push(problem);
      return Response.json(
        { kind: "Status", status: "Failure", reason: "Unauthorized", code: 401 },
        {
          status: 401,
        },
      );
    }
    accepted++;
    const { pathname, search } = new URL(request.url);
    if (request.method !== "GET") {
      const change = { method: request.method, path: pathname, at: Date.now() };
      changes.push(change);
      const answer = endpoint.instead?.(change);
      if (answer !== undefined) return answer;
    }
    const headers = new Headers(request.headers);
    headers.delete("host");
    headers.set("authorization", `Bearer ${access.token}`);
    const answer = await fetch(`${access.server}${pathname}${search}`, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
      client,
      signal: request.signal,
    });
    const answered = new Headers(answer.headers);
    // fetch has unpacked it.
    answered.delete("content-encoding");
    answered.delete("content-length");
    return new Response(answer.body, { status: answer.status, headers: answered });
  });
  const endpoint: EksEndpoint = {
    url: `https://127.0.0.1:${server.addr.port}`,
    authority: btoa(authority),
    get accepted() {
      return accepted;
    },
    refused,
    changes,
    instead: undefined,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      client.close();
    },
  };
  return endpoint;
}

/** The API server's answer to what its user may not do. */
export function forbidden({ method, path }: ApiChange): Response {
  const message = `a test forbids ${method} ${path}`;
  const status = { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Forbidden" };
  return Response.json({ ...status, code: 403, message }, { status: 403 });
}

/** What aws-iam-authenticator and STS would say against a token, or undefined. */
function tokenProblem(token: string, options: EksEndpointOptions): string | undefined {
  if (!token.startsWith("k8s-aws-v1.")) return "no EKS token";
  const url = tokenUrl(token);
  if (url.origin !== new URL(options.sts()).origin) return `leads to ${url.origin}`;
  const query = url.searchParams;
  if (query.get("Action") !== "GetCallerIdentity") return "is no GetCallerIdentity";
  if (!query.get("X-Amz-SignedHeaders")?.split(";").includes("x-k8s-aws-id")) {
    return "the cluster's header is not signed";
  }
  if (Number(query.get("X-Amz-Expires")) !== 60) return "lives too long";
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
    .exec(query.get("X-Amz-Date") ?? "")!.map(Number);
  const signed = Date.UTC(year!, month! - 1, day, hour, minute, second);
  if (Math.abs(Date.now() - signed) > TOKEN_LIFE_MS) return "is too old";
  const { name: cluster, secret } = options;
  return query.get("X-Amz-Signature") === expectedSignature(url, { cluster, secret })
    ? undefined
    : "the signature does not match";
}

/** What the front of AWS answers to DescribeCluster: the endpoint, or (not made yet) nothing. */
export function describeCluster(
  cluster: () =>
    | { readonly name: string; readonly endpoint: EksEndpoint | string; readonly account?: string }
    | undefined,
): AwsAnswer {
  return (call, n) => {
    const found = cluster();
    if (found === undefined) return fault("ResourceNotFoundException", 404)(call, n);
    const { name, endpoint, account = "123456789012" } = found;
    const isReal = typeof endpoint !== "string";
    return json({
      cluster: {
        name,
        arn: `arn:aws:eks:us-west-2:${account}:cluster/${name}`,
        endpoint: isReal ? endpoint.url : endpoint,
        certificateAuthority: { data: isReal ? endpoint.authority : "" },
        status: "ACTIVE",
        version: "1.33",
        tags: { "managed-by": "dynamo-eks", "dynamo-eks/cluster": name },
      },
    })(call, n);
  };
}
