/**
 * Every setting with its value and where it came from, for `deno task config`.
 *
 * @module
 */
import { OTHER_SETTINGS, TEXT_SETTINGS, type TextSettingName } from "./settings.ts";
import { describeSource } from "./source.ts";
import type { Blueprint, Release, Sourced } from "./types.ts";

/** One setting. */
export interface ConfigRow {
  /** Name in the file; `release.…` for what follows from the Dynamo version. */
  readonly name: string;
  /** Its value; lists as a text. */
  readonly value: string | number | boolean;
  /** `flag --x`, `env X`, `file:line`, `default`, or the setting that it follows from. */
  readonly source: string;
}

/** All settings in a stable order. */
export function configRows(blueprint: Blueprint, release: Release): ConfigRow[] {
  const texts = (Object.keys(TEXT_SETTINGS) as TextSettingName[]).map((name) =>
    row(TEXT_SETTINGS[name].key, blueprint[name])
  );
  const switches = Object.entries(blueprint.switches).map(([key, value]) => row(key, value));
  const addons = Object.entries(blueprint.clusterAddons.value).map(([name, value]) =>
    row(`${OTHER_SETTINGS.clusterAddons.key}.${name}`, {
      value,
      source: blueprint.clusterAddons.source,
    })
  );
  const pools = blueprint.nodePools.value.map((pool) =>
    row(`${OTHER_SETTINGS.nodePools.key}.${pool.name}`, {
      value: `${pool.instanceFamilies.join(", ")}${pool.gpu === undefined ? "" : ` (${pool.gpu})`}`,
      source: blueprint.nodePools.source,
    })
  );
  return [
    ...texts,
    row(OTHER_SETTINGS.availabilityZonesCount.key, blueprint.availabilityZonesCount),
    ...switches,
    ...addons,
    ...pools,
    ...releaseRows(release),
  ];
}

function row(name: string, sourced: Sourced<string | number | boolean>): ConfigRow {
  const { value, source } = sourced;
  // Both spellings of a setting are accepted; say which one was met.
  const spelling = source.kind === "file" && !name.startsWith(source.key)
    ? ` (as ${source.key})`
    : "";
  return { name, value, source: describeSource(source) + spelling };
}

function releaseRows(release: Release): ConfigRow[] {
  const source = TEXT_SETTINGS.dynamoVersion.key;
  const { charts, needs } = release;
  const rows: readonly (readonly [string, string | boolean])[] = [
    ["version", release.version],
    ["image_tag", release.imageTag],
    ["platform_chart", charts.platform],
    ["crds_chart", charts.crds ?? "none (the operator brings its CRDs)"],
    ["graph_api_version", release.graphApiVersion],
    ["needs_etcd", needs.etcd],
    ["needs_nats", needs.nats],
    ["min_nvidia_driver", needs.minDriver === undefined ? "any" : String(needs.minDriver)],
    ["default_namespace", release.defaultNamespace],
  ];
  return rows.map(([name, value]) => ({ name: `release.${name}`, value, source }));
}
