/**
 * A real Prometheus for tests: Debian's package, unpacked into the cache without installing it.
 *
 * @module
 */
import type { Context } from "../../lib/cli/context.ts";
import { messageOf } from "../../lib/cli/errors.ts";
import { exists, removeAll } from "../../lib/cli/files.ts";
import { withCacheLock } from "../../lib/local/cache_lock.ts";

/** Paths of the programs. */
export interface PrometheusPrograms {
  /** The server. */
  readonly prometheus: string;
  /** Its checker of rules. */
  readonly promtool: string;
}

/** The programs, fetched on first use (20 MB); or why they cannot be had. */
export async function prometheusPrograms(
  ctx: Context,
): Promise<PrometheusPrograms | { readonly reason: string }> {
  const run = (command: string, args: string[], cwd?: string) =>
    ctx.processes.run(command, args, { signal: ctx.signal, ...(cwd === undefined ? {} : { cwd }) });
  try {
    const policy = await run("apt-cache", ["policy", "prometheus"]);
    const version = /Candidate: (?!\(none\))(\S+)/.exec(policy.stdout)?.[1];
    if (version === undefined) return { reason: "apt knows no package prometheus" };
    const parent = `${ctx.cache}/prometheus`;
    const folder = `${parent}/${version.replace(/[^\w.+~-]/g, "_")}`;
    const programs = {
      prometheus: `${folder}/usr/bin/prometheus`,
      promtool: `${folder}/usr/bin/promtool`,
    };
    const marker = `${folder}/complete`;
    if (await exists(ctx, marker)) return programs;
    return await withCacheLock(ctx, parent, () => {}, async () => {
      if (await exists(ctx, marker)) return programs;
      await removeAll(ctx, folder);
      await ctx.fs.mkdir(folder, { recursive: true });
      for (
        const [command, ...args] of [
          ["apt-get", "download", "-qq", `prometheus=${version}`],
          ["sh", "-c", "dpkg -x prometheus_*.deb . && rm prometheus_*.deb"],
          [programs.promtool, "--version"],
        ] as const
      ) {
        const result = await run(command, args, folder);
        if (result.code !== 0) {
          return { reason: `${command} ${args.join(" ")}: ${result.stderr.trim().slice(-300)}` };
        }
      }
      await ctx.fs.writeTextFile(marker, "");
      return programs;
    });
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

/** Something to scrape. */
export interface ScrapeTarget {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Labels as the operator's PodMonitors give them. */
  readonly labels: Readonly<Record<string, string>>;
}

/** One sample of an answer. */
export interface QuerySample {
  /** Its labels. */
  readonly metric: Readonly<Record<string, string>>;
  /** Time, and the number as text. */
  readonly value: readonly [number, string];
}

/** A running server; disposing ends it. */
export interface PrometheusServer extends AsyncDisposable {
  /** Answer of an instant query; throws what Prometheus finds wrong with it. */
  query(expression: string): Promise<QuerySample[]>;
  /** Values of a label of the series that match. */
  labelValues(label: string, match: string): Promise<string[]>;
}

/** Options of {@link startPrometheus}. */
export interface StartPrometheusOptions {
  /** The programs. */
  readonly programs: PrometheusPrograms;
  /** An empty folder. */
  readonly folder: string;
  /** What it scrapes, each second. */
  readonly targets: readonly ScrapeTarget[];
  /** Texts of rule files. */
  readonly rules: readonly string[];
}

/** Starts the server on a free port of 127.0.0.1 and waits until it is ready. */
export async function startPrometheus(
  ctx: Context,
  options: StartPrometheusOptions,
): Promise<PrometheusServer> {
  const { folder } = options;
  await ctx.fs.mkdir(folder, { recursive: true });
  for (const [index, rules] of options.rules.entries()) {
    await ctx.fs.writeTextFile(`${folder}/rules-${index}.yaml`, rules);
  }
  // JSON is YAML.
  const config = {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: [`${folder}/rules-*.yaml`],
    scrape_configs: [{
      job_name: "test",
      honor_labels: true,
      static_configs: options.targets.map(({ port, labels }) => ({
        targets: [`127.0.0.1:${port}`],
        labels,
      })),
    }],
  };
  await ctx.fs.writeTextFile(`${folder}/prometheus.yml`, JSON.stringify(config));
  const port = freePort(ctx);
  const log = `${folder}/prometheus.log`;
  const started = await ctx.processes.start(options.programs.prometheus, [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ], { env: ctx.env.toObject(), logFile: log });
  const url = `http://127.0.0.1:${port}`;

  async function stop(): Promise<void> {
    ctx.processes.kill(started.identity, "SIGTERM");
    await started.ended;
  }

  async function get<T>(path: string, parameters: Record<string, string>): Promise<T> {
    const response = await ctx.net.fetch(`${url}${path}?${new URLSearchParams(parameters)}`);
    const answer = await response.json();
    if (answer.status !== "success") throw new Error(`${answer.errorType}: ${answer.error}`);
    return answer.data;
  }

  for (let tries = 0;; tries++) {
    const ready = await ctx.net.fetch(`${url}/-/ready`).then(async (response) => {
      await response.body?.cancel();
      return response.ok;
    }, () => false);
    if (ready) break;
    if (tries === 300 || !ctx.processes.alive(started.identity)) {
      await stop();
      throw new Error(`Prometheus does not start:\n${await ctx.fs.readTextFile(log)}`);
    }
    await ctx.clock.sleep(100);
  }
  return {
    query: async (expression) =>
      (await get<{ result: QuerySample[] }>("/api/v1/query", { query: expression })).result,
    labelValues: (label, match) => get(`/api/v1/label/${label}/values`, { "match[]": match }),
    [Symbol.asyncDispose]: stop,
  };
}

function freePort(ctx: Context): number {
  const listener = ctx.net.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return (listener.addr as Deno.NetAddr).port;
}
