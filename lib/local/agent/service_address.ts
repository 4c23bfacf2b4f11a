/**
 * Service names of the cluster inside addresses. There is no cluster DNS on the embedded
 * cluster: `dynamo-platform-nats.dynamo-system:4222` becomes the local process behind it. Pure.
 *
 * @module
 */

/** A Service and port that an address names. */
export interface ServiceAddress {
  /** The address as it was written, without scheme: `name.namespace:4222`. */
  readonly text: string;
  /** Name of the Service. */
  readonly service: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Its port. */
  readonly port: number;
}

const ADDRESS = /([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):(\d{1,5})(?![\d.])/g;
const CLUSTER_NAME = /^([a-z0-9-]+)(?:\.([a-z0-9-]+)(?:\.svc(?:\.cluster\.local)?)?)?$/;

/** The Services that a text names as `host:port`; IP addresses and localhost are left out. */
export function serviceAddresses(text: string, defaultNamespace: string): ServiceAddress[] {
  const found: ServiceAddress[] = [];
  for (const [whole, host = "", port = ""] of text.matchAll(ADDRESS)) {
    const [, service, namespace] = CLUSTER_NAME.exec(host.toLowerCase()) ?? [];
    if (service === undefined || service === "localhost" || /^\d+$/.test(service)) continue;
    found.push({
      text: whole,
      service,
      namespace: namespace ?? defaultNamespace,
      port: Number(port),
    });
  }
  return found;
}

/** The text with each known address replaced. */
export function replaceAddresses(
  text: string,
  local: Readonly<Record<string, string>>,
): string {
  return text.replaceAll(new RegExp(ADDRESS.source, "g"), (whole) => local[whole] ?? whole);
}
