import assert from "node:assert/strict";
import type { Context } from "../cli/context.ts";
import { messageOf, TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { awsErrorName } from "./errors.ts";
import { type AwsOptions, type AwsSession, identity, openAws } from "./session.ts";

const SECRET = "planted-secret-key-0123456789";
const TOKEN = "planted-session-token-0123456789";

const IDENTITY = `<GetCallerIdentityResponse><GetCallerIdentityResult>
  <Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/ana</Arn><UserId>AIDA</UserId>
</GetCallerIdentityResult></GetCallerIdentityResponse>`;

const fault = (code: string, message = "no", status = 400) => () =>
  new Response(
    `<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    { status, headers: { "content-type": "text/xml" } },
  );

interface Seen {
  readonly url: string;
  readonly headers: string;
}

/** An AWS that gives these answers in turn, the last one for ever. */
async function answering(
  answers: readonly ((request: Request) => Response | Promise<Response>)[],
  body: (
    open: (options?: Partial<AwsOptions>, ctx?: Context) => Promise<AwsSession>,
    seen: Seen[],
    ctx: Context,
  ) => Promise<void>,
): Promise<void> {
  const seen: Seen[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const answer = answers[Math.min(seen.length, answers.length - 1)]!;
    seen.push({ url: request.url, headers: [...request.headers].join("\n") });
    return answer(request);
  });
  await using made = await testContext({
    env: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${server.addr.port}`,
      AWS_ACCESS_KEY_ID: "AKIAPLANTED",
      AWS_SECRET_ACCESS_KEY: SECRET,
      AWS_SESSION_TOKEN: TOKEN,
    },
  });
  try {
    await body(
      (options = {}, ctx = made.ctx) => openAws(ctx, { region: "us-west-2", ...options }),
      seen,
      made.ctx,
    );
  } finally {
    await server.shutdown();
  }
}

async function failure(work: Promise<unknown>): Promise<TaskError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof TaskError, `not a TaskError: ${error}`);
    for (const secret of [SECRET, TOKEN]) {
      assert.ok(!`${error.message}${error.hint}${messageOf(error.cause)}`.includes(secret));
    }
    return error;
  }
  throw new Error("it did not fail");
}

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };

Deno.test("identity is read, signed, without a trace of the secret", relaxed, async () => {
  await answering([() => new Response(IDENTITY)], async (open, seen) => {
    const aws = await open();
    assert.deepEqual(await identity(aws), {
      account: "123456789012",
      arn: "arn:aws:iam::123456789012:user/ana",
      userId: "AIDA",
    });
    const { headers } = seen[0]!;
    assert.match(headers, /Credential=AKIAPLANTED\/\d{8}\/us-west-2\/sts\/aws4_request/);
    assert.ok(!headers.includes(SECRET));
  });
});

Deno.test("throttling is retried with back-off and then told", relaxed, async () => {
  await answering(
    [fault("Throttling"), fault("Throttling", "slow", 429), () => new Response(IDENTITY)],
    async (open, seen) => {
      const start = performance.now();
      assert.equal((await identity(await open())).account, "123456789012");
      assert.equal(seen.length, 3);
      assert.ok(performance.now() - start > 20, "no pause between attempts");
    },
  );
  await answering([fault("Throttling", "Rate exceeded", 429)], async (open, seen) => {
    const error = await failure(identity(await open({ maxAttempts: 2 })));
    assert.equal(error.code, "AWS_THROTTLED");
    assert.match(error.message, /sts:GetCallerIdentity after 2 attempts/);
    assert.equal(seen.length, 2);
  });
});

const FAULTS: [code: string, status: number, ours: string, exitCode: number][] = [
  ["ExpiredToken", 403, "AWS_EXPIRED", 3],
  ["RequestExpired", 400, "AWS_EXPIRED", 3],
  ["InvalidClientTokenId", 403, "AWS_BAD_CREDENTIALS", 3],
  ["SignatureDoesNotMatch", 403, "AWS_BAD_CREDENTIALS", 3],
  ["AccessDenied", 403, "AWS_DENIED", 3],
  ["UnauthorizedOperation", 403, "AWS_DENIED", 3],
  ["OptInRequired", 401, "AWS_NOT_ENABLED", 3],
  ["NoSuchEntity", 404, "AWS_NOT_FOUND", 1],
  ["ValidationError", 400, "AWS_FAILED", 1],
  ["InternalFailure", 500, "AWS_UNREACHABLE", 1],
];
Deno.test.each(FAULTS)(
  "AWS's %s (%d) is our %s",
  relaxed,
  async (code, status, ours, exitCode) => {
    // Such answers quote the request's headers.
    const quoting = `canonical x-amz-security-token:${
      ours === "AWS_BAD_CREDENTIALS" ? TOKEN : ""
    } end`;
    await answering([fault(code, quoting, status)], async (open) => {
      const error = await failure(identity(await open({ maxAttempts: 1 })));
      assert.deepEqual([error.code, error.exitCode], [ours, exitCode]);
      assert.ok(error.message.length > 20);
      if (ours === "AWS_DENIED") assert.match(error.message, /sts:GetCallerIdentity/);
      if (ours === "AWS_FAILED") assert.equal(awsErrorName(error), code);
    });
  },
);

Deno.test(
  "a server that is gone, is no AWS or never answers is AWS_UNREACHABLE",
  relaxed,
  async () => {
    await using made = await testContext({
      env: {
        AWS_ENDPOINT_URL: "http://127.0.0.1:9",
        AWS_ACCESS_KEY_ID: "a",
        AWS_SECRET_ACCESS_KEY: "b",
      },
    });
    const aws = await openAws(made.ctx, { region: "us-west-2", maxAttempts: 2 });
    const gone = await failure(identity(aws));
    assert.equal(gone.code, "AWS_UNREACHABLE");
    assert.match(gone.hint ?? "", /AWS_ENDPOINT_URL/);

    const page = () => new Response("<html><title>proxy</title>", { status: 502 });
    await answering([page], async (open) => {
      assert.equal(
        (await failure(identity(await open({ maxAttempts: 1 })))).code,
        "AWS_UNREACHABLE",
      );
    });

    const never = Promise.withResolvers<void>();
    const wait = () => never.promise.then(() => new Response(IDENTITY));
    await answering([wait], async (open, seen) => {
      const slow = await failure(identity(await open({ attemptMs: 60, maxAttempts: 2 })));
      assert.equal(slow.code, "AWS_UNREACHABLE");
      assert.equal(seen.length, 2, "an attempt that takes too long is tried again");
      const late = await failure(identity(await open({ deadlineMs: 80 })));
      assert.match(late.message, /no answer after/);
      never.resolve();
    });
  },
);

Deno.test("the context's signal and a narrower one end calls", relaxed, async () => {
  const never = Promise.withResolvers<void>();
  const wait = () => never.promise.then(() => new Response(IDENTITY));
  await answering([wait], async (open, _seen, ctx) => {
    const outer = new AbortController();
    const aws = await open({}, { ...ctx, signal: outer.signal });
    const inner = new AbortController();
    const work = identity(aws.within({ signal: inner.signal }));
    const reason = new TaskError({ code: "INNER", message: "inner" });
    setTimeout(() => inner.abort(reason), 50);
    await assert.rejects(work, reason);
    outer.abort(new TaskError({ code: "OUTER", message: "outer" }));
    await assert.rejects(identity(aws), { code: "OUTER" });
    never.resolve();
  });
});

Deno.test("queries are escaped as they are signed, bodies arrive", relaxed, async () => {
  const bodies: string[] = [];
  const take = async (request: Request) => {
    bodies.push(await request.text());
    return new Response(null, { status: 200 });
  };
  await answering([take], async (open, seen) => {
    const s3 = await (await open()).s3();
    await s3.putObject({ Bucket: "states", Key: "a b/(c)", Body: "hello", ContentType: "text/x" });
    assert.match(seen[0]!.url, /\/states\/a%20b\/%28c%29\?x-id=PutObject$/);
    assert.match(bodies[0]!, /hello/);
  });
});
