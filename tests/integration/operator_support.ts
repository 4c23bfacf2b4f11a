/**
 * The stand-in operator inside a test: on the run's control plane, with the operator's own
 * rights, in one namespace, with pods that become ready.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { resolveRelease } from "../../lib/blueprint/release.ts";
import { type Context, withContext } from "../../lib/cli/context.ts";
import { connectKube } from "../../lib/kube/client.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/kube/types.ts";
import { kubeconfigPath } from "../../lib/local/kubeconfig.ts";
import { runOperator } from "../../lib/local/operator/controller/run.ts";
import { featuresOf } from "../../lib/local/operator/features.ts";
import { applyPlatform } from "../../lib/local/operator/platform.ts";
import type { Component, Deployment, Graph } from "../../lib/local/operator/types.ts";
import { type TestCluster, withCluster } from "./cluster.ts";
import { readyPods } from "./ready_pods.ts";

/** What a test of the operator gets. */
export interface OperatorTest extends TestCluster {
  /** API version of graphs and components. */
  readonly api: string;
  /** Reads an object of the test's namespace. */
  get<T extends KubeObject = KubeObject>(kind: string, name: string): Promise<T | undefined>;
  /** Applies a graph to the test's namespace and returns it. */
  applyGraph(graph: KubeObject): Promise<Graph>;
  /** Waits until the graph's state is this, in its current generation. */
  state(name: string, state: string): Promise<Graph>;
}

const API: Record<string, string> = {
  Deployment: "apps/v1",
  Role: "rbac.authorization.k8s.io/v1",
  RoleBinding: "rbac.authorization.k8s.io/v1",
};

/** Runs `body` with the operator of a release; its graphs are deleted at the end. */
export async function withOperator(
  version: string,
  body: (test: OperatorTest) => Promise<void>,
): Promise<void> {
  await withCluster(async (cluster) => {
    const { ctx, kube, namespace } = cluster;
    const release = resolveRelease(version);
    // The namespace is the test's; the platform's objects in it go with it.
    await applyPlatform(ctx, kube, { release, namespace: `${namespace}-platform` });
    const features = featuresOf(release);
    const stop = new AbortController();
    const operatorKube = await connectKube(ctx, {
      kubeconfig: kubeconfigPath(cluster.cluster.layout, "operator"),
      fieldManager: "dynamo-operator",
    });
    const logged: string[] = [];
    const running = Promise.all([
      runOperator(withContext(ctx, { signal: stop.signal }), operatorKube, {
        settings: {
          features,
          namespace,
          restrictNamespace: namespace,
          natsAddress: release.needs.nats ? "nats://dynamo-platform-nats.platform:4222" : undefined,
        },
        log: (level, message, fields) =>
          logged.push(`${level} ${message} ${JSON.stringify(fields)}`),
      }),
      readyPods(kube, namespace, stop.signal),
    ]);
    const test = helpers(cluster, features.graphApiVersion);
    try {
      await body(test);
    } catch (error) {
      // deno-lint-ignore no-console -- what the operator did, beside the failure
      console.log(logged.join("\n"));
      throw error;
    } finally {
      await removeGraphs(ctx, kube, features.graphApiVersion, namespace);
      stop.abort();
      await running;
      operatorKube.close();
      await kube.delete({ apiVersion: "v1", kind: "Namespace", name: `${namespace}-platform` });
    }
  });
}

function helpers(cluster: TestCluster, api: string): OperatorTest {
  const { ctx, kube, namespace } = cluster;
  const refFor = (kind: string, name: string): ObjectRef => ({
    apiVersion: kind.startsWith("Dynamo") ? api : API[kind] ?? "v1",
    kind,
    name,
    namespace,
  });
  return {
    ...cluster,
    api,
    get: (kind, name) => kube.get(refFor(kind, name)),
    applyGraph: (graph) =>
      kube.apply<Graph>({
        ...graph,
        metadata: { ...graph.metadata, namespace },
      }),
    state: (name, state) =>
      until(ctx, `graph ${name} to be ${state}`, async () => {
        const graph = await kube.get<Graph>(refFor("DynamoGraphDeployment", name));
        return graph?.status?.state === state && await isCurrent(graph) ? graph : undefined;
      }),
  };

  /** Legacy graphs do not say which generation they speak of: their Deployments do. */
  async function isCurrent(graph: Graph): Promise<boolean> {
    const observed = graph.status?.observedGeneration;
    if (observed !== undefined) return observed === graph.metadata.generation;
    if (graph.status?.state !== "successful") return true;
    const names = Object.keys(graph.spec?.services ?? {}).map((one) =>
      `${graph.metadata.name}-${one.toLowerCase()}`
    );
    const all = await Promise.all(names.map(async (one) => {
      const component = await kube.get<Component>(refFor("DynamoComponentDeployment", one));
      const deployment = await kube.get<Deployment>(refFor("Deployment", one));
      return component !== undefined && deployment !== undefined &&
        deployment.status?.observedGeneration === deployment.metadata.generation;
    }));
    return all.every((one) => one);
  }
}

/** Waits until `look` gives something, 20 s at most. */
export async function until<T>(
  ctx: Context,
  what: string,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const end = ctx.clock.monotonic() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (ctx.clock.monotonic() > end) throw new Error(`waited 20 s for ${what}`);
    await ctx.clock.sleep(50);
  }
}

/** Waits until an object is gone. */
export async function untilGone(
  test: Pick<OperatorTest, "ctx" | "get">,
  kind: string,
  name: string,
): Promise<void> {
  await until(
    test.ctx,
    `${kind} ${name} to be gone`,
    async () => await test.get(kind, name) === undefined ? true : undefined,
  );
}

async function removeGraphs(
  ctx: Context,
  kube: Kube,
  apiVersion: string,
  namespace: string,
): Promise<void> {
  for (const kind of ["DynamoGraphDeployment", "DynamoComponentDeployment"]) {
    const { items } = await kube.list({ apiVersion, kind }, { namespace });
    for (const { metadata: { name } } of items) {
      await kube.delete({ apiVersion, kind, name, namespace });
    }
    await until(ctx, `${kind}s to go`, async () => {
      const left = await kube.list({ apiVersion, kind }, { namespace });
      return left.items.length === 0 ? true : undefined;
    });
  }
}

/** A graph of `tests/golden`, for the test's own namespace. */
export async function exampleGraph(version: string, name: string): Promise<KubeObject> {
  const url = new URL(`../golden/${version}/${name}.yaml`, import.meta.url);
  return parse(await Deno.readTextFile(url)) as KubeObject;
}

/** A graph from YAML text. */
export function graphFrom(yaml: string): KubeObject {
  return parse(yaml) as KubeObject;
}
