import assert from "node:assert/strict";
import { operatorFeatures, parseSemver } from "./features.ts";

Deno.test("versions are read, tags of private builds are not", () => {
  assert.deepEqual(parseSemver("v0.9.0-post1"), { major: 0, minor: 9, patch: 0 });
  assert.deepEqual(parseSemver("1.2.0-mybuild.7"), { major: 1, minor: 2, patch: 0 });
  assert.equal(parseSemver("nightly"), undefined);
});

Deno.test("each release gets its era's behaviour", () => {
  const row = (version: string) => {
    const f = operatorFeatures(version);
    return [
      f.behaviour,
      f.graphApiVersion.split("/")[1],
      f.graphNameLabel,
      f.graphPvcs,
      f.workerHash,
      f.runtimeVersion,
      f.workerLivenessFailures,
    ].join(" ");
  };
  assert.equal(row("0.4.1"), "legacy v1alpha1 false false false false 1");
  assert.equal(row("0.5.1"), "legacy v1alpha1 true false false false 1");
  assert.equal(row("0.7.0"), "legacy v1alpha1 true true false false 1");
  assert.equal(row("0.9.0-post1"), "current v1alpha1 true true false false 1");
  assert.equal(row("1.0.2"), "current v1alpha1 true true true false 1");
  assert.equal(row("1.2.0"), "current v1beta1 true true true false 1");
  assert.equal(row("1.6.1"), "current v1beta1 true true true true 3");
});

Deno.test("a private build follows the rules it is told, or the newest", () => {
  assert.equal(operatorFeatures("nightly", "0.4.1").behaviour, "legacy");
  assert.equal(operatorFeatures("nightly").graphApiVersion, "nvidia.com/v1beta1");
  assert.equal(operatorFeatures("v0.4.1").version, "0.4.1");
});
