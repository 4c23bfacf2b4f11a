/**
 * Taking the platform away again: only what this project installed, the operator while nothing
 * needs it any more, definitions only when asked and only when no object of theirs is left.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError, type TaskError, timeoutError } from "../cli/errors.ts";
import type { Step } from "../cli/plan.ts";
import { forgetRelease, uninstallRelease } from "../helm/install.ts";
import { findHelm, type HelmTarget } from "../helm/program.ts";
import type { HelmRelease } from "../helm/releases.ts";
import type { Kube, ObjectRef } from "../kube/types.ts";
import { deleteApplication, forgetApplication } from "./argocd/remove.ts";
import { REPOSITORY_SECRET } from "./argocd/application.ts";
import { CRDS_CHART, PLATFORM_CHART } from "./charts.ts";
import { stepDeadline } from "./common_steps.ts";
import { foreignObjects } from "./namespace_content.ts";
import { CHART_TIMEOUT_MS } from "./options.ts";
import { HF_SECRET, NGC_SECRET } from "./secrets.ts";
import { findCrds, type FoundApplication, type FoundCrd, platformState } from "./state.ts";

/** Options of {@link platformRemovalSteps}. */
export interface PlatformRemovalOptions {
  /** Client of the cluster; it has to stay open until the steps have run. */
  readonly kube: Kube;
  /** The same cluster, for helm. */
  readonly target: HelmTarget;
  /** Namespace of the platform. */
  readonly namespace: string;
  /** Remove Dynamo's definitions, too; they stay unless told. */
  readonly definitions?: boolean | undefined;
  /** Milliseconds that one step may take; 10 minutes unless given. */
  readonly timeoutMs?: number | undefined;
}

/**
 * The steps that remove the platform; those with nothing to do are skipped. What others
 * installed stays, and a skipped step says so. Each step can be run again.
 *
 * The steps end with: PLATFORM_IN_USE (exit code 3) while there are graphs or other objects
 * that need the operator, ARGOCD_MISSING, APPLICATION_STUCK, HELM_FAILED, CRDS_IN_USE,
 * CRD_STUCK, NAMESPACE_STUCK.
 */
export async function platformRemovalSteps(
  _ctx: Context,
  options: PlatformRemovalOptions,
): Promise<Step[]> {
  const { kube, namespace } = options;
  const state = await platformState(kube);
  const releases = state.releases.filter((one) =>
    one.chart === CRDS_CHART || one.namespace === namespace
  );
  const applications = state.applications.filter((one) =>
    one.chart === CRDS_CHART || one.destination === namespace
  );
  return [
    ...applications.filter(isPlatform).map((one) => applicationStep(options, one)),
    ...releases.filter(isPlatform).map((one) => releaseStep(options, one)),
    ...definitionChartSteps(
      options,
      releases.filter((one) => one.chart === CRDS_CHART && one.ours),
      applications.filter((one) => one.chart === CRDS_CHART && one.ours),
    ),
    ...(options.definitions === true ? [definitionsStep(options)] : []),
    secretsStep(options, state.argocd.namespace),
    namespaceStep(options),
  ];
}

function isPlatform({ chart }: { readonly chart: string }): boolean {
  return chart === PLATFORM_CHART;
}

const NOT_OURS = "is not this project's; it stays";

function applicationStep(options: PlatformRemovalOptions, found: FoundApplication): Step {
  const { kube } = options;
  const timeoutMs = options.timeoutMs ?? CHART_TIMEOUT_MS;
  return {
    id: `remove-application-${found.name}`,
    title: `Remove Application ${found.name}`,
    touches: [`Application ${found.namespace}/${found.name}, and what it installed`],
    deadlineMs: stepDeadline(options.timeoutMs),
    ...(found.ours ? {} : { skip: NOT_OURS }),
    run: async (ctx) => {
      await requireUnused(kube);
      await deleteApplication(ctx, kube, found, { timeoutMs });
    },
  };
}

function releaseStep(options: PlatformRemovalOptions, found: HelmRelease): Step {
  const { kube, target } = options;
  const timeoutMs = options.timeoutMs ?? CHART_TIMEOUT_MS;
  const { name, namespace } = found;
  return {
    id: `remove-release-${name}`,
    title: `Uninstall ${name}`,
    touches: [`Helm release ${namespace}/${name}`],
    deadlineMs: stepDeadline(options.timeoutMs),
    ...(found.ours ? {} : { skip: NOT_OURS }),
    run: async (ctx) => {
      await requireUnused(kube);
      const helm = await findHelm(ctx);
      await uninstallRelease(ctx, helm, { kube, target, name, namespace, timeoutMs });
    },
  };
}

/** The chart of the definitions is forgotten: with it they would go, and all graphs with them. */
function definitionChartSteps(
  { kube }: PlatformRemovalOptions,
  releases: readonly HelmRelease[],
  applications: readonly FoundApplication[],
): Step[] {
  if (releases.length + applications.length === 0) return [];
  return [{
    id: "forget-definitions-chart",
    title: `Forget ${CRDS_CHART}`,
    touches: [...releases, ...applications].map((one) =>
      `${one.namespace}/${one.name} (the definitions stay)`
    ),
    deadlineMs: 60_000,
    run: async () => {
      for (const release of releases) await forgetRelease(kube, release);
      for (const application of applications) await forgetApplication(kube, application);
    },
  }];
}

function definitionsStep(options: PlatformRemovalOptions): Step {
  const { kube } = options;
  return {
    id: "remove-definitions",
    title: "Remove Dynamo's definitions",
    touches: ["CustomResourceDefinitions of Dynamo without objects"],
    deadlineMs: stepDeadline(options.timeoutMs),
    run: async (ctx, ui) => {
      // Another operator, here or elsewhere, needs them.
      const { operators } = await platformState(kube);
      const running = operators.find((one) => one.deployment !== undefined);
      if (running !== undefined) {
        return `an operator runs in ${running.namespace}, so they stay`;
      }
      const crds = await findCrds(kube);
      for (const crd of crds) await requireNoObjects(kube, crd);
      for (const crd of crds) {
        ui.update(crd.name);
        const ref = { ...CRD_KIND, name: crd.name };
        await kube.delete(ref);
        await waitGone(ctx, kube, ref, options.timeoutMs, "CRD_STUCK");
      }
      return `${crds.length} removed`;
    },
  };
}

const CRD_KIND = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
} as const;

/** The step that removes our secrets with tokens and logins. */
export function secretsStep(
  { kube, namespace }: Pick<PlatformRemovalOptions, "kube" | "namespace">,
  argocdNamespace: string | undefined,
): Step {
  const refs = [HF_SECRET, NGC_SECRET].map((name) => ({ namespace, name }));
  if (argocdNamespace !== undefined) {
    refs.push({ namespace: argocdNamespace, name: REPOSITORY_SECRET });
  }
  return {
    id: "remove-secrets",
    title: "Remove secrets",
    touches: refs.map((one) => `Secret ${one.namespace}/${one.name}`),
    deadlineMs: 60_000,
    run: async () => {
      const removed: string[] = [];
      for (const one of refs) {
        const ref = { apiVersion: "v1", kind: "Secret", ...one };
        if (!await isOurs(kube, ref)) continue;
        if (await kube.delete(ref)) removed.push(one.name);
      }
      return removed.length === 0 ? "none of ours" : removed.join(", ");
    },
  };
}

/**
 * The step that removes the namespace, if it is ours and holds nothing of anybody else, nor claims
 * with models in them.
 */
export function namespaceStep(
  options: Pick<PlatformRemovalOptions, "kube" | "namespace" | "timeoutMs">,
): Step {
  const { kube, namespace } = options;
  const ref = { apiVersion: "v1", kind: "Namespace", name: namespace } as const;
  return {
    id: "remove-namespace",
    title: `Remove namespace ${namespace}`,
    touches: [`Namespace ${namespace}, if nothing of others is in it`],
    deadlineMs: stepDeadline(options.timeoutMs),
    run: async (ctx, ui) => {
      if (await kube.get(ref) === undefined) return "is not there";
      if (!await isOurs(kube, ref)) return NOT_OURS;
      const { releases, operators } = await platformState(kube);
      const left = releases.find((one) => one.namespace === namespace)?.name ??
        operators.find((one) => one.namespace === namespace)?.deployment;
      if (left !== undefined) return `${left} is in it, so it stays`;
      ui.update("looks what is in it");
      const foreign = await foreignObjects(ctx, kube, { namespace, releases: OUR_RELEASES });
      const claims = await modelClaims(kube, namespace);
      if (foreign.length + claims.length > 0) {
        await removeReleaseClaims(kube, namespace);
        return `stays: in it ${listed(foreign, claims)}`;
      }
      await kube.delete(ref);
      await waitGone(ctx, kube, ref, options.timeoutMs, "NAMESPACE_STUCK");
      return "gone";
    },
  };
}

const CLAIM_KIND = { apiVersion: "v1", kind: "PersistentVolumeClaim" } as const;
const OUR_RELEASES = [PLATFORM_CHART, CRDS_CHART];

function listed(foreign: readonly string[], claims: readonly string[]): string {
  const more = foreign.length > 5 ? ` and ${foreign.length - 5} more` : "";
  return [
    ...(foreign.length === 0
      ? []
      : [`is what others made: ${foreign.slice(0, 5).join(", ")}${more}`]),
    ...(claims.length === 0 ? [] : [`are models: ${claims.join(", ")} (--volumes removes them)`]),
  ].join("; ");
}

/** Claims of a StatefulSet outlive it, and its chart: those of etcd and NATS. */
async function removeReleaseClaims(kube: Kube, namespace: string): Promise<void> {
  const { items } = await kube.list(CLAIM_KIND, {
    namespace,
    labelSelector: `app.kubernetes.io/instance in (${OUR_RELEASES.join(",")})`,
  });
  for (const { metadata: { name } } of items) await kube.delete({ ...CLAIM_KIND, name, namespace });
}

/** Claims of our graphs; a model takes hours to download. */
async function modelClaims(kube: Kube, namespace: string): Promise<string[]> {
  const { items } = await kube.list(CLAIM_KIND, {
    namespace,
    labelSelector: "app.kubernetes.io/managed-by=dynamo-eks",
  });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => `claim ${metadata.name}`);
}

async function isOurs(kube: Kube, ref: ObjectRef): Promise<boolean> {
  const object = await kube.get(ref);
  return object?.metadata.labels?.["app.kubernetes.io/managed-by"] === "dynamo-eks";
}

/** Without the operator nobody would take the finalizers of its objects away. */
async function requireUnused(kube: Kube): Promise<void> {
  for (const crd of await findCrds(kube)) {
    if (!NEEDS_OPERATOR.includes(crd.kind)) continue;
    const names = await objectsOf(kube, crd);
    if (names.length === 0) continue;
    throw preconditionError(
      "PLATFORM_IN_USE",
      `There are still ${names.length} ${crd.kind}(s): ${names.slice(0, 5).join(", ")}`,
      "Remove the graphs first (deno task cleanup --graphs); without the operator they could not " +
        "be removed any more.",
    );
  }
}

/** Kinds whose objects carry a finalizer of the operator. */
const NEEDS_OPERATOR = [
  "DynamoGraphDeploymentRequest",
  "DynamoGraphDeployment",
  "DynamoComponentDeployment",
  "DynamoModel",
];

async function requireNoObjects(kube: Kube, crd: FoundCrd): Promise<void> {
  const names = await objectsOf(kube, crd);
  if (names.length === 0) return;
  throw preconditionError(
    "CRDS_IN_USE",
    `The definition ${crd.name} still has ${names.length} object(s): ` +
      names.slice(0, 5).join(", "),
    "They would be deleted with it. Remove them first, or leave the definitions.",
  );
}

async function objectsOf(kube: Kube, crd: FoundCrd): Promise<string[]> {
  // The version that is stored can be read without the operator's conversion webhook.
  const version = crd.stored.at(-1) ?? crd.served[0];
  if (version === undefined) return [];
  const { items } = await kube.list({ apiVersion: `nvidia.com/${version}`, kind: crd.kind });
  return items.map(({ metadata: { namespace, name } }) => `${namespace}/${name}`);
}

async function waitGone(
  ctx: Context,
  kube: Kube,
  ref: ObjectRef,
  timeoutMs: number = CHART_TIMEOUT_MS,
  code: string,
): Promise<void> {
  const end = ctx.clock.monotonic() + timeoutMs;
  for (;;) {
    const left = await kube.get(ref);
    if (left === undefined) return;
    if (ctx.clock.monotonic() >= end) throw stuck(code, ref, left["status"]?.conditions, timeoutMs);
    await ctx.clock.sleep(300, ctx.signal);
  }
}

function stuck(code: string, ref: ObjectRef, conditions: unknown, timeoutMs: number): TaskError {
  const list = (Array.isArray(conditions) ? conditions : []) as {
    type: string;
    status: string;
    message?: string;
  }[];
  return timeoutError(
    code,
    `${ref.kind} ${ref.name} is still there after ${Math.round(timeoutMs / 1000)} s`,
    {
      hint: "Run the task again; it goes on waiting. Something in it has a finalizer.",
      evidence: list.filter((one) => one.status === "True" && one.message)
        .map((one) => `${one.type}: ${one.message}`),
    },
  );
}
