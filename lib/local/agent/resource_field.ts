/**
 * Kubernetes quantities for `resourceFieldRef`. Pure.
 *
 * @module
 */
import type { Container, EnvVarSource, Pod } from "./pod_types.ts";

const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A quantity such as `500m` or `8Gi` as a number; NaN when it is none. */
export function quantityNumber(text: string): number {
  const match = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text.trim());
  return match === null ? NaN : Number(match[1]) * FACTORS[match[2] ?? ""]!;
}

/** Value of a `resourceFieldRef`: in units of its divisor, rounded up; `0` when not limited. */
export function resourceValue(
  pod: Pod,
  container: Container,
  reference: NonNullable<EnvVarSource["resourceFieldRef"]>,
): string {
  const owner = reference.containerName === undefined
    ? container
    : pod.spec.containers.find((other) => other.name === reference.containerName);
  const [kind = "", ...rest] = reference.resource.split(".");
  const amounts = kind === "requests" ? owner?.resources?.requests : owner?.resources?.limits;
  const amount = quantityNumber(amounts?.[rest.join(".")] ?? "0");
  const divisor = quantityNumber(reference.divisor ?? "1") || 1;
  return String(Number.isNaN(amount) ? 0 : Math.ceil(amount / divisor));
}
