import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { startApiServer } from "../kube/testing.ts";
import { ensureNgcSecret, hfToken, ngcKey, readHfToken } from "./secrets.ts";

const TOKEN = "hf_abcDEF123456";

Deno.test("HF_TOKEN is checked for its form and never shown", async () => {
  await using good = await testContext({ env: { HF_TOKEN: TOKEN } });
  assert.equal(hfToken(good.ctx), TOKEN);
  good.ctx.ui.info(`token: ${TOKEN}`);
  assert.deepEqual(good.heard.talk, ["token: ***"]);

  await using none = await testContext();
  assert.equal(hfToken(none.ctx), undefined);

  await using bad = await testContext({ env: { HF_TOKEN: "my secret password" } });
  assert.throws(
    () => hfToken(bad.ctx),
    (error) =>
      error instanceof TaskError && error.exitCode === 3 && !error.message.includes("password"),
  );
});

Deno.test("a token comes from a file, the environment, or a person, in that order", async () => {
  await using made = await testContext({ env: { HF_TOKEN: TOKEN } });
  const { ctx } = made;
  const file = `${ctx.home}.token`;
  await Deno.writeTextFile(file, "hf_fromTheFile1\n");
  const read = await readHfToken(ctx, { file });
  assert.equal(read?.reveal(), "hf_fromTheFile1");
  assert.ok(!JSON.stringify(read).includes("hf_fromTheFile1"));
  assert.equal((await readHfToken(ctx, { ask: true }))?.from, "HF_TOKEN");
  await assert.rejects(readHfToken(ctx, { file: `${file}.none` }), { code: "HF_TOKEN_FILE" });
  await Deno.writeTextFile(file, "not a token");
  await assert.rejects(readHfToken(ctx, { file }), { code: "HF_TOKEN_FORM" });

  await using quiet = await testContext();
  assert.equal(await readHfToken(quiet.ctx, { ask: true }), undefined);
  const typing = (text: string) => ({
    ...quiet.ctx,
    ui: { ...quiet.ctx.ui, interactive: true, secret: () => Promise.resolve(text) },
  });
  assert.equal((await readHfToken(typing(TOKEN), { ask: true }))?.from, "the terminal");
  assert.equal(await readHfToken(typing(""), { ask: true }), undefined);
});

Deno.test("the registry's key is wanted only when asked for, and never shown", async () => {
  await using none = await testContext();
  assert.throws(() => ngcKey(none.ctx), { code: "NGC_API_KEY_MISSING" });
  await using short = await testContext({ env: { NGC_API_KEY: "short key" } });
  assert.throws(
    () => ngcKey(short.ctx),
    (error) => error instanceof TaskError && !error.message.includes("short key"),
  );
  const planted = "nvapi-planted0123456789";
  await using good = await testContext({ env: { NGC_API_KEY: planted } });
  const key = ngcKey(good.ctx);
  let body = "";
  await using api = await startApiServer(async (request, url) => {
    if (url.pathname === "/api/v1") {
      const resources = [{ name: "secrets", kind: "Secret", namespaced: true }];
      return Response.json({ kind: "APIResourceList", groupVersion: "v1", resources });
    }
    body = await request.text();
    return Response.json(JSON.parse(body));
  });
  await ensureNgcSecret(api.kube, { namespace: "dynamo", key });
  const config = JSON.parse(JSON.parse(body).stringData[".dockerconfigjson"]);
  assert.equal(atob(config.auths["nvcr.io"].auth), `$oauthtoken:${planted}`);
  good.ctx.ui.info(`${planted} ${config.auths["nvcr.io"].auth}`);
  assert.deepEqual(good.heard.talk, ["*** ***"]);
  assert.ok(!api.requests.join("\n").includes(planted));
});
