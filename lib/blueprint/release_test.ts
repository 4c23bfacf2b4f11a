import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { resolveRelease } from "./release.ts";
import { RELEASE_RULES, versionNumbers } from "./release_table.ts";
import { compareVersions, type Source } from "./types.ts";

const SOURCES: readonly (readonly [Source, number, string])[] = [
  [{ kind: "env", name: "DYNAMO_VERSION" }, 3, "env DYNAMO_VERSION: "],
  [{ kind: "flag", name: "dynamo-version" }, 2, "flag --dynamo-version: "],
  [
    { kind: "file", path: "t/b.tfvars", line: 7, column: 24, key: "dynamo_stack_version" },
    3,
    "t/b.tfvars:7:24: ",
  ],
];

function refusal(version: string, source: Source): TaskError {
  try {
    resolveRelease(version, source);
  } catch (error) {
    assert.ok(error instanceof TaskError);
    return error;
  }
  return assert.fail(`accepted ${version}`);
}

Deno.test("0.4.1: both charts, etcd and NATS, v1alpha1", () => {
  assert.deepEqual(resolveRelease("v0.4.1"), {
    version: "0.4.1",
    semver: { major: 0, minor: 4, patch: 1 },
    rules: "0.4.1",
    source: { kind: "default" },
    imageTag: "0.4.1",
    charts: { platform: "0.4.1", crds: "0.4.1" },
    graphApiVersion: "nvidia.com/v1alpha1",
    needs: { etcd: true, nats: true },
    defaultNamespace: "dynamo-cloud",
  });
});

Deno.test("1.6.1: one chart, nothing around it, v1beta1, driver 580", () => {
  assert.deepEqual(resolveRelease("1.6.1"), {
    version: "1.6.1",
    semver: { major: 1, minor: 6, patch: 1 },
    rules: "1.6.0",
    source: { kind: "default" },
    imageTag: "1.6.1",
    charts: { platform: "1.6.1" },
    graphApiVersion: "nvidia.com/v1beta1",
    needs: { etcd: false, nats: false, minDriver: 580 },
    defaultNamespace: "dynamo-cloud",
  });
});

const FACTS: readonly (readonly [string, string | undefined, boolean, boolean, string, number?])[] =
  [
    // version, crds chart, etcd, NATS, graph API version, driver
    ["0.7.1", "0.7.1", true, true, "v1alpha1"],
    ["0.8.1", "0.8.1", false, true, "v1alpha1"],
    ["0.9.1", "0.9.1", false, true, "v1alpha1"],
    ["1.0.2", undefined, false, true, "v1alpha1"],
    ["1.1.0", undefined, false, true, "v1alpha1"],
    ["1.2.0", undefined, false, true, "v1beta1"],
    ["1.3.0", undefined, false, true, "v1beta1", 580],
    ["1.4.2", undefined, false, false, "v1beta1", 580],
    ["1.5.1", undefined, false, false, "v1beta1", 580],
  ];

for (const [version, crds, etcd, nats, api, minDriver] of FACTS) {
  Deno.test(`${version} brings and needs what it does`, () => {
    const release = resolveRelease(version);
    assert.equal(release.charts.crds, crds);
    assert.equal(release.charts.platform, version);
    assert.deepEqual(release.needs, { etcd, nats, ...(minDriver ? { minDriver } : {}) });
    assert.equal(release.graphApiVersion, `nvidia.com/${api}`);
    assert.equal(release.warning, undefined);
  });
}

Deno.test("0.9.0 takes the chart that was put right", () => {
  const release = resolveRelease("0.9.0");
  assert.deepEqual(release.charts, { platform: "0.9.0-post1", crds: "0.9.0" });
  assert.equal(release.imageTag, "0.9.0");
  assert.equal(resolveRelease("v0.9.0-post1").charts.platform, "0.9.0-post1");
  // Only the chart has that number; there are no such images.
  assert.equal(resolveRelease("v0.9.0-post1").imageTag, "0.9.0");
  assert.equal(resolveRelease("v1.2.0-post1").imageTag, "1.2.0-post1");
});

Deno.test("a private build keeps its tag and takes published charts", () => {
  for (const tag of ["1.2.0-mybuild.7", "1.2.0.dev20260601", "1.2.0-rc1"]) {
    const release = resolveRelease(`v${tag}`);
    assert.equal(release.version, tag);
    assert.equal(release.imageTag, tag);
    assert.equal(release.charts.platform, "1.2.0");
    assert.equal(release.graphApiVersion, "nvidia.com/v1beta1");
    assert.match(release.warning ?? "", /private build; charts and rules are those of 1\.2\.0/);
  }
});

Deno.test("unknown versions get the nearest older rules and a warning", () => {
  for (const [version, rules] of [["1.6.2", "1.6.0"], ["2.0.0", "1.6.0"], ["0.10.0", "0.9.0"]]) {
    const release = resolveRelease(version!);
    assert.equal(release.rules, rules);
    assert.equal(release.charts.platform, version);
    assert.match(release.warning ?? "", new RegExp(`${version} is not known`));
  }
  assert.equal(resolveRelease("0.6.4").warning, undefined);
});

Deno.test("anything else is refused with its source and the accepted form", () => {
  const bad = [
    "",
    "latest",
    "latest version",
    "v",
    "1.2",
    "1",
    "v1.2.3.",
    "1.2.3-",
    "vv1.2.3",
    "1.2.3+x",
    " 1.2.3",
    "1.2.3\n",
    "1.2.3-a/b",
    "main-abc123",
    "01.2.3.4.5.6:7",
    "1.2.3-cuda13",
    "1.0.2-post1-efa",
    "1.2.3-efa-amd64",
    `1.2.3-${"x".repeat(200)}`,
    "99999.0.0",
  ];
  for (const version of bad) {
    for (const [source, exitCode, prefix] of SOURCES) {
      const error = refusal(version, source);
      assert.equal(error.code, "DYNAMO_VERSION_INVALID", version);
      assert.equal(error.exitCode, exitCode);
      assert.ok(error.message.startsWith(prefix), error.message);
      assert.ok(error.message.includes(`"${version}"`), error.message);
      assert.match(error.hint ?? "", /X\.Y\.Z/);
    }
  }
});

Deno.test("versions before the oldest supported one are refused", () => {
  for (const version of ["v0.4.0", "0.2.0", "0.3.9-post1", "0.0.0"]) {
    for (const [source, exitCode, prefix] of SOURCES) {
      const error = refusal(version, source);
      assert.equal(error.code, "DYNAMO_VERSION_TOO_OLD");
      assert.equal(error.exitCode, exitCode);
      assert.ok(error.message.startsWith(prefix) && error.message.includes("0.4.1"));
    }
  }
});

Deno.test("the table is in order", () => {
  const rows = RELEASE_RULES.map((rules) => versionNumbers(rules.since));
  rows.slice(1).forEach((row, i) => assert.ok(compareVersions(rows[i]!, row) < 0));
});
