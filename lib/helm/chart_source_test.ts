import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { chartSource, NGC_REPOSITORY } from "./chart_source.ts";

const LOGIN = { CHART_REPOSITORY_USERNAME: "me", CHART_REPOSITORY_PASSWORD: "planted-word" };

Deno.test("charts come from NVIDIA's repository, a mirror, a registry, or a folder", async () => {
  await using made = await testContext();
  const { ctx } = made;
  assert.deepEqual(chartSource(ctx, undefined), { kind: "http", url: NGC_REPOSITORY });
  assert.deepEqual(chartSource(ctx, "https://mirror.example.com/charts/"), {
    kind: "http",
    url: "https://mirror.example.com/charts",
  });
  assert.deepEqual(chartSource(ctx, "oci://registry.example.com/charts"), {
    kind: "oci",
    url: "oci://registry.example.com/charts",
  });
  assert.deepEqual(chartSource(ctx, "./charts/"), { kind: "folder", path: "./charts" });
  for (const wrong of ["ftp://example.com", "https://", "https://example.com/?x=1"]) {
    assert.throws(() => chartSource(ctx, wrong), { code: "CHART_REPOSITORY", exitCode: 2 });
  }
});

Deno.test("a mirror's login is complete, encrypted, and not for NVIDIA's repository", async () => {
  await using made = await testContext({ env: LOGIN });
  const { ctx } = made;
  assert.deepEqual(chartSource(ctx, undefined), { kind: "http", url: NGC_REPOSITORY });
  assert.deepEqual(chartSource(ctx, "https://mirror.example.com"), {
    kind: "http",
    url: "https://mirror.example.com",
    login: { username: "me", password: "planted-word" },
  });
  assert.throws(() => chartSource(ctx, "http://mirror.example.com"), /not encrypted/);
  chartSource(ctx, "http://127.0.0.1:8080");
  ctx.ui.info("planted-word");
  assert.deepEqual(made.heard.talk, ["***"]);
  await using half = await testContext({ env: { CHART_REPOSITORY_USERNAME: "me" } });
  assert.throws(() => chartSource(half.ctx, "https://mirror.example.com"), /Only one/);
  assert.throws(
    () => chartSource(ctx, "https://me:in-the-url@mirror.example.com"),
    (error) =>
      error instanceof TaskError && !`${error.message}${error.hint}`.includes("in-the-url"),
  );
});
