/**
 * Dashboards and rules as the tests read them.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { PROJECT_ROOT } from "../support/task.ts";

/** One panel. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly {
    readonly expr: string;
    readonly datasource: { readonly type: string; readonly uid: string };
  }[];
}

/** A dashboard of Grafana. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly definition?: string;
    }[];
  };
}

/** A rule that is recorded or alerts. */
export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A PrometheusRule. */
export interface RuleObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
  };
}

async function* filesOf(folder: string, ending: string): AsyncGenerator<[string, string]> {
  for await (const { name } of Deno.readDir(`${PROJECT_ROOT}/terraform/${folder}`)) {
    if (!name.endsWith(ending)) continue;
    yield [name, await Deno.readTextFile(`${PROJECT_ROOT}/terraform/${folder}/${name}`)];
  }
}

/** All dashboards, by file name. */
export async function readDashboards(): Promise<Map<string, Dashboard>> {
  const all = new Map<string, Dashboard>();
  for await (const [name, text] of filesOf("dashboards", ".json")) all.set(name, JSON.parse(text));
  return all;
}

/** All rules, by file name. */
export async function readRules(): Promise<Map<string, RuleObject>> {
  const all = new Map<string, RuleObject>();
  for await (const [name, text] of filesOf("alerts", ".yaml")) {
    all.set(name, parse(text) as RuleObject);
  }
  return all;
}

/** The expression as Grafana sends it with `All` chosen everywhere. */
export function withVariables(expression: string, rateInterval: string): string {
  return expression.replaceAll("$__rate_interval", rateInterval)
    .replaceAll(/\$(namespace|model|pool)\b/g, ".*");
}

/** Whether a panel says that 0.4.1 lacks its metrics. */
export function notInOldest(panel: Panel): boolean {
  return panel.description?.includes("Not in Dynamo 0.4.1.") ?? false;
}
