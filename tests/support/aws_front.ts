/**
 * A loopback server in front of moto: some calls get faults or answers of the test's own, all
 * others go on to moto.
 *
 * ```ts
 * await using front = startAwsFront({
 *   behind: moto.url,
 *   answers: {
 *     "ec2:DescribeVpcs": fault("UnauthorizedOperation", 403),
 *     "sts:*": (call, n) => n > 3 ? fault("ExpiredToken", 403)(call, n) : undefined,
 *   },
 * });
 * front.url; front.calls; // ["sts:GetCallerIdentity", …]
 * ```
 *
 * @module
 */

/** One call as the server sees it. */
export interface AwsCall {
  /** Prefix of IAM actions: `ec2`, `eks`, `iam`, `servicequotas`. */
  readonly service: string;
  /** `DescribeVpcs`; for REST services (EKS, S3) method and path: `GET /clusters/x`. */
  readonly operation: string;
  /** Id of the access key that signed it. */
  readonly accessKey: string;
  /** Body as text. */
  readonly body: string;
  /** The service speaks JSON, not XML. */
  readonly json: boolean;
}

/** Gives an answer, or undefined to hand the call on. `n` counts such calls from 1. */
export type AwsAnswer = (
  call: AwsCall,
  n: number,
) => Response | undefined | Promise<Response | undefined>;

/** Options of {@link startAwsFront}. */
export interface AwsFrontOptions {
  /** Where other calls go; without it they get status 501. */
  readonly behind?: string;
  /** By `service:operation`, or `service:*`, or `*`; the most exact one is asked first. */
  readonly answers: Readonly<Record<string, AwsAnswer>>;
}

/** A running front. */
export interface AwsFront extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** All calls so far, as `service:operation`. */
  readonly calls: readonly string[];
  /** When each of them came, milliseconds since the epoch. */
  readonly times: readonly number[];
}

/** An answer that is AWS's error of that name, in the service's own form. */
export function fault(code: string, status = 400, message = "a test says so"): AwsAnswer {
  return (call) =>
    call.json
      ? Response.json({ __type: code, message }, {
        status,
        headers: { "x-amzn-errortype": code },
      })
      : new Response(
        call.service === "ec2"
          ? `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors></Response>`
          : `<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
        { status, headers: { "content-type": "text/xml" } },
      );
}

/** An answer with this JSON. */
export function json(value: unknown): AwsAnswer {
  return () => Response.json(value);
}

/** An answer with this XML. */
export function xml(text: string): AwsAnswer {
  return () => new Response(text, { headers: { "content-type": "text/xml" } });
}

/** Starts a front. */
export function startAwsFront(options: AwsFrontOptions): AwsFront {
  const calls: string[] = [];
  const times: number[] = [];
  const counts = new Map<string, number>();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const bytes = new Uint8Array(await request.arrayBuffer());
      const call = readCall(request, new TextDecoder().decode(bytes));
      const name = `${call.service}:${call.operation}`;
      calls.push(name);
      times.push(Date.now());
      for (const key of [name, `${call.service}:*`, "*"]) {
        const answer = options.answers[key];
        if (answer === undefined) continue;
        const n = (counts.get(key) ?? 0) + 1;
        counts.set(key, n);
        const given = await answer(call, n);
        if (given !== undefined) return given;
      }
      if (options.behind === undefined) return new Response("not known here", { status: 501 });
      return await forward(options.behind, request, bytes);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    calls,
    times,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function readCall(request: Request, body: string): AwsCall {
  const scope = /Credential=([^/]+)\/\d+\/[^/]+\/([^/]+)\//;
  const [, accessKey = "", service = "unknown"] =
    scope.exec(request.headers.get("authorization") ?? "") ?? [];
  const target = request.headers.get("x-amz-target");
  const form = request.headers.get("content-type")?.includes("x-www-form-urlencoded") ?? false;
  const action = form ? new URLSearchParams(body).get("Action") : null;
  const operation = target?.split(".").at(-1) ?? action ??
    `${request.method} ${new URL(request.url).pathname}`;
  return { service, operation, accessKey, body, json: !form && service !== "s3" };
}

async function forward(behind: string, request: Request, body: Uint8Array): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  headers.delete("host");
  const answer = await fetch(`${behind}${pathname}${search}`, {
    method: request.method,
    headers,
    redirect: "manual",
    body: body.length === 0 ? null : body as Uint8Array<ArrayBuffer>,
  });
  const isBodyless = answer.status === 204 || answer.status === 304;
  return new Response(isBodyless ? null : await answer.arrayBuffer(), {
    status: answer.status,
    headers: answer.headers,
  });
}
