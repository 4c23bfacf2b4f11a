import assert from "node:assert/strict";
import type { Context } from "../cli/context.ts";
import { withContext } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { openAws } from "../aws/session.ts";
import { expectedSignature, tokenUrl } from "../../tests/support/presigned.ts";
import { eksToken, eksTokens } from "./eks_token.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "planted/secret+Key" };
const AT = Date.UTC(2026, 0, 2, 3, 4, 5);

async function context(env: Record<string, string>, clock: { at: number }): Promise<Context> {
  const made = await testContext({ env: { AWS_CONFIG_FILE: "/dev/null", ...env } });
  await made.dispose();
  return withContext(made.ctx, { clock: { ...made.ctx.clock, now: () => clock.at } });
}

Deno.test("a token is a presigned GetCallerIdentity of the region with the cluster's header", async () => {
  const ctx = await context({ ...KEYS, AWS_SESSION_TOKEN: "planted//session==" }, { at: AT });
  const aws = await openAws(ctx, { region: "eu-central-1" });
  const { token, expires } = await eksToken(aws, { cluster: "my-cluster", now: ctx.clock.now() });
  const url = tokenUrl(token);
  assert.equal(url.origin + url.pathname, "https://sts.eu-central-1.amazonaws.com/");
  const query = Object.fromEntries(url.searchParams);
  const { "X-Amz-Signature": signed, ...rest } = query;
  assert.deepEqual(rest, {
    Action: "GetCallerIdentity",
    Version: "2011-06-15",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "AKIDEXAMPLE/20260102/eu-central-1/sts/aws4_request",
    "X-Amz-Date": "20260102T030405Z",
    "X-Amz-Expires": "60",
    "X-Amz-Security-Token": "planted//session==",
    "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
  });
  const secret = KEYS.AWS_SECRET_ACCESS_KEY;
  assert.equal(signed, expectedSignature(url, { cluster: "my-cluster", secret }));
  // The same input gives the same token, for ever.
  assert.equal(signed, "52be5032d7c1dd548f6fe002f34c4f9b146e20f02e53808caa28bac4ef652379");
  assert.equal(expires, AT + 14 * 60_000);
});

Deno.test("at the same moment with the same keys it is what `aws eks get-token` gave", async () => {
  const keys = {
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "x",
    AWS_SESSION_TOKEN: "y",
  };
  const ctx = await context(keys, { at: Date.UTC(2026, 10, 24, 17, 54, 52) });
  const aws = await openAws(ctx, { region: "eu-central-1" });
  const url = tokenUrl(
    (await eksToken(aws, { cluster: "my-cluster", now: ctx.clock.now() })).token,
  );
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    Action: "GetCallerIdentity",
    Version: "2011-06-15",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "AKIDEXAMPLE/20261124/eu-central-1/sts/aws4_request",
    "X-Amz-Date": "20261124T175452Z",
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
    "X-Amz-Security-Token": "y",
    "X-Amz-Signature": "f02d1c02fe0daa0a4fcd14821a58d93f88ae6f31bfeecbf69855ca5a230d6d48",
  });
});

Deno.test("China's STS has a name of its own", async () => {
  const ctx = await context(KEYS, { at: AT });
  const aws = await openAws(ctx, { region: "cn-north-1" });
  const url = tokenUrl((await eksToken(aws, { cluster: "c", now: AT })).token);
  assert.equal(url.host, "sts.cn-north-1.amazonaws.com.cn");
});

Deno.test("a token is kept for 14 minutes, made again after that or when it was refused", async () => {
  const clock = { at: AT };
  const ctx = await context(KEYS, clock);
  const tokens = eksTokens(ctx, { cluster: "c", region: "us-west-2" });
  const [first, same] = await Promise.all([tokens.read(), tokens.read()]);
  assert.equal(first, same);
  clock.at += 13 * 60_000;
  assert.equal(await tokens.read(), first);
  clock.at += 61_000;
  const second = await tokens.read();
  assert.notEqual(second, first);
  clock.at += 1_000;
  assert.equal(await tokens.read(), second);
  tokens.refresh();
  assert.notEqual(await tokens.read(), second);
});

Deno.test("without credentials the error says so, and the next read tries again", async () => {
  const env = { AWS_EC2_METADATA_DISABLED: "true", AWS_SHARED_CREDENTIALS_FILE: "/dev/null" };
  const tokens = eksTokens(await context({ ...env, HOME: "/nowhere" }, { at: AT }), {
    cluster: "c",
    region: "us-west-2",
    profile: "not-there",
  });
  for (const _ of [1, 2]) {
    await assert.rejects(
      tokens.read(),
      (error) => error instanceof TaskError && error.code === "AWS_NO_CREDENTIALS",
    );
  }
});
