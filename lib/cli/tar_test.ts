import assert from "node:assert/strict";
import { tarGzip } from "./tar.ts";
import { testContext } from "./testing.ts";

Deno.test("the system's tar reads the archive: contents, long paths, modes", async () => {
  await using test = await testContext();
  const folder = `${test.ctx.home}/tar`;
  await Deno.mkdir(folder, { recursive: true });
  const files = [
    { path: "bundle/empty", text: "" },
    { path: "bundle/a.txt", text: "ä line\n" },
    { path: `bundle/${"d".repeat(60)}/${"f".repeat(60)}.log`, text: "x".repeat(1024) },
  ];
  await Deno.writeFile(`${folder}/a.tar.gz`, await tarGzip(files, Date.UTC(2026, 0, 1)));
  const run = await test.ctx.processes.run("tar", ["-xzf", "a.tar.gz"], { cwd: folder });
  assert.equal(run.code, 0, run.stderr);
  assert.equal(run.stderr, "");
  for (const { path, text } of files) {
    assert.equal(await Deno.readTextFile(`${folder}/${path}`), text);
    assert.equal((await Deno.stat(`${folder}/${path}`)).mode! & 0o777, 0o600);
  }
});
