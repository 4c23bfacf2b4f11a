/**
 * How long AWS supports each Kubernetes version on EKS.
 *
 * Source: the release calendar of the EKS user guide (kubernetes-versions), and endoflife.date
 * for 1.35. Days are UTC; extended support is billed from the day on which standard support ends.
 *
 * @module
 */

/** Day on which the table was read. */
export const EKS_VERSIONS_DATE = "2026-02-14";

/** Support of one version. */
export interface EksVersion {
  /** Such as `1.33`. */
  readonly version: string;
  /** First day that is billed as extended support, `YYYY-MM-DD`. */
  readonly standardUntil: string;
  /** Day after which AWS upgrades the cluster and offers the version no more. */
  readonly extendedUntil: string;
}

const CALENDAR: readonly EksVersion[] = [
  { version: "1.29", standardUntil: "2025-03-23", extendedUntil: "2026-03-23" },
  { version: "1.30", standardUntil: "2025-07-23", extendedUntil: "2026-07-23" },
  { version: "1.31", standardUntil: "2025-11-26", extendedUntil: "2026-11-26" },
  { version: "1.32", standardUntil: "2026-03-23", extendedUntil: "2027-03-23" },
  { version: "1.33", standardUntil: "2026-07-29", extendedUntil: "2027-07-29" },
  { version: "1.34", standardUntil: "2026-12-02", extendedUntil: "2027-12-02" },
  { version: "1.35", standardUntil: "2027-03-27", extendedUntil: "2028-03-27" },
];

/** What the calendar knows of a version; undefined for others. */
export function eksVersion(version: string): EksVersion | undefined {
  return CALENDAR.find((one) => one.version === version);
}

/** Support that a version has at a moment (milliseconds since the epoch). */
export function eksSupport(version: EksVersion, now: number): "standard" | "extended" | "ended" {
  if (now < Date.parse(version.standardUntil)) return "standard";
  return now < Date.parse(version.extendedUntil) ? "extended" : "ended";
}
