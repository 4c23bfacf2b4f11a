/**
 * The doctor: whether an install would work, and whether what is installed fits, before anything
 * is changed.
 *
 * @module
 */
import { identity, openAws } from "../aws/session.ts";
import type { Blueprint, Release } from "../blueprint/types.ts";
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import type { Kube } from "../kube/types.ts";
import { openTarget, recallTarget, type TargetKind } from "../target/target.ts";
import { eksClusterCheck, eksVersionCheck, identityCheck, regionCheck } from "./aws_account.ts";
import { offeringsCheck, reservationsCheck } from "./capacity.ts";
import {
  clusterCheck,
  definitionsCheck,
  driverCheck,
  operatorCheck,
  storageClassCheck,
} from "./cluster.ts";
import { chartCheck, hfTokenCheck, proxyCheck } from "./outside.ts";
import { permissionsCheck } from "./permissions.ts";
import { cpuQuotaCheck, networkQuotaCheck } from "./quotas.ts";
import { makeReport, type Report } from "./report.ts";
import { runChecks } from "./run.ts";
import {
  helmCheck,
  kubectlCheck,
  platformCheck,
  programsCheck,
  pythonCheck,
  terraformCheck,
} from "./tools.ts";
import type { Check, Line, Patient } from "./types.ts";

/** All checks, in the order of the report. */
export const CHECKS: readonly Check[] = [
  platformCheck,
  programsCheck,
  pythonCheck,
  terraformCheck,
  helmCheck,
  kubectlCheck,
  proxyCheck,
  chartCheck,
  hfTokenCheck,
  identityCheck,
  regionCheck,
  permissionsCheck,
  cpuQuotaCheck,
  networkQuotaCheck,
  offeringsCheck,
  reservationsCheck,
  eksVersionCheck,
  eksClusterCheck,
  clusterCheck,
  storageClassCheck,
  definitionsCheck,
  operatorCheck,
  driverCheck,
];

/** What to look at. */
export interface DoctorOptions {
  /** Where Dynamo runs, or will. */
  readonly kind: TargetKind;
  /** What the user wants. */
  readonly blueprint: Blueprint;
  /** The release that is wanted. */
  readonly release: Release;
  /** Namespace of the platform; the blueprint's unless given. */
  readonly namespace?: string | undefined;
  /** Context of the kubeconfig, for the target `context`. */
  readonly context?: string | undefined;
  /** Profile of the AWS configuration. */
  readonly profile?: string | undefined;
  /** `--chart-repository`; NVIDIA's repository when absent. */
  readonly chartRepository?: string | undefined;
  /** Show tokens to their issuers, to learn whether they are valid. */
  readonly online?: boolean;
  /** Called with the number of checks that are done, and of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Runs all checks that matter to the target. */
export function diagnose(ctx: Context, options: DoctorOptions): Promise<Report> {
  return examine(ctx, options, CHECKS.filter(({ targets }) => targets.includes(options.kind)));
}

/**
 * Runs the checks whose failures would stop an install, in seconds: tools, identity, permissions,
 * quotas, instance types, versions, charts and the cluster.
 */
export function quickChecks(ctx: Context, options: DoctorOptions): Promise<Report> {
  const checks = CHECKS.filter(({ targets, quick }) => quick && targets.includes(options.kind));
  return examine(ctx, options, checks);
}

/** The lines that a person has to know of: what fails first, then what warns. */
export function problemsOf(report: Report): Line[] {
  const of = (status: Line["status"]) => report.checks.filter((line) => line.status === status);
  return [...of("fail"), ...of("warn")];
}

/**
 * Refuses to go on when something fails.
 *
 * @throws {TaskError} DOCTOR_FAILED (exit code 3) with the failures as evidence.
 */
export function requireHealthy(report: Report): void {
  const failures = report.checks.filter(({ status }) => status === "fail");
  if (failures.length === 0) return;
  const text = ({ what, why, todo }: Line) => `${what}: ${why}${todo === "" ? "" : ` → ${todo}`}`;
  const [only] = failures;
  throw preconditionError(
    "DOCTOR_FAILED",
    failures.length === 1
      ? text(only!)
      : [`${failures.length} things stand in the way:`, ...failures.map(text)].join("\n  "),
    "deno task doctor shows everything that was looked at.",
  );
}

async function examine(
  ctx: Context,
  options: DoctorOptions,
  checks: readonly Check[],
): Promise<Report> {
  const { patient, close } = openPatient(ctx, options);
  try {
    const progress = (done: number) => options.onProgress?.(done, checks.length);
    const lines = await runChecks(ctx, patient, checks, progress);
    return makeReport({
      target: options.kind,
      region: options.kind === "eks" ? options.blueprint.region.value : null,
      release: options.release.version,
    }, lines);
  } finally {
    await close();
  }
}

function openPatient(
  ctx: Context,
  options: DoctorOptions,
): { readonly patient: Patient; close(): Promise<void> } {
  const { kind, blueprint, release } = options;
  const namespace = options.namespace ?? blueprint.namespace.value;
  const aws = once(() =>
    openAws(ctx, {
      region: blueprint.region.value,
      profile: options.profile,
      maxAttempts: 3,
      attemptMs: 10_000,
      deadlineMs: 30_000,
    })
  );
  const cluster = once(() => openCluster(ctx, options));
  const patient: Patient = {
    ctx,
    kind,
    blueprint,
    release,
    namespace,
    chartRepository: options.chartRepository,
    online: options.online ?? false,
    aws,
    identity: once(async () => await identity(await aws())),
    cluster,
  };
  return {
    patient,
    async close() {
      if (!cluster.started()) return;
      const opened = await cluster().catch(() => undefined);
      if (opened !== undefined && !("missing" in opened)) opened.close();
    },
  };
}

async function openCluster(
  ctx: Context,
  { kind, context, namespace, blueprint }: DoctorOptions,
): Promise<Kube | { readonly missing: string }> {
  const remembered = await recallTarget(ctx);
  if (context === undefined && remembered?.kind === kind) return await openTarget(ctx, remembered);
  if (kind !== "context") {
    return { missing: `nothing is installed yet: deno task install --target ${kind}` };
  }
  return await openTarget(ctx, {
    kind,
    namespace: namespace ?? blueprint.namespace.value,
    release: "",
    ...(context === undefined ? {} : { context }),
  });
}

/** The function's first result, for everybody who asks. */
function once<T>(make: () => Promise<T>): (() => Promise<T>) & { started(): boolean } {
  let made: Promise<T> | undefined;
  return Object.assign(() => made ??= make(), { started: () => made !== undefined });
}
