import assert from "node:assert/strict";
import { instanceTypes } from "../../lib/aws/instance_types.ts";
import { readDashboards, readRules } from "./monitor_dashboards.ts";

// What Grafana ships with, so that nothing has to be installed.
const PANEL_TYPES = new Set(["row", "stat", "timeseries", "heatmap", "table"]);
const VARIABLES = /\$\{?(\w+)\}?/g;
const BUILT_IN = new Set(["__rate_interval"]);

Deno.test("dashboards: schema, plugins, datasource variable, ids, places", async () => {
  const dashboards = await readDashboards();
  assert.ok(dashboards.size >= 2);
  const uids = [...dashboards.values()].map((dashboard) => dashboard.uid);
  assert.equal(new Set(uids).size, uids.length, `uids: ${uids}`);
  for (const [file, dashboard] of dashboards) {
    assert.ok(dashboard.schemaVersion >= 39, file);
    const names = new Set(dashboard.templating.list.map((variable) => variable.name));
    assert.ok(names.has("datasource"), file);
    const ids = dashboard.panels.map((panel) => panel.id);
    assert.equal(new Set(ids).size, ids.length, `${file}: ids`);
    const taken = new Map<string, string>();
    for (const panel of dashboard.panels) {
      const where = `${file}: ${panel.title}`;
      assert.ok(PANEL_TYPES.has(panel.type), `${where}: ${panel.type}`);
      const { x, y, w, h } = panel.gridPos;
      assert.ok(x + w <= 24, where);
      for (let column = x; column < x + w; column++) {
        for (let line = y; line < y + h; line++) {
          const key = `${column} ${line}`;
          assert.equal(taken.get(key), undefined, `${where} lies on ${taken.get(key)}`);
          taken.set(key, panel.title);
        }
      }
      if (panel.type === "row") continue;
      assert.ok(panel.targets?.length, where);
      for (const target of panel.targets ?? []) {
        assert.deepEqual(target.datasource, { type: "prometheus", uid: "${datasource}" }, where);
        // "$1" belongs to label_replace.
        for (const [, name] of target.expr.replaceAll('"$1"', "").matchAll(VARIABLES)) {
          assert.ok(names.has(name!) || BUILT_IN.has(name!), `${where}: $${name}`);
        }
      }
    }
  }
});

Deno.test("every wanted subject has a panel", async () => {
  const titles = [...(await readDashboards()).values()]
    .flatMap((dashboard) => dashboard.panels.map((panel) => `${panel.type} ${panel.title}`));
  for (
    const wanted of [
      "heatmap TTFT",
      "heatmap ITL",
      "timeseries Request rate",
      "timeseries Queued in the frontend",
      "timeseries KV hit rate of models",
      "timeseries GPU utilisation by GPU",
      "timeseries Nodes by pool",
      "timeseries Cost of an hour by pool",
    ]
  ) assert.ok(titles.includes(wanted), wanted);
});

Deno.test("price rules are the table of instance types", async () => {
  const rules = (await readRules()).get("prices.yaml")!.spec.groups[0]!.rules;
  const recorded = rules.map((rule) => [rule.labels?.["instance_type"], rule.expr]);
  const wanted = instanceTypes().filter((type) => type.pricePerHour !== undefined)
    .map((type) => [type.name, `vector(${type.pricePerHour})`]);
  assert.deepEqual(recorded, wanted, "terraform/alerts/prices.yaml has to follow the table");
  assert.ok(rules.every((rule) => rule.record === "dynamo:instance_price:usd_per_hour"));
});
