/**
 * Everything that support would ask about one graph, read once.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf } from "../cli/errors.ts";
import { eventTime } from "../kube/events.ts";
import type { KindRef, Kube, KubeObject } from "../kube/types.ts";
import type {
  DescribedCondition,
  DescribedEvent,
  DescribedLog,
  DescribedPod,
  Description,
} from "./describe_types.ts";
import { namedSecrets, type Redactor, redactor } from "./describe_redact.ts";
import { diagnose } from "./diagnosis/diagnose.ts";
import { containersOf } from "./diagnosis/objects.ts";
import { type ClusterFacts, logKey } from "./diagnosis/types.ts";
import { componentObjects, graphState } from "./graph_state.ts";
import { graphKinds, pickGraph } from "./graphs.ts";
import type { GraphSession } from "./session.ts";
import { statusReader } from "./status.ts";

const LAST_LINES = 20;
const LOGS_AT_ONCE = 8;

/** A description, and what a support archive is made of beside it. */
export interface DescribedGraph {
  /** The description. */
  readonly description: Description;
  /** The objects, cleaned. */
  readonly objects: readonly KubeObject[];
  /** Takes secrets out of texts. */
  readonly clean: Redactor;
}

/**
 * Reads a graph with all that belongs to it.
 *
 * @throws {TaskError} GRAPH_UNKNOWN, GRAPH_UNCLEAR (exit code 2), and as the calls of `Kube`.
 */
export async function describeGraph(
  ctx: Context,
  session: GraphSession,
  name: string | undefined,
): Promise<DescribedGraph> {
  const { kube, release, target: { namespace } } = session;
  const status = await statusReader(ctx, session)();
  const picked = pickGraph(status.graphs, name);
  const found = status.graphs.find((one) => one.name === picked.name)!;
  const lists = await readLists(kube, namespace, release.graphApiVersion);
  const graph = lists.graphs.find((one) => one.metadata.name === found.name)!;
  const of = { ...lists, graph };
  const components = componentObjects(of);
  const pods = components.flatMap((component) =>
    component.pods.map((pod) => ({ component: component.name, pod }))
  );
  const objects = [
    graph,
    ...components.flatMap((one) => [...one.componentDeployments, ...one.deployments, ...one.pods]),
    ...lists.claims ?? [],
    ...(lists.nodes ?? []).filter((node) =>
      pods.some(({ pod }) => pod["spec"]?.nodeName === node.metadata.name)
    ),
  ];
  const clean = await redactorOf(ctx, kube, namespace, objects);
  const troubled = pods.map(({ pod }) => pod).filter((pod) => !isReady(pod));
  const logs = (await readLogs(kube, troubled, LAST_LINES)).map((log) => ({
    ...log,
    lines: log.lines.map(clean.text),
  }));
  const operator = status.operator;
  const facts: ClusterFacts = {
    graph,
    components,
    events: lists.events ?? [],
    pods: lists.pods,
    claims: lists.claims ?? [],
    nodes: lists.nodes,
    nodePools: lists.nodePools,
    nodeClaims: lists.nodeClaims,
    storageClasses: lists.storageClasses,
    operators: operator === null
      ? undefined
      : [{ name: `${namespace}/${operator.name}`, ready: operator.ready ? 1 : 0 }],
    logs: logsByKey(troubled, logs),
  };
  const own = new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const description: Description = {
    target: status.target,
    operator,
    graph: { ...found, ...graphState(of) },
    conditions: conditionsOf(graph),
    diagnoses: graphState(of).ready ? [] : diagnose(facts),
    pods: pods.map(({ component, pod }) => describedPod(component, pod)),
    claims: (lists.claims ?? []).map((claim) => ({
      name: claim.metadata.name,
      phase: claim["status"]?.phase ?? "",
      storageClass: claim["spec"]?.storageClassName ?? "",
      size: claim["spec"]?.resources?.requests?.storage ?? "",
    })),
    nodes: objects.filter(({ kind }) => kind === "Node").map((node) => ({
      name: node.metadata.name,
      kubelet: node["status"]?.nodeInfo?.kubeletVersion ?? "",
      conditions: conditionsOf(node),
    })),
    events: (lists.events ?? []).map(describedEvent)
      .filter(({ object }) => own.has(object) || object.split("/")[1]!.startsWith(`${found.name}-`))
      .sort((a, b) => a.time.localeCompare(b.time)),
    logs,
  };
  return {
    description: clean.object(description),
    objects: objects.map((object) => clean.object(object)),
    clean,
  };
}

// Without a right to read a kind, or where it is not served, there is less to say.
async function readLists(kube: Kube, namespace: string, apiVersion: string) {
  const optional = async (kind: KindRef, where?: string) => {
    try {
      const list = await kube.list(kind, { namespace: where });
      return list.resourceVersion === "" ? undefined : list.items;
    } catch {
      return undefined;
    }
  };
  const needed = async (kind: KindRef) => (await kube.list(kind, { namespace })).items;
  const kinds = graphKinds(apiVersion);
  const core = (kind: string) => ({ apiVersion: "v1", kind });
  const karpenter = (kind: string) => ({ apiVersion: "karpenter.sh/v1", kind });
  const [graphs, componentDeployments, deployments, pods] = await Promise.all(
    [kinds.graphs, kinds.componentDeployments, kinds.deployments, kinds.pods].map(needed),
  );
  const [events, claims, nodes, storageClasses, nodePools, nodeClaims] = await Promise.all([
    optional(core("Event"), namespace),
    optional(core("PersistentVolumeClaim"), namespace),
    optional(core("Node")),
    optional({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass" }),
    optional(karpenter("NodePool")),
    optional(karpenter("NodeClaim")),
  ]);
  return {
    graphs: graphs!,
    componentDeployments: componentDeployments!,
    deployments: deployments!,
    pods: pods!,
    events,
    claims,
    nodes,
    storageClasses,
    nodePools,
    nodeClaims,
  };
}

/** Knows the values of variables that look secret, and of the Secrets that objects refer to. */
async function redactorOf(
  ctx: Context,
  kube: Kube,
  namespace: string,
  objects: readonly KubeObject[],
): Promise<Redactor> {
  const { values, references } = namedSecrets(objects);
  const held = await Promise.all(references.map(async (name) => {
    try {
      const secret = await kube.get({ apiVersion: "v1", kind: "Secret", namespace, name });
      return Object.values<string>(secret?.["data"] ?? {}).map((data) =>
        new TextDecoder().decode(Uint8Array.from(atob(data), (one) => one.charCodeAt(0)))
      );
    } catch (error) {
      ctx.ui.debug(
        `Secret ${name} cannot be read, so its values are not known: ${messageOf(error)}`,
      );
      return [];
    }
  }));
  const ours = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "NGC_API_KEY"].flatMap((name) =>
    ctx.env.get(name) ?? []
  );
  return redactor([...values, ...held.flat(), ...ours]);
}

/** Last lines of all containers of the pods that have any; of the start before as well. */
export async function readLogs(
  kube: Kube,
  pods: readonly KubeObject[],
  tailLines: number,
): Promise<DescribedLog[]> {
  const wanted = pods.flatMap((pod) =>
    containersOf(pod).flatMap(({ name, status }) => [
      { pod, container: name, previous: false },
      ...(status["lastState"]?.terminated === undefined
        ? []
        : [{ pod, container: name, previous: true }]),
    ])
  );
  const found: DescribedLog[] = [];
  for (let at = 0; at < wanted.length; at += LOGS_AT_ONCE) {
    found.push(
      ...await Promise.all(
        wanted.slice(at, at + LOGS_AT_ONCE).map(async (one) => {
          const { name, namespace = "" } = one.pod.metadata;
          const lines: string[] = [];
          try {
            const { container, previous } = one;
            for await (
              const line of kube.logs({ name, namespace }, { container, previous, tailLines })
            ) lines.push(line);
          } catch (error) {
            lines.push(`(cannot be read: ${messageOf(error)})`);
          }
          return { pod: name, container: one.container, previous: one.previous, lines };
        }),
      ),
    );
  }
  return found;
}

function logsByKey(pods: readonly KubeObject[], logs: readonly DescribedLog[]) {
  return new Map(logs.map(({ pod, container, previous, lines }) => {
    const object = pods.find(({ metadata }) => metadata.name === pod)!;
    const restarts = containersOf(object).find(({ name }) => name === container)
      ?.status["restartCount"] ?? 0;
    return [logKey(pod, container, previous ? restarts - 1 : restarts), lines] as const;
  }));
}

function isReady(pod: KubeObject): boolean {
  return conditionsOf(pod).some(({ type, status }) => type === "Ready" && status === "True");
}

function conditionsOf(object: KubeObject): DescribedCondition[] {
  return (object["status"]?.conditions ?? []).map((one: KubeObject) => ({
    type: one["type"] ?? "",
    status: one["status"] ?? "",
    reason: one["reason"] ?? "",
    message: one["message"] ?? "",
  }));
}

function describedPod(component: string, pod: KubeObject): DescribedPod {
  const specs: KubeObject[] = [
    ...pod["spec"]?.initContainers ?? [],
    ...pod["spec"]?.containers ?? [],
  ];
  return {
    name: pod.metadata.name,
    component,
    node: pod["spec"]?.nodeName ?? null,
    phase: pod["status"]?.phase ?? "",
    ready: isReady(pod),
    containers: containersOf(pod).map(({ name, image, status }) => ({
      name,
      image,
      state: stateWords(status["state"]),
      lastEnd: status["lastState"]?.terminated === undefined
        ? null
        : stateWords(status["lastState"]),
      restarts: status["restartCount"] ?? 0,
      resources: specs.find((spec) => spec["name"] === name)?.["resources"] ?? {},
    })),
  };
}

// deno-lint-ignore no-explicit-any -- a container's state of the API
function stateWords(state: any): string {
  const { running, waiting, terminated } = state ?? {};
  if (running !== undefined) return "running";
  if (terminated !== undefined) {
    return `${terminated.reason ?? "ended"}, exit code ${terminated.exitCode}`;
  }
  return [waiting?.reason ?? "waiting", waiting?.message].filter(Boolean).join(": ");
}

function describedEvent(event: KubeObject): DescribedEvent {
  const { kind = "", name = "" } = event["involvedObject"] ?? {};
  return {
    time: eventTime(event),
    type: event["type"] ?? "",
    reason: event["reason"] ?? "",
    object: `${kind}/${name}`,
    message: event["message"] ?? "",
    count: event["series"]?.count ?? event["count"] ?? 1,
  };
}
