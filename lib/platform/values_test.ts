import assert from "node:assert/strict";
import { parse } from "@std/yaml";
import { resolveRelease } from "../blueprint/release.ts";
import {
  isTree,
  mergeValues,
  platformValues,
  refusedChoices,
  rulesFor,
  type ValueChoices,
  withoutManaged,
} from "./values.ts";

/** The file of the chart's own values for each release that is tried. */
const CHARTS: Readonly<Record<string, string>> = {
  "0.4.1": "0.4.1",
  "0.5.1": "0.5.1",
  "0.6.1": "0.6",
  "0.7.0": "0.7",
  "0.8.1": "0.8",
  "0.9.0-post1": "0.9",
  "1.0.2": "1.0",
  "1.1.0": "1.1",
  "1.2.0": "1.2",
  "1.3.0": "1.3",
  "1.4.2": "1.4",
  "1.5.1": "1.5-dev",
  "1.6.1": "1.5-dev",
};

const EVERYTHING: ValueChoices = {
  grove: "bundled",
  kaiScheduler: "bundled",
  volcano: true,
  prometheusEndpoint: "http://prometheus.monitoring.svc:9090",
  storageClass: "gp3",
  pullSecret: "ngc",
};

Deno.test("every key that is set is one of the chart's own values of that release", async () => {
  const folder = Deno.env.get("DYNAMO_TEST_CHARTS_DIR");
  if (folder === undefined) {
    // deno-lint-ignore no-console -- a test that cannot run says so
    console.log("SKIPPED: DYNAMO_TEST_CHARTS_DIR names no folder with the charts' values");
    return;
  }
  for (const [version, era] of Object.entries(CHARTS)) {
    const text = await Deno.readTextFile(`${folder}/dynamo-platform-${era}.values.yaml`);
    const chart = parse(text) as Record<string, unknown>;
    const release = resolveRelease(version);
    for (const choices of [{}, EVERYTHING]) {
      const own = rulesFor(release).filter(({ subchart }) => subchart === true)
        .map(({ path }) => path.join("."));
      for (const path of leaves(platformValues(release, choices))) {
        if (own.includes(path.join("."))) {
          assert.ok(path[0]! in chart, `${version}: the chart bundles no ${path[0]}`);
          continue;
        }
        assert.ok(
          has(chart, path),
          `${version}: ${path.join(".")} is not among the chart's values`,
        );
      }
    }
  }
});

Deno.test("values follow the releases", () => {
  const values = (version: string, choices: ValueChoices = {}) =>
    platformValues(resolveRelease(version), choices);
  assert.deepEqual(values("0.4.1"), {
    "dynamo-operator": { namespaceRestriction: { enabled: true }, imagePullSecrets: [] },
    etcd: {
      enabled: true,
      image: { repository: "bitnamilegacy/etcd" },
      global: { security: { allowInsecureImages: true } },
    },
    nats: { enabled: true },
  });
  assert.deepEqual(values("1.6.1", { prometheusEndpoint: "http://p:9090", grove: "external" }), {
    "dynamo-operator": {
      namespaceRestriction: { enabled: false },
      imagePullSecrets: [],
      dynamo: { metrics: { prometheusEndpoint: "http://p:9090" } },
      upgradeCRD: true,
    },
    global: {
      etcd: { install: false },
      nats: { install: false },
      grove: { install: false, enabled: true },
      "kai-scheduler": { install: false, enabled: false },
    },
  });
  // These keys make the newer charts fail.
  for (const version of ["1.0.2", "1.2.0", "1.6.1"]) {
    const all = leaves(values(version, EVERYTHING)).map((path) => path.join("."));
    for (const old of ["etcd.enabled", "grove.enabled", "kai-scheduler.enabled"]) {
      assert.ok(!all.includes(old), `${version} ${old}`);
    }
    assert.equal(all.includes("nats.enabled"), version === "1.0.2");
  }
  const staleness = (version: string) =>
    // deno-lint-ignore no-explicit-any -- a tree of values
    (values(version, EVERYTHING) as any)["kai-scheduler"]?.scheduler?.args;
  assert.deepEqual(staleness("1.4.2"), { "default-staleness-grace-period": "-1" });
  assert.deepEqual(staleness("1.5.1"), { "default-staleness-grace-period": "-1s" });
  assert.equal(staleness("1.3.0"), undefined);
});

Deno.test("what a release cannot do is refused, not dropped", () => {
  assert.equal(refusedChoices(resolveRelease("0.4.1"), { grove: "bundled" }).length, 1);
  assert.equal(refusedChoices(resolveRelease("1.3.0"), { volcano: true }).length, 1);
  assert.deepEqual(refusedChoices(resolveRelease("1.6.1"), EVERYTHING), []);
});

Deno.test("trees of values are merged, and cleared of what belongs to releases", () => {
  assert.deepEqual(
    mergeValues({ a: { b: 1, c: [1] }, d: 1 }, { a: { c: [2] }, d: { e: 1 } }),
    { a: { b: 1, c: [2] }, d: { e: 1 } },
  );
  const theirs = { etcd: { enabled: true, replicaCount: 3 }, nats: { enabled: false } };
  assert.deepEqual(withoutManaged(theirs), { etcd: { replicaCount: 3 }, nats: {} });
  assert.equal(theirs.etcd.enabled, true);
});

function leaves(tree: Record<string, unknown>, above: readonly string[] = []): string[][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isTree(value) ? leaves(value, [...above, key]) : [[...above, key]]
  );
}

function has(tree: unknown, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  return key === undefined || (isTree(tree) && key in tree && has(tree[key], rest));
}
