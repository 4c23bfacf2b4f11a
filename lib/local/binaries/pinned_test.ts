import assert from "node:assert/strict";
import { BUILT_VERSIONS, DOWNLOADED_VERSIONS, pinnedDownloads, PROGRAM_NAMES } from "./pinned.ts";

Deno.test("the versions said to be built are those of go.mod", async () => {
  const text = await Deno.readTextFile(new URL("../control_plane/go.mod", import.meta.url));
  const version = (module: string) => new RegExp(`^\\t${module} v(\\S+)$`, "m").exec(text)?.[1];
  assert.equal(version("k8s.io/kubernetes"), BUILT_VERSIONS.kubernetes);
  assert.equal(version("go.etcd.io/etcd/server/v3"), BUILT_VERSIONS.etcd);
  assert.equal(version("sigs.k8s.io/kwok"), BUILT_VERSIONS.kwok);
});

Deno.test("what is downloaded is of the same minor versions as what is built", () => {
  const minor = (version: string) => version.split(".").slice(0, 2).join(".");
  for (const name of ["kubernetes", "etcd", "kwok"] as const) {
    assert.equal(minor(DOWNLOADED_VERSIONS[name]), minor(BUILT_VERSIONS[name]), name);
  }
});

for (const arch of ["x86_64", "aarch64"]) {
  Deno.test(`the downloads for ${arch} hold every program once, each with a full hash`, () => {
    const downloads = pinnedDownloads(arch) ?? [];
    const programs = downloads.flatMap(({ members, program }) =>
      program === undefined ? Object.keys(members ?? {}) : [program]
    );
    assert.deepEqual(programs.sort(), [...PROGRAM_NAMES].sort());
    for (const { url, hash } of downloads) {
      assert.match(url, /^https:\/\//);
      const digits = hash.algorithm === "SHA-256" ? 64 : 128;
      assert.match(hash.hex, new RegExp(`^[0-9a-f]{${digits}}$`), url);
    }
  });
}

Deno.test("for other processors nothing is published", () => {
  assert.equal(pinnedDownloads("riscv64"), undefined);
});
