/**
 * What goes wrong in clusters while a graph is deployed, on one embedded cluster: the right
 * outcome, words that help, the right exit code, in seconds. What a laptop cannot have (Karpenter,
 * quotas, drivers) is tested with the objects of real clusters in lib/deploy/diagnosis.
 */
import assert from "node:assert/strict";
import { parse, stringify } from "@std/yaml";
import { graphKinds, graphStates } from "../../lib/deploy/graphs.ts";
import { followObjects } from "../../lib/deploy/live_objects.ts";
import { connectKube } from "../../lib/kube/client.ts";
import type { KubeObject } from "../../lib/kube/types.ts";
import { assertTextFits } from "../support/schemas.ts";
import { apiRestarted, drained, poolWakesUp, watchesExpire } from "./deploy_interruptions.ts";
import {
  API,
  type Deployed,
  type DrillCluster,
  GRAPH,
  NAMESPACE,
  refusingWebhook,
  until,
  withDrillCluster,
} from "./deploy_support.ts";
import { describesWithoutSecrets } from "./describe_drill.ts";
import { logsGoOn } from "./log_drills.ts";
import { prefetchesAndDeploys } from "./prefetch_drill.ts";

const OPERATOR = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace: NAMESPACE,
  name: "dynamo-platform-dynamo-operator-controller-manager",
} as const;
const READY_WITHIN_MS = 200;

Deno.test("deploy: fault drills on one cluster", (t) =>
  withDrillCluster(async (cluster) => {
    await t.step("ready is seen at once, changes are shown and rolled out", () => rollOut(cluster));
    await t.step("logs -f: restarts, new pods, another API server", () =>
      logsGoOn(cluster, "rolled"));
    await t.step("describe: data by schema, an archive without secrets", () =>
      describesWithoutSecrets(cluster, "rolled"));
    await t.step("what cannot come up says so early, with the cause", (t) =>
      cannot(cluster, t));
    await t.step("the API server restarted in the middle", () =>
      apiRestarted(cluster));
    await t.step("watches that expire (410)", () =>
      watchesExpire(cluster));
    await t.step("a node drained in the middle", () => drained(cluster));
    await t.step("a node pool that wakes up", () => poolWakesUp(cluster));
    await t.step("a model into the cache, a graph without the hub, cleanup", () =>
      prefetchesAndDeploys(cluster));
  }));

/** Milliseconds from the moment another client saw the graph ready to the task's saying so. */
async function rollOut(cluster: DrillCluster): Promise<void> {
  const { kube } = cluster;
  const late: number[] = [];
  const timed = async (...words: string[]): Promise<Deployed> => {
    const seen = readyAt(cluster, "rolled");
    // What the deployment says comes first.
    seen.catch(() => {});
    const deployed = await cluster.deploy(...words).done;
    assert.equal(deployed.code, 0, deployed.talk);
    const ready = await seen;
    late.push(deployed.at(/^✓ Wait until rolled is ready/)! - ready);
    const clusters = ready - deployed.at(/^✓ Apply graph/)!;
    // deno-lint-ignore no-console -- figures of the machine that runs the test
    console.log(
      `the cluster took ${Math.round(clusters)} ms, seen ${Math.round(late.at(-1)!)} ms later, ` +
        `deploy in all ${Math.round(deployed.ended - deployed.begun)} ms`,
    );
    return deployed;
  };
  const first = await timed("vllm", "--name", "rolled");
  assert.match(first.talk, /Apply graph rolled: 1 made/);
  const uids = await podUids(cluster, "rolled");
  const same = await cluster.deploy("vllm", "--name", "rolled").done;
  assert.match(same.talk, /Apply graph rolled: 1 unchanged/);
  assert.deepEqual(await podUids(cluster, "rolled"), uids, "nothing changed, nothing restarts");
  const second = await timed("vllm", "--name", "rolled", "--replicas", "VllmDecodeWorker=2");
  assert.match(second.talk, /- +replicas: 1\n.*\+ +replicas: 2/, "the difference is shown");
  assert.match(second.talk, /VllmDecodeWorker 2 of 2 ready/);
  const third = await timed("vllm", "--name", "rolled", "--env", "Frontend:DRILL=1");
  assert.match(third.talk, /\+ .*DRILL/);
  const new_ = await podUids(cluster, "rolled");
  assert.ok(uids.some((uid) => !new_.includes(uid)), "the frontend's pod is a new one");
  late.sort((a, b) => a - b);
  assert.ok(late[1]! <= READY_WITHIN_MS, `seen late: ${late.map(Math.round).join(", ")} ms`);
  // What was before comes back when the new version does not come up.
  const graph = await kube.get({ ...GRAPH, name: "rolled" });
  const failed = await cluster.deploy(
    "vllm",
    "--name",
    "rolled",
    "--node-pool",
    "Frontend=no-such-pool",
    "--atomic",
  ).done;
  assert.equal(failed.code, 1, failed.talk);
  assert.match(failed.talk, /no node pool no-such-pool; there are .*g6-gpu-karpenter.*rolled back/);
  const after = await kube.get({ ...GRAPH, name: "rolled" });
  assert.deepEqual(after?.["spec"], graph?.["spec"]);
}

/** When another client of the test's own sees the graph ready, in a generation that is not yet. */
async function readyAt({ ctx, home }: DrillCluster, name: string): Promise<number> {
  const kube = await connectKube(ctx, { kubeconfig: `${home}/kubeconfig` });
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(60_000)]);
  const before = (await kube.get({ ...GRAPH, name }))?.metadata.generation;
  try {
    const kinds = graphKinds(API);
    for await (const snapshot of followObjects(kube, { kinds, namespace: NAMESPACE, signal })) {
      const at = performance.now();
      const graph = snapshot.graphs.find((one) => one.metadata.name === name);
      if (graph === undefined || graph.metadata.generation === before) continue;
      if (graphStates(snapshot).some((one) => one.name === name && one.ready)) return at;
    }
    throw new Error(`${name} was never ready`);
  } finally {
    stop.abort();
    kube.close();
  }
}

async function podUids({ kube }: DrillCluster, graph: string): Promise<string[]> {
  const { items } = await kube.list({ apiVersion: "v1", kind: "Pod" }, {
    namespace: NAMESPACE,
    labelSelector: `nvidia.com/dynamo-graph-deployment-name=${graph}`,
  });
  return items.filter((pod) => pod.metadata.deletionTimestamp === undefined)
    .map((pod) => pod.metadata.uid!).sort();
}

interface Drill {
  readonly title: string;
  readonly words: readonly string[];
  readonly says: RegExp;
  readonly hint: RegExp;
  /** Seconds in which it has to be over on a busy machine. */
  readonly within: number;
}

async function cannot(cluster: DrillCluster, t: Deno.TestContext): Promise<void> {
  const { kube } = cluster;
  const crash = await manifest(cluster, "crash", (graph) => {
    graph["spec"].components[0].podTemplate.spec.containers[0].args = [
      "-m",
      "dynamo.frontend",
      "--no-such-flag",
    ];
  });
  await kube.apply(claim("drill-cache"));
  await using _refusing = await refusingWebhook(cluster.ctx, kube, "refused");
  const drills: readonly Drill[] = [
    {
      title: "a pool that does not exist",
      words: ["vllm", "--name", "pool", "--node-pool", "VllmDecodeWorker=p6-b200", "-o", "json"],
      says: /VllmDecodeWorker: there is no node pool p6-b200; there are cpu-karpenter, g5-gpu/,
      hint: /--node-pool VllmDecodeWorker=/,
      within: 20,
    },
    {
      title: "an image that does not exist",
      words: ["vllm", "--name", "image", "--image", "VllmDecodeWorker=not-found.invalid/a/b:1.6.1"],
      says: /VllmDecodeWorker: image not-found\.invalid\/a\/b:1\.6\.1 does not exist/,
      hint: /Check --image/,
      within: 25,
    },
    {
      title: "an image that takes a login",
      words: ["vllm", "--name", "denied", "--image", "VllmDecodeWorker=denied.invalid/a/b:1.6.1"],
      says: /registry refuses to give image denied\.invalid.* away \(401 unauthorised\)/,
      hint: /pull secrets/,
      within: 30,
    },
    {
      title: "a claim that cannot be bound",
      words: ["vllm", "--name", "claim", "--cache-pvc", "drill-cache:/models"],
      says: /claim drill-cache finds no volume: storage class gp3 makes none/,
      hint: /PersistentVolume/,
      within: 25,
    },
    {
      title: "more GPUs than are free",
      words: ["vllm", "--name", "full", "--gpus", "8", "--replicas", "VllmDecodeWorker=3"],
      says: /8 GPUs for a pod are not free in node pool g5-gpu-karpenter \(3 nodes, 16 GPUs\)/,
      hint: /--replicas/,
      within: 35,
    },
    {
      title: "a process that ends right after its start",
      words: [crash],
      says: /container main ends right after its start with exit code \d+, 3 times: .*no-such-flag/,
      hint: /--previous/,
      within: 45,
    },
    {
      title: "a webhook that refuses",
      words: ["vllm", "--name", "refused"],
      says:
        /DynamoGraphDeployment .*refused was refused by vgraph\.drill\.example: .*odd on Sundays/,
      hint: /--dry-run/,
      within: 10,
    },
  ];
  const running = drills.map((drill) => ({ drill, run: cluster.deploy(...drill.words) }));
  // Their objects are made; the operator is not needed any more, and the next finds none.
  await Promise.all(
    drills.slice(0, -1).map(({ words }, index) =>
      running[index]!.run.said(
        words[0] === crash ? /Frontend: .*loading/ : /ready, 1|loading|pulling/,
      )
    ),
  );
  await kube.patch(OPERATOR, "merge", { spec: { replicas: 0 } });
  await until(async () => (await kube.get(OPERATOR))?.["status"]?.readyReplicas === undefined);
  const alone = cluster.deploy("vllm", "--name", "alone", "--atomic");
  for (const { drill, run } of running) {
    const deployed = await run.done;
    await t.step(drill.title, async () => {
      assert.equal(deployed.code, 1, deployed.talk);
      if (drill.words.includes("json")) await assertTextFits("deploy", deployed.data);
      assert.match(deployed.talk, drill.says);
      assert.match(deployed.talk, drill.hint);
      const seconds = (deployed.ended - deployed.begun) / 1000;
      assert.ok(seconds <= drill.within, `took ${seconds} s`);
    });
  }
  await t.step("an operator that is stopped", async () => {
    await alone.said(/Roll back/);
    await kube.patch(OPERATOR, "merge", { spec: { replicas: 1 } });
    const deployed = await alone.done;
    assert.equal(deployed.code, 1, deployed.talk);
    assert.match(deployed.talk, /no operator looks after the graph: .*controller-manager has no/);
    assert.match(deployed.talk, /deno task install repairs it/);
    assert.equal(await kube.get({ ...GRAPH, name: "alone" }), undefined, "--atomic");
    await until(async () => (await kube.get(OPERATOR))?.["status"]?.readyReplicas === 1);
  });
  await Promise.all([
    ...["pool", "image", "denied", "claim", "full", "crash"].map((name) =>
      kube.delete({ ...GRAPH, name })
    ),
    kube.delete({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      name: "drill-cache",
      namespace: NAMESPACE,
    }),
    Deno.remove(crash),
  ]);
}

async function manifest(
  { home, deploy }: DrillCluster,
  name: string,
  change: (graph: KubeObject) => void,
): Promise<string> {
  const dry = await deploy("vllm", "--name", name, "--dry-run", "--output", "yaml").done;
  const graph = parse(dry.data) as KubeObject;
  change(graph);
  const path = `${home}/${name}.yaml`;
  await Deno.writeTextFile(path, stringify(graph));
  return path;
}

function claim(name: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: NAMESPACE },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  };
}
