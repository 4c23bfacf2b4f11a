/**
 * What tokens cost: the price of the nodes that a graph runs on over the tokens it made. Pure.
 *
 * @module
 */

/** A node that pods of the graph run on. */
export interface PricedNode {
  /** Name of the node. */
  readonly name: string;
  /** `g5.12xlarge`; undefined where the node does not say. */
  readonly instanceType: string | undefined;
  /** `spot`, `on-demand`, `reserved`; undefined where the node does not say. */
  readonly capacityType: string | undefined;
  /** Share of the node that the graph's pods hold, above 0 and at most 1; see {@link nodeShare}. */
  readonly share: number;
  /** USD an hour on demand; undefined when not known. */
  readonly pricePerHour: number | undefined;
}

/** Where prices are from. */
export interface PriceSource {
  /** This project's table, the AWS price list, or the user. */
  readonly source: "table" | "price list" | "flag";
  /** Day of the prices, `YYYY-MM-DD`; null when the user named it. */
  readonly date: string | null;
  /** Region of the list; null when the user named the price. */
  readonly region: string | null;
}

/** Nodes of one type. Part of `summary.json`. */
export interface InstanceCost {
  /** EC2 instance type; null where the node does not say. */
  readonly instance_type: string | null;
  /** Nodes. */
  readonly count: number;
  /** Sum of the shares of them that the graph holds. */
  readonly share: number;
  /** USD an hour for one of them; null when not known. */
  readonly usd_per_hour: number | null;
  /** `spot`, `on-demand`, `reserved`; null where the node does not say. */
  readonly capacity_type: string | null;
}

/** What a run's tokens cost. Part of `summary.json`. */
export interface BenchCost {
  /** The nodes; empty when the user named the price. */
  readonly instances: readonly InstanceCost[];
  /** USD an hour for the shares that the graph holds. */
  readonly usd_per_hour: number;
  /** USD an hour for the nodes as a whole. */
  readonly usd_per_hour_whole_nodes: number;
  /** 10⁶ · `usd_per_hour` / (3600 · output tokens a second); null when there were none. */
  readonly usd_per_million_output_tokens: number | null;
  /** The same of the tokens of good requests; null without service levels. */
  readonly usd_per_million_good_tokens: number | null;
  /** Where prices are from. */
  readonly price_source: PriceSource["source"];
  /** Day of the prices, `YYYY-MM-DD`. */
  readonly price_date: string | null;
  /** Region of the prices. */
  readonly price_region: string | null;
  /** Whether the nodes are simulated: nobody pays this. */
  readonly simulated: boolean;
  /** What a person should know. */
  readonly notes: readonly string[];
}

/** How many tokens a second. */
export interface TokenRates {
  /** Of all requests that ended well. */
  readonly output: number;
  /** Of good ones; undefined without service levels. */
  readonly good: number | undefined;
}

/**
 * The cost of a run; null when no price is known.
 *
 * @throws nothing: what is missing is in the notes.
 */
export function costOf(
  nodes: readonly PricedNode[],
  prices: PriceSource,
  options: { readonly rates: TokenRates; readonly simulated: boolean },
): BenchCost | null {
  const priced = nodes.filter((node) => node.pricePerHour !== undefined);
  if (priced.length === 0) return null;
  const sum = (of: (node: PricedNode) => number) =>
    priced.reduce((total, node) => total + of(node), 0);
  const perHour = sum((node) => node.share * node.pricePerHour!);
  return {
    instances: grouped(nodes),
    usd_per_hour: round(perHour),
    usd_per_hour_whole_nodes: round(sum((node) => node.pricePerHour!)),
    ...perMillion(perHour, options.rates),
    price_source: prices.source,
    price_date: prices.date,
    price_region: prices.region,
    simulated: options.simulated,
    notes: notes(nodes, options.simulated),
  };
}

/** The cost of a run whose price an hour the user said. */
export function costOfPrice(pricePerHour: number, rates: TokenRates): BenchCost {
  return {
    instances: [],
    usd_per_hour: pricePerHour,
    usd_per_hour_whole_nodes: pricePerHour,
    ...perMillion(pricePerHour, rates),
    price_source: "flag",
    price_date: null,
    price_region: null,
    simulated: false,
    notes: [],
  };
}

/** USD for a million tokens at so many a second; null when there were none. */
export function usdPerMillion(usdPerHour: number, tokensPerSecond: number): number | null {
  return tokensPerSecond > 0 ? 1e6 * usdPerHour / (3600 * tokensPerSecond) : null;
}

/** What pods ask for, and what a node has. */
export interface Resources {
  /** GPUs. */
  readonly gpus: number;
  /** Cores. */
  readonly cpus: number;
  /** Memory in bytes. */
  readonly memory: number;
}

/**
 * The share of a node that pods hold: of its GPUs, where they ask for any; else the larger of
 * their shares of its cores and its memory. Pods that ask for nothing have the whole node to
 * draw on, and count for all of it unless it has GPUs: then nobody bought it for them.
 */
export function nodeShare(asked: Resources, node: Resources): number {
  const of = (part: number, all: number) => all > 0 ? part / all : 0;
  if (asked.gpus > 0) return Math.min(1, of(asked.gpus, node.gpus) || 1);
  const share = Math.max(of(asked.cpus, node.cpus), of(asked.memory, node.memory));
  if (share > 0) return Math.min(1, share);
  return node.gpus > 0 ? 0 : 1;
}

/** Lines for a terminal; the first is the headline. */
export function costLines(cost: BenchCost): string[] {
  const { usd_per_million_output_tokens: all, usd_per_million_good_tokens: good } = cost;
  const [basis, ...notes] = costBasis(cost);
  const parts = [
    ...(all === null ? [] : [`${usd(all)} USD a million output tokens`]),
    ...(good === null ? [] : [`${usd(good)} a million good ones`]),
    basis,
  ];
  return [parts.join(", "), ...notes];
}

/** What is paid for an hour and for what, and what a person should know. */
export function costBasis(cost: BenchCost): string[] {
  return [`${usd(cost.usd_per_hour)} USD an hour (${nodesText(cost)})`, ...cost.notes];
}

/** USD with as many places as small amounts need. */
export function usd(value: number): string {
  return value.toFixed(value < 0.1 ? 4 : 2);
}

function nodesText(cost: BenchCost): string {
  if (cost.price_source === "flag") return "--price-per-hour";
  const nodes = cost.instances.map(({ count, share, instance_type: type }) =>
    share === count ? `${count} × ${type}` : `${Number(share.toFixed(3))} of ${count} × ${type}`
  );
  return `${nodes.join(" + ")}, on demand in ${cost.price_region}, ${cost.price_date}`;
}

function perMillion(
  perHour: number,
  rates: TokenRates,
): Pick<BenchCost, "usd_per_million_output_tokens" | "usd_per_million_good_tokens"> {
  return {
    usd_per_million_output_tokens: usdPerMillion(perHour, rates.output),
    usd_per_million_good_tokens: rates.good === undefined
      ? null
      : usdPerMillion(perHour, rates.good),
  };
}

function grouped(nodes: readonly PricedNode[]): InstanceCost[] {
  const groups = new Map<string, InstanceCost>();
  for (const { instanceType, capacityType, share, pricePerHour } of nodes) {
    const key = `${instanceType}/${capacityType}`;
    const before = groups.get(key);
    groups.set(key, {
      instance_type: instanceType ?? null,
      count: (before?.count ?? 0) + 1,
      share: (before?.share ?? 0) + share,
      usd_per_hour: pricePerHour ?? null,
      capacity_type: capacityType ?? null,
    });
  }
  return [...groups.values()]
    .sort((a, b) => (b.usd_per_hour ?? 0) * b.share - (a.usd_per_hour ?? 0) * a.share);
}

function notes(nodes: readonly PricedNode[], simulated: boolean): string[] {
  const unpriced = nodes.filter((node) => node.pricePerHour === undefined);
  const spot = nodes.filter((node) => node.capacityType === "spot").length;
  return [
    ...(simulated
      ? ["the nodes are simulated: this is what EC2 would cost, with the simulated engines' tokens"]
      : []),
    ...(spot > 0
      ? [`${spot} of the nodes are spot, which costs less: the prices are on demand`]
      : []),
    ...(unpriced.length > 0
      ? [
        `no price is known for ${
          unpriced.map(({ name, instanceType }) => instanceType ?? name).join(", ")
        }: the cost is a lower bound`,
      ]
      : []),
  ];
}

function round(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}
