import assert from "node:assert/strict";
import { fixedEnvironment } from "../cli/testing.ts";
import { whyLibrary } from "./transport.ts";

const CLUSTER = { name: "c", server: "https://10.0.0.1:6443", skipTLSVerify: false };
const USER = { name: "u" };

function why(cluster: object, user: object = {}, env: Record<string, string> = {}) {
  return whyLibrary({ ...CLUSTER, ...cluster }, { ...USER, ...user }, fixedEnvironment(env));
}

Deno.test("the platform's fetch serves what it can", () => {
  assert.equal(why({}), undefined);
  assert.equal(why({}, { token: "t" }), undefined);
  assert.equal(why({}, { exec: { command: "aws" } }), undefined);
  assert.equal(
    why({}, { authProvider: { name: "tokenFile", config: { tokenFile: "/t" } } }),
    undefined,
  );
  assert.equal(why({ server: "http://127.0.0.1:8001", skipTLSVerify: true }), undefined);
});

Deno.test("the library's client serves the rest", () => {
  assert.equal(why({ skipTLSVerify: true }), "insecure-skip-tls-verify");
  assert.equal(why({ tlsServerName: "api.internal" }), "tls-server-name");
  assert.equal(why({ proxyUrl: "socks5://127.0.0.1:1080" }), "proxy-url");
  assert.equal(why({}, { authProvider: { name: "oidc", config: {} } }), "the auth provider oidc");
});

Deno.test("loopback is not sent through a proxy of the environment", () => {
  const proxy = { HTTPS_PROXY: "http://proxy:3128" };
  for (const host of ["127.0.0.1", "127.9.9.9", "localhost", "[::1]"]) {
    const server = `https://${host}:6443`;
    assert.match(why({ server }, {}, proxy) ?? "", /proxy variable/, host);
    assert.match(why({ server }, {}, { all_proxy: "http://proxy" }) ?? "", /proxy variable/);
    assert.equal(why({ server }, {}, { HTTP_PROXY: "http://proxy:3128" }), undefined);
    assert.equal(why({ server }, {}, { ...proxy, NO_PROXY: "*" }), undefined);
  }
  const server = "https://127.0.0.1:6443";
  assert.equal(why({ server }, {}, { ...proxy, no_proxy: "localhost, 127.0.0.1" }), undefined);
  assert.equal(why({}, {}, proxy), undefined);
});
