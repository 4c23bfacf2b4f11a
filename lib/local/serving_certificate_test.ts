import assert from "node:assert/strict";
import { testContext } from "../cli/testing.ts";
import { dropOldCertificate, readAuthority, servingPaths } from "./serving_certificate.ts";

const block = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
const DAY_MS = 24 * 3_600_000;

Deno.test("the authority is the second certificate; half a file has none", async () => {
  await using made = await testContext();
  const { ctx } = made;
  await Deno.mkdir(ctx.home, { recursive: true });
  assert.equal(await readAuthority(ctx, ctx.home), undefined);
  const { certificate } = servingPaths(ctx.home);
  await Deno.writeTextFile(certificate, block("leaf") + block("authority").slice(0, -8));
  assert.equal(await readAuthority(ctx, ctx.home), undefined);
  await Deno.writeTextFile(certificate, block("leaf") + block("authority"));
  assert.equal(await readAuthority(ctx, ctx.home), block("authority"));
});

for (
  const [what, ageDays, keyText, kept] of [
    ["a fresh pair stays", 1, "-----BEGIN RSA-----\n-----END RSA-----", true],
    ["a pair near the end of its year goes", 320, "-----BEGIN RSA-----\n-----END RSA-----", false],
    ["a pair whose key is cut off goes", 1, "-----BEGIN RSA", false],
  ] as const
) {
  Deno.test(what, async () => {
    await using made = await testContext();
    const { ctx } = made;
    await Deno.mkdir(ctx.home, { recursive: true });
    const { certificate, key } = servingPaths(ctx.home);
    await Deno.writeTextFile(certificate, block("leaf") + block("authority"));
    await Deno.writeTextFile(key, keyText);
    const time = new Date(Date.now() - ageDays * DAY_MS);
    await Deno.utime(certificate, time, time);
    await dropOldCertificate(ctx, ctx.home);
    assert.equal(await readAuthority(ctx, ctx.home) !== undefined, kept);
  });
}
