/**
 * Where metrics come from during a run.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { baseUrl } from "../../serving/endpoint.ts";
import { httpClient } from "../http_client.ts";
import type { RequestTarget } from "../request.ts";
import { dialUrl } from "../transport.ts";
import type { TlsTrust } from "../transport_tls.ts";

/** What a source is: `auto` is told from what it says. */
export type SourceKind = "frontend" | "worker" | "gpu" | "auto";

/** One process that tells its metrics. */
export interface MetricsSource {
  /** Name for people: a pod's, or a URL. */
  readonly name: string;
  /** What it is. */
  readonly kind: SourceKind;
  /** Of an exporter: pods whose GPUs count, all of them where undefined. */
  readonly pods?: ReadonlySet<string> | undefined;
  /** The text of one scrape. */
  scrape(signal: AbortSignal): Promise<string>;
  /** Frees its connection. */
  close(): void;
}

/** Opens the sources there are; asked again when one of them fails, as pods come and go. */
export type OpenSources = () => Promise<readonly MetricsSource[]>;

/** Longest text of a scrape, in bytes; Dynamo's frontend at 1.6 writes 0.12 MB. */
const MAX_BYTES = 8 * 1024 * 1024;

/** Options of {@link urlSource}. */
export interface UrlSource {
  /** URL of the metrics themselves, or a base URL, to which `/metrics` is added. */
  readonly url: string;
  /** Name; the URL unless given. */
  readonly name?: string;
  /** What it is; `auto` unless given. */
  readonly kind?: SourceKind;
  /** See {@link MetricsSource.pods}. */
  readonly pods?: ReadonlySet<string>;
  /** Key and headers; only for the server that the load goes to. */
  readonly target?: Omit<RequestTarget, "url">;
  /** Certificates. */
  readonly trust?: TlsTrust | undefined;
}

/**
 * A source behind a URL.
 *
 * @throws {TaskError} URL_INVALID (exit code 2).
 */
export function urlSource(ctx: Pick<Context, "net" | "clock">, options: UrlSource): MetricsSource {
  const { name, kind = "auto", pods, target, trust } = options;
  const base = baseUrl(options.url.replace(/\/metrics\/?$/, ""));
  const client = httpClient({
    dial: dialUrl(ctx, base, trust),
    target: { ...target, url: base },
    now: () => ctx.clock.monotonic(),
  });
  return {
    name: name ?? `${base}/metrics`,
    kind,
    pods,
    async scrape(signal) {
      const answer = await client.get({
        path: "/metrics",
        signal,
        accept: "text/plain",
        maxBytes: MAX_BYTES,
      });
      if (answer.status !== 200) throw new Error(`/metrics answered ${answer.status}`);
      return answer.body;
    },
    close: () => client.close(),
  };
}
