/**
 * Values of the platform's chart, release by release, as data. From the charts' own values.
 *
 * @module
 */
import type { Release } from "../blueprint/types.ts";
import { compareVersions } from "../blueprint/types.ts";
import { versionNumbers } from "../blueprint/release_table.ts";

/** A part that is not there, comes with the chart, or is in the cluster already. */
export type SchedulerChoice = "off" | "bundled" | "external";

/** What can be chosen about the platform. */
export interface ValueChoices {
  /** Grove, for graphs over several nodes; `off` unless given. */
  readonly grove?: SchedulerChoice | undefined;
  /** KAI scheduler; `off` unless given. */
  readonly kaiScheduler?: SchedulerChoice | undefined;
  /** Whether Volcano is in the cluster and to be used (from 1.4). */
  readonly volcano?: boolean | undefined;
  /** Prometheus for the planner: `http://host:9090` (from 0.5). */
  readonly prometheusEndpoint?: string | undefined;
  /** StorageClass of etcd and NATS; the cluster's default unless given. */
  readonly storageClass?: string | undefined;
  /** Name of a pull secret for the operator's image. */
  readonly pullSecret?: string | undefined;
}

/** A key of the chart's values in the releases that know it. */
export interface ValueRule {
  /** Keys from the top. */
  readonly path: readonly string[];
  /** First release that knows it. */
  readonly since?: string;
  /** First release that does not know it any more. */
  readonly until?: string;
  /** Set where the key is one of a bundled chart, which the platform's values do not repeat. */
  readonly subchart?: true;
  /** The value; undefined leaves the key out. */
  readonly value: (release: Release, choices: ValueChoices) => unknown;
}

const OPERATOR = "dynamo-operator";
const NATS_PVC = ["nats", "config", "jetstream", "fileStore", "pvc", "storageClassName"] as const;
const STALENESS = ["kai-scheduler", "scheduler", "args", "default-staleness-grace-period"] as const;

type Choice = (choices: ValueChoices) => SchedulerChoice | undefined;
const GROVE: Choice = (choices) => choices.grove;
const KAI: Choice = (choices) => choices.kaiScheduler;

/** All rules. `values_test.ts` holds them against the charts' own values. */
export const VALUE_RULES: readonly ValueRule[] = [
  // 0.4.1 is made for one namespace; later ones are for the whole cluster.
  {
    path: [OPERATOR, "namespaceRestriction", "enabled"],
    value: (release) => isBefore(release, "0.5.0"),
  },
  {
    path: [OPERATOR, "imagePullSecrets"],
    value: (_, { pullSecret }) => pullSecret === undefined ? [] : [{ name: pullSecret }],
  },
  {
    path: [OPERATOR, "dynamo", "metrics", "prometheusEndpoint"],
    since: "0.5.0",
    value: (_, { prometheusEndpoint }) => prometheusEndpoint,
  },
  // From 1.0 the operator brings the definitions.
  { path: [OPERATOR, "upgradeCRD"], since: "1.0.0", value: () => true },

  { path: ["etcd", "enabled"], until: "1.0.0", value: ({ needs }) => needs.etcd },
  { path: ["global", "etcd", "install"], since: "1.0.0", value: ({ needs }) => needs.etcd },
  // Bitnami's images moved, and its chart refuses others unless told.
  {
    path: ["etcd", "image", "repository"],
    until: "1.0.0",
    subchart: true,
    value: ({ needs }) => needs.etcd ? "bitnamilegacy/etcd" : undefined,
  },
  {
    path: ["etcd", "global", "security", "allowInsecureImages"],
    until: "1.0.0",
    subchart: true,
    value: ({ needs }) => needs.etcd ? true : undefined,
  },
  {
    path: ["etcd", "persistence", "storageClass"],
    value: ({ needs }, { storageClass }) => needs.etcd ? storageClass : undefined,
  },

  { path: ["nats", "enabled"], until: "1.2.0", value: ({ needs }) => needs.nats },
  { path: ["global", "nats", "install"], since: "1.2.0", value: ({ needs }) => needs.nats },
  {
    path: NATS_PVC,
    value: ({ needs }, { storageClass }) => needs.nats ? storageClass : undefined,
  },

  ...schedulerRules("grove", GROVE),
  ...schedulerRules("kai-scheduler", KAI),
  // Grove's gangs wait longer than KAI's default allows; the flag's form changed.
  {
    path: STALENESS,
    since: "1.4.0",
    until: "1.5.0",
    subchart: true,
    value: (_, choices) => bothBundled(choices) ? "-1" : undefined,
  },
  {
    path: STALENESS,
    since: "1.5.0",
    subchart: true,
    value: (_, choices) => bothBundled(choices) ? "-1s" : undefined,
  },
  {
    path: ["global", "volcano-scheduler", "enabled"],
    since: "1.4.0",
    value: (_, { volcano }) => volcano,
  },
];

/** The values for a release: a plain tree with the keys that its chart knows. */
export function platformValues(
  release: Release,
  choices: ValueChoices = {},
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const rule of rulesFor(release)) {
    const value = rule.value(release, choices);
    if (value !== undefined) setPath(values, rule.path, value);
  }
  return values;
}

/** What was chosen and the release cannot do, in sentences. */
export function refusedChoices(release: Release, choices: ValueChoices): string[] {
  const refused: string[] = [];
  const asked = (choice: SchedulerChoice | undefined) => choice !== undefined && choice !== "off";
  if (isBefore(release, "0.5.0") && (asked(choices.grove) || asked(choices.kaiScheduler))) {
    refused.push(`Dynamo ${release.version} knows neither Grove nor KAI; they came with 0.5.0`);
  }
  if (isBefore(release, "1.4.0") && choices.volcano === true) {
    refused.push(`Dynamo ${release.version} has no switch for Volcano; it came with 1.4.0`);
  }
  return refused;
}

/** The rules that hold for a release. */
export function rulesFor(release: Release): ValueRule[] {
  return VALUE_RULES.filter(({ since, until }) =>
    (since === undefined || !isBefore(release, since)) &&
    (until === undefined || isBefore(release, until))
  );
}

/** One tree over another; lists and plain values replace. Neither is changed. */
export function mergeValues(
  under: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isTree(value) && isTree(below) ? mergeValues(below, value) : value;
  }
  return merged;
}

/** The tree without the keys that {@link VALUE_RULES} know of in any release. */
export function withoutManaged(
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const copy = structuredClone(values) as Record<string, unknown>;
  for (const { path } of VALUE_RULES) deletePath(copy, path);
  return copy;
}

function schedulerRules(name: string, choice: Choice): ValueRule[] {
  const isOn = (choices: ValueChoices) => (choice(choices) ?? "off") !== "off";
  const isBundled = (choices: ValueChoices) => choice(choices) === "bundled";
  return [
    // Up to 0.9 the one switch installs; a part that is there already is found by the operator.
    {
      path: [name, "enabled"],
      since: "0.5.0",
      until: "1.0.0",
      value: (_, choices) => isBundled(choices),
    },
    {
      path: ["global", name, "install"],
      since: "1.0.0",
      value: (_, choices) => isBundled(choices),
    },
    { path: ["global", name, "enabled"], since: "1.0.0", value: (_, choices) => isOn(choices) },
  ];
}

function bothBundled(choices: ValueChoices): boolean {
  return GROVE(choices) === "bundled" && KAI(choices) === "bundled";
}

function isBefore(release: Release, version: string): boolean {
  return compareVersions(release.semver, versionNumbers(version)) < 0;
}

function setPath(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = tree;
  for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
  at[path.at(-1)!] = value;
}

function deletePath(tree: Record<string, unknown>, path: readonly string[]): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) delete tree[key];
  else if (isTree(tree[key])) deletePath(tree[key], rest);
}

/** Whether a value is a tree of values. */
export function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
