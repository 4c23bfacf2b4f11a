/**
 * What was found, with age and cost: as data, and as rows for a table.
 *
 * @module
 */
import type { Prices } from "../prices.ts";
import { monthlyCost } from "./cost.ts";
import type { Inventory } from "./inventory.ts";
import type { Belonging, Leak, ResourceKind } from "./types.ts";

/** One line of a report. */
export interface LeakRow {
  /** Kind. */
  readonly kind: ResourceKind;
  /** Id, ARN or name that AWS's calls take. */
  readonly id: string;
  /** Name. */
  readonly name: string;
  /** Whether it may be deleted here, or is only told. */
  readonly belonging: Belonging;
  /** Which tag or name says so. */
  readonly why: string;
  /** Type, state, size. */
  readonly detail: string;
  /** Hours since it was made; null where AWS does not tell. */
  readonly ageHours: number | null;
  /** Whether it costs anything. */
  readonly billable: boolean;
  /** USD a month; null when not known. */
  readonly usdPerMonth: number | null;
  /** What to know about the cost. */
  readonly note: string;
  /** Command of the AWS CLI that deletes it, where it is left to a person to decide; else null. */
  readonly command: string | null;
}

/** A report. */
export interface LeakReport {
  /** Cluster. */
  readonly cluster: string;
  /** Region. */
  readonly region: string;
  /** Account. */
  readonly account: string;
  /** What was found. */
  readonly leaks: readonly LeakRow[];
  /** How many of them cost something, those that stay on purpose left out. */
  readonly billable: number;
  /** USD a month of those whose cost is known. */
  readonly usdPerMonth: number;
  /** Whether everything was seen and all costs are known. */
  readonly complete: boolean;
  /** Where prices are from, and of when. */
  readonly prices: string;
  /** Listings that failed, as `what: why`. */
  readonly blind: readonly string[];
}

/** Options of {@link leakReport}. */
export interface LeakReportOptions {
  /** Account that was looked through. */
  readonly account: string;
  /** Prices of the region. */
  readonly prices: Prices;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Profile of the AWS configuration that the credentials are of. */
  readonly profile?: string | undefined;
}

/** Puts numbers to an inventory. */
export function leakReport(inventory: Inventory, options: LeakReportOptions): LeakReport {
  const { prices, now, profile } = options;
  const { region } = inventory.scope;
  const lives = inventory.leaks.some(({ resource }) => resource.kind === "cluster") ||
    inventory.blind.some((one) => one.startsWith("the cluster:"));
  const leaks = inventory.leaks.map((leak): LeakRow => {
    const { resource, belonging, why } = leak;
    const cost = monthlyCost(resource, prices, now);
    const { kind, id, name, detail = "", created } = resource;
    return {
      kind,
      id,
      name,
      belonging,
      why,
      detail,
      ageHours: created === undefined ? null : Math.max(0, Math.round((now - created) / 3.6e6)),
      billable: cost !== undefined && belonging !== "kept",
      usdPerMonth: cost === undefined ? 0 : cost.perMonth ?? null,
      note: cost?.note ?? "",
      command: lives ? null : deleteCommand(leak, { region, profile }),
    };
  });
  const billable = leaks.filter((one) => one.billable);
  const sum = billable.reduce((total, one) => total + (one.usdPerMonth ?? 0), 0);
  return {
    cluster: inventory.scope.cluster,
    region,
    account: options.account,
    leaks,
    billable: billable.length,
    usdPerMonth: Math.round(sum * 100) / 100,
    complete: inventory.blind.length === 0 &&
      billable.every((one) => one.usdPerMonth !== null),
    prices: `${prices.source} of ${prices.listOf}, ${prices.asOf}`,
    blind: inventory.blind,
  };
}

/** The report as rows of a table, the dearest first; a sum at the end. */
export function leakTable(report: LeakReport): string[][] {
  const weight = (one: LeakRow) =>
    !one.billable ? -1 : one.usdPerMonth === null ? 0 : one.usdPerMonth;
  const rows = [...report.leaks].sort((a, b) => weight(b) - weight(a));
  const cost = (one: LeakRow) => one.usdPerMonth === null ? "?" : one.usdPerMonth.toFixed(2);
  const sum = report.complete ? "sum" : "sum of what is known";
  return [
    ["KIND", "WHAT", "AGE", "USD/MONTH", "BELONGS", "WHY"],
    ...rows.map((one) => [
      one.kind,
      one.name === one.id || one.id.includes(one.name)
        ? shortId(one.id)
        : `${one.name} (${shortId(one.id)})`,
      one.ageHours === null ? "?" : ageText(one.ageHours),
      cost(one),
      BELONGS[one.belonging],
      [one.why, one.detail, one.note].filter((text) => text !== "").join("; "),
    ]),
    ...report.blind.map((one) => {
      const [what = one, ...why] = one.split(": ");
      return [what, "could not be read", "?", "?", "?", why.join(": ")];
    }),
    [sum, "", "", report.usdPerMonth.toFixed(2), "", report.prices],
  ];
}

const BELONGS: Readonly<Record<Belonging, string>> = {
  own: "yes",
  suspect: "perhaps",
  kept: "kept on purpose",
};

/**
 * EKS makes the log group again when the control plane writes once more after terraform has deleted
 * it, and then without tags: only its name says whose it is, so it is left to a person.
 */
function deleteCommand(
  { resource: { kind, id, tags } }: Leak,
  { region, profile }: { readonly region: string; readonly profile: string | undefined },
): string | null {
  if (kind !== "log-group" || Object.keys(tags).length > 0) return null;
  const words = ["aws", "logs", "delete-log-group", "--log-group-name", id, "--region", region];
  const as = profile === undefined ? [] : ["--profile", profile];
  return [...words, ...as].map(quoted).join(" ");
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function shortId(id: string): string {
  return id.startsWith("arn:") ? id.split(":").slice(5).join(":") : id;
}

function ageText(hours: number): string {
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}
