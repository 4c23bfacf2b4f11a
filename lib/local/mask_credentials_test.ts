import assert from "node:assert/strict";
import { lastLines, maskCredentials } from "./mask_credentials.ts";

Deno.test("passwords and tokens in URLs are masked, other text is not", () => {
  assert.equal(
    maskCredentials('Get "https://joe:s3cr3t@proxy.example/x": refused'),
    'Get "https://***@proxy.example/x": refused',
  );
  assert.equal(maskCredentials("http://token@host/simple/"), "http://***@host/simple/");
  assert.equal(maskCredentials("mail joe@example.com"), "mail joe@example.com");
  assert.equal(maskCredentials("https://host/a@b"), "https://host/a@b");
});

Deno.test("lastLines leaves out empty lines and masks the rest", () => {
  assert.deepEqual(lastLines("a\n\nb\r\nhttps://u:p@h/\n\n", 2), ["b", "https://***@h/"]);
});
