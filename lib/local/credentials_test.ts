import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { testContext } from "../cli/testing.ts";
import { CLIENT_NAMES, ensureCredentials, readToken } from "./credentials.ts";
import { localLayout } from "./layout.ts";

Deno.test("every client has a token of its own, and a second call keeps all", async () => {
  await using made = await testContext();
  const layout = localLayout(made.ctx);
  const first = await ensureCredentials(made.ctx, layout);
  const second = await ensureCredentials(made.ctx, layout);
  assert.deepEqual(second, first);
  assert.equal(new Set(Object.values(first.tokens)).size, CLIENT_NAMES.length);
  assert.equal(await readToken(made.ctx, layout, "kwok"), first.tokens.kwok);
});

Deno.test("all files are 0600, all folders 0700", async () => {
  await using made = await testContext();
  const layout = localLayout(made.ctx);
  await ensureCredentials(made.ctx, layout);
  for await (const entry of Deno.readDir(layout.pki)) {
    const mode = (await Deno.stat(`${layout.pki}/${entry.name}`)).mode! & 0o777;
    assert.equal(mode, entry.isDirectory ? 0o700 : 0o600, entry.name);
  }
});

Deno.test("only the administrator is in system:masters", async () => {
  await using made = await testContext();
  const { tokenFile, tokens } = await ensureCredentials(made.ctx, localLayout(made.ctx));
  const masters = (await Deno.readTextFile(tokenFile)).split("\n")
    .filter((line) => line.includes("system:masters"));
  assert.equal(masters.length, 1);
  assert.ok(masters[0]?.startsWith(tokens.admin));
});

Deno.test("a token file cut in the middle gets the missing tokens, and keeps the whole ones", async () => {
  await using made = await testContext();
  const layout = localLayout(made.ctx);
  const first = await ensureCredentials(made.ctx, layout);
  const text = await Deno.readTextFile(first.tokenFile);
  await Deno.writeTextFile(first.tokenFile, text.slice(0, text.indexOf("\n") + 20));
  const second = await ensureCredentials(made.ctx, layout);
  assert.equal(second.tokens.admin, first.tokens.admin);
  assert.match(second.tokens.operator, /^[0-9a-f]{64}$/);
  assert.notEqual(second.tokens.operator, first.tokens.operator);
});

Deno.test("the service account key pair fits, and is made anew when one half is lost", async () => {
  await using made = await testContext();
  const layout = localLayout(made.ctx);
  const { serviceAccountKey, serviceAccountPublicKey } = await ensureCredentials(made.ctx, layout);
  await Deno.remove(serviceAccountPublicKey);
  await ensureCredentials(made.ctx, layout);
  const secret = createPrivateKey(await Deno.readTextFile(serviceAccountKey));
  const open = createPublicKey(await Deno.readTextFile(serviceAccountPublicKey));
  const data = new TextEncoder().encode("token");
  assert.ok(verify("sha256", data, open, sign("sha256", data, secret)));
});
