/**
 * Argo CD's Applications that make graphs: ours go before what they make, and those of others,
 * which would make again what is removed, are named and left alone.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { TaskError } from "../cli/errors.ts";
import type { Step } from "../cli/plan.ts";
import { REQUEST_API_VERSION, REQUEST_KIND } from "../graph/render_request.ts";
import type { Kube, KubeObject } from "../kube/types.ts";
import { APPLICATION_KIND } from "../platform/argocd/controller.ts";
import { deleteApplication, forgetApplication } from "../platform/argocd/remove.ts";
import { GRAPH_KIND } from "./graph_state.ts";
import type { SharedConnection } from "./session.ts";

/** An Application that makes graphs or requests of a namespace. */
export interface GraphManager {
  /** Its name. */
  readonly name: string;
  /** Its namespace, Argo CD's own as a rule. */
  readonly namespace: string;
  /** Whether it carries our label. */
  readonly ours: boolean;
  /** Whether it makes again what is deleted. */
  readonly selfHeals: boolean;
  /** What it makes, as `Kind/name`. */
  readonly makes: ReadonlySet<string>;
}

/** Milliseconds that Argo CD gets for what an Application installed. */
const ARGOCD_MS = 20_000;
const KINDS = [GRAPH_KIND, REQUEST_KIND];

/** The Applications that make graphs or requests of the namespace; none where there is no Argo CD. */
export async function findManagers(
  ctx: Context,
  kube: Kube,
  where: { readonly namespace: string; readonly apiVersion: string },
): Promise<GraphManager[]> {
  const applications = await listApplications(ctx, kube);
  if (applications.length === 0) return [];
  const lists = await Promise.all([
    kube.list({ apiVersion: where.apiVersion, kind: GRAPH_KIND }, where),
    kube.list({ apiVersion: REQUEST_API_VERSION, kind: REQUEST_KIND }, where),
  ]);
  const objects = lists.flatMap(({ items }) => items);
  return applications.map((application) => managerOf(application, objects, where.namespace))
    .filter((one) => one.makes.size > 0);
}

async function listApplications(ctx: Context, kube: Kube): Promise<KubeObject[]> {
  try {
    return (await kube.list(APPLICATION_KIND)).items;
  } catch (error) {
    if (!(error instanceof TaskError) || error.code !== "KUBE_FORBIDDEN") throw error;
    ctx.ui.debug(`Applications of Argo CD cannot be seen: ${error.message}`);
    return [];
  }
}

/** What an Application makes of a namespace, by its own status and by the marks on the objects. */
export function managerOf(
  application: KubeObject,
  objects: readonly KubeObject[],
  namespace: string,
): GraphManager {
  const { metadata, spec = {}, status = {} } = application;
  const listed: { kind: string; name: string; namespace?: string }[] = status.resources ?? [];
  const own = listed.filter((one) =>
    KINDS.includes(one.kind) &&
    (one.namespace ?? spec.destination?.namespace) === namespace
  );
  const marked = objects.filter((one) => trackedBy(one, metadata));
  const automated = spec.syncPolicy?.automated;
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? "",
    ours: metadata.labels?.["app.kubernetes.io/managed-by"] === "dynamo-eks",
    selfHeals: metadata.deletionTimestamp === undefined && automated?.selfHeal === true &&
      automated.enabled !== false,
    makes: new Set([
      ...own.map(({ kind, name }) => `${kind}/${name}`),
      ...marked.map((one) => `${one.kind}/${one.metadata.name}`),
    ]),
  };
}

// `<application>:<group>/<kind>:<namespace>/<name>`; outside Argo CD's own namespace the
// Application is `<namespace>_<name>` (Argo CD 2.x and 3.x, "Resource Tracking").
function trackedBy({ metadata }: KubeObject, application: KubeObject["metadata"]): boolean {
  const mark = metadata.annotations?.["argocd.argoproj.io/tracking-id"]?.split(":")[0];
  return mark !== undefined &&
    [application.name, `${application.namespace}_${application.name}`].includes(mark);
}

/** The step that removes an Application of ours, so that it makes nothing again. */
export function managerStep(manager: GraphManager, connection: SharedConnection): Step {
  const { name, namespace } = manager;
  return {
    id: `application-${name}`,
    title: `Remove Application ${namespace}/${name}`,
    touches: [`Application ${namespace}/${name}`, ...[...manager.makes].map((one) => `  ${one}`)],
    deadlineMs: ARGOCD_MS + 60_000,
    beside: "applications",
    run: async (ctx) => {
      const kube = await connection.connect();
      try {
        await deleteApplication(ctx, kube, manager, { timeoutMs: ARGOCD_MS });
        return undefined;
      } catch (error) {
        const withoutArgoCd = error instanceof TaskError &&
          ["ARGOCD_MISSING", "APPLICATION_STUCK"].includes(error.code);
        if (!withoutArgoCd) throw error;
        ctx.ui.warn(`${error.message}: its finalizer is taken away`);
        await forgetApplication(kube, manager);
        return "without Argo CD; its graphs are next, what else it installed stays";
      }
    },
  };
}

/** Why an object of that kind and name would come back, and what to do; undefined when it would not. */
export function comesBack(
  managers: readonly GraphManager[],
  object: string,
): string | undefined {
  const found = managers.find((one) => !one.ours && one.selfHeals && one.makes.has(object));
  if (found === undefined) return undefined;
  const { name, namespace } = found;
  return `Application ${namespace}/${name} of Argo CD makes it again; take it out of its source, ` +
    `or delete that first: kubectl -n ${namespace} delete applications.argoproj.io ${name}`;
}
