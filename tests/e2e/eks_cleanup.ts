/**
 * `deno task cleanup --all` on the cluster of an `install --target eks`: refused where it does not
 * fit, broken at one step after the other and finished by the same command, in the right order,
 * with everything of others untouched; and once more for a cluster that is lost.
 *
 * @module
 */
import assert from "node:assert/strict";
import { findHoldings } from "../../lib/cleanup/holdings.ts";
import {
  dumpAccount,
  makeClusterWorld,
  makeNetwork,
  makeSurroundings,
} from "../integration/aws_sweep_world.ts";
import { xml } from "../support/aws_front.ts";
import { describeCluster } from "../support/eks_endpoint.ts";
import type { TaskResult } from "../support/task.ts";
import { type Break, breakAt, DENIED, INSIDE, TERRAFORM } from "./eks_cleanup_breaks.ts";
import {
  alignEndpoint,
  deletionsIn,
  plantInside,
  playControllers,
  requireOrder,
  snapshot,
  thinState,
} from "./eks_cleanup_world.ts";
import { type EksTest, NAME } from "./eks_support.ts";

const FULL = Deno.env.get("DYNAMO_FUZZ") === "full";
const NAMESPACE = "dynamo-cloud";
const DESCRIBE = `eks:GET /clusters/${NAME}`;
const WORDS = ["cleanup", "--all", "--yes", "--cluster", NAME];

/** Runs all of it; the test's platform is installed and everything is as it should be. */
export async function cleanUpEverything(t: Deno.TestContext, test: EksTest): Promise<void> {
  const { ctx, moto, kube, folder, answers, endpoint } = test;
  const aws = await moto.aws(ctx);
  const log = `${ctx.home}/stub.jsonl`;
  const cleanup = (words: readonly string[] = WORDS, env: Readonly<Record<string, string>> = {}) =>
    test.task(words, { env: { TFSTUB_LOG: log, ...env } });
  const broken = (one: Break) => breakAt(test, one, (env) => cleanup(WORDS, env));

  await makeClusterWorld(aws, `${NAME}-2`);
  await makeNetwork(aws, "somebody", {});
  const others = await dumpAccount(aws);
  await makeSurroundings(aws, NAME);
  await plantInside(ctx, kube, NAMESPACE);
  await alignEndpoint(folder, endpoint.url);
  // Like the real one it is there until terraform has destroyed it.
  const alive = describeCluster(() => isInState(folder) ? { name: NAME, endpoint } : undefined);
  answers[DESCRIBE] = alive;
  answers[`${DESCRIBE}/node-groups`] = () =>
    isInState(folder) ? Response.json({ nodegroups: [] }) : undefined;
  const installed = await snapshot([folder, `${ctx.home}/target.json`], `${ctx.home}-copies`);
  const stop = new AbortController();
  const controllers = playControllers(kube, aws, NAME, stop.signal);
  try {
    await t.step("what does not fit is refused before anything is touched", async () => {
      const before = [
        await dumpAccount(aws),
        await Deno.readTextFile(`${folder}/terraform.tfstate`),
      ];
      const changes = endpoint.changes.length;
      await refuseWhatDoesNotFit(test, cleanup);
      assert.deepEqual(
        [await dumpAccount(aws), await Deno.readTextFile(`${folder}/terraform.tfstate`)],
        before,
      );
      assert.equal(endpoint.changes.length, changes);
      assert.deepEqual(await deletionsIn(log), []);
    });

    // Helm then gets one that was made for it.
    await Deno.remove(`${folder}/kubeconfig`);
    const changesBefore = endpoint.changes.length;
    const callsBefore = test.front.calls.length;
    for (const one of INSIDE.filter(({ short }) => FULL || short === true)) {
      await t.step(`it fails at ${one.at}, and terraform has done nothing yet`, async () => {
        await broken(one);
        assert.deepEqual(await deletionsIn(log), []);
      });
    }
    for (const one of TERRAFORM.filter(({ short }) => FULL || short === true)) {
      await t.step(`terraform fails at ${one.at}`, () => broken(one));
    }
    await t.step(
      "the sweep fails, and in the long form something new is found at the end",
      async () => {
        await broken({
          at: "sweep",
          call: ["ec2:DeleteVpc", DENIED],
          code: 1,
          says: /1 resources of dynamo-on-eks could not be deleted.*ec2:DeleteVpc/s,
        });
        if (!FULL) return;
        await broken({
          at: "proof",
          call: ["ec2:DeleteVpc", async () => {
            await (await aws.ec2()).createVolume({
              AvailabilityZone: "us-west-2a",
              Size: 1,
              TagSpecifications: [{
                ResourceType: "volume",
                Tags: [{ Key: `kubernetes.io/cluster/${NAME}`, Value: "owned" }],
              }],
            });
            return undefined;
          }],
          code: 1,
          says: /1 resources of dynamo-on-eks still bill.*volume vol-/s,
        });
      },
    );
    await t.step(
      "the same command finishes: all of it is gone, in order, and nothing else",
      async () => {
        const last = await cleanup();
        assert.equal(last.code, 0, last.stderr);
        assert.match(
          last.stderr,
          /nothing of it is left.*Nothing of dynamo-on-eks bills any more/s,
        );
        assert.deepEqual(await dumpAccount(aws), others);
        await requireGone(test);
        const changes = endpoint.changes.slice(changesBefore);
        await requireRightOrder(log, {
          inside: Math.max(...changes.map(({ at }) => at)),
          vpc: test.front.times[test.front.calls.indexOf("ec2:DeleteVpc", callsBefore)]!,
          orphans: test.front
            .times[test.front.calls.indexOf("ec2:TerminateInstances", callsBefore)]!,
        });
        const again = await cleanup();
        assert.equal(again.code, 0, again.stderr);
        assert.deepEqual(await dumpAccount(aws), others);
      },
    );

    await t.step(
      "a lost cluster: what needs the API server is left out, and it finishes",
      async () => {
        answers[DESCRIBE] = describeCluster(() => undefined);
        delete answers[`${DESCRIBE}/node-groups`];
        await loseAndCleanUp(test, { cleanup, restore: installed.restore, log });
        assert.deepEqual(await dumpAccount(aws), others);
      },
    );

    if (FULL) {
      answers[DESCRIBE] = alive;
      for (const one of TERRAFORM) {
        await t.step(`from the beginning, terraform fails at ${one.at}`, async () => {
          await installed.restore();
          await broken(one);
          const last = await cleanup();
          assert.equal(last.code, 0, last.stderr);
          await requireFolderGone(folder);
        });
      }
    }
  } finally {
    stop.abort();
    await controllers;
    answers[DESCRIBE] = alive;
  }
}

type Cleanup = (
  words?: readonly string[],
  env?: Readonly<Record<string, string>>,
) => Promise<TaskResult>;

async function refuseWhatDoesNotFit(test: EksTest, cleanup: Cleanup): Promise<void> {
  const { answers, folder } = test;
  const refused = async (says: RegExp, words = WORDS) => {
    const result = await cleanup(words);
    assert.equal(result.code, 3, result.stderr);
    assert.match(result.stderr, says);
  };
  answers["sts:GetCallerIdentity"] = xml(
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>999999999999</Account>" +
      "<UserId>A:b</UserId><Arn>arn:aws:iam::999999999999:user/b</Arn>" +
      "</GetCallerIdentityResult></GetCallerIdentityResponse>",
  );
  await refused(/account 123456789012 .*account 999999999999.*Nothing was touched/s);
  delete answers["sts:GetCallerIdentity"];
  await refused(/installed in us-west-2/, [...WORDS, "--region", "eu-west-1"]);
  const described = answers[DESCRIBE]!;
  answers[DESCRIBE] = describeCluster(() => ({ name: NAME, endpoint: "https://other.example" }));
  await refused(/is another cluster than the one in terraform's state.*Nothing was touched/s);
  answers[DESCRIBE] = described;
  const file = `${folder}/kubeconfig`;
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, text.replace(/127\.0\.0\.1:\d+/, "127.0.0.1:9"));
  await refused(/kubeconfig leads to https:\/\/127\.0\.0\.1:9; Dynamo was installed at/);
  await Deno.writeTextFile(file, text);
}

/** Whether the cluster is in terraform's state. */
function isInState(folder: string): boolean {
  try {
    return Deno.readTextFileSync(`${folder}/terraform.tfstate`).includes('"aws_eks_cluster"');
  } catch {
    return false;
  }
}

async function requireGone({ kube, folder, ctx }: EksTest): Promise<void> {
  await requireFolderGone(folder);
  await assert.rejects(Deno.stat(`${ctx.home}/target.json`), Deno.errors.NotFound);
  const namespace = { apiVersion: "v1", kind: "Namespace", name: NAMESPACE };
  assert.equal(await kube.get(namespace), undefined);
  const left = await findHoldings(kube, {
    namespace: NAMESPACE,
    release: { graphApiVersion: "nvidia.com/v1alpha1" },
  });
  assert.deepEqual([left.balancers, left.claims, left.nodes, left.graphNamespaces], [
    [],
    [],
    [],
    [],
  ]);
  // It would go with the cluster, were that a real one.
  const monitoring = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    namespace: "kube-prometheus-stack",
  };
  assert.ok(await kube.get({ ...monitoring, name: "prometheus" }));
}

async function requireFolderGone(folder: string): Promise<void> {
  await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
}

/** Inside the cluster, what its controllers left, terraform from the top to the network, the sweep. */
async function requireRightOrder(
  log: string,
  at: { readonly inside: number; readonly orphans: number; readonly vpc: number },
): Promise<void> {
  const deletions = await deletionsIn(log);
  const first = Math.min(...deletions.map(({ start }) => start));
  const last = Math.max(...deletions.map(({ end }) => end));
  assert.ok(at.inside < first, "what is inside the cluster goes before terraform begins");
  assert.ok(at.orphans < first, "what its controllers left goes before terraform begins");
  assert.ok(last < at.vpc, "the sweep comes after terraform");
  const karpenter = /^helm_release karpenter$/;
  requireOrder(deletions, /NodePool\//, /EC2NodeClass\//);
  requireOrder(deletions, /NodePool\/|EC2NodeClass\//, karpenter);
  requireOrder(deletions, karpenter, /^helm_release karpenter-crd$/);
  requireOrder(deletions, /^(helm_release|kubectl_manifest) /, /^aws_eks_cluster /);
  requireOrder(deletions, /^aws_eks_cluster /, /^aws_(subnet|route_table_association) /);
}

async function loseAndCleanUp(
  { endpoint, folder, ctx }: EksTest,
  { cleanup, restore, log }: {
    readonly cleanup: Cleanup;
    readonly restore: () => Promise<void>;
    readonly log: string;
  },
): Promise<void> {
  await restore();
  if (!FULL) await thinState(folder);
  await Deno.remove(log);
  const asked = endpoint.accepted + endpoint.refused.length;
  const lost = await cleanup();
  assert.equal(lost.code, 0, lost.stderr);
  assert.match(
    lost.stderr,
    /cannot be asked \(there is no such cluster any more\).*Destroy the cluster.*Nothing of dynamo-on-eks bills/s,
  );
  assert.equal(endpoint.accepted + endpoint.refused.length, asked, "nobody asks it");
  const deletions = await deletionsIn(log);
  const inside = deletions.filter(({ what }) => /^(helm_release|kubectl_manifest) /.test(what));
  assert.deepEqual(inside, [], "it goes with the cluster, unasked");
  requireOrder(deletions, /^aws_eks_cluster /, /^aws_(subnet|route_table_association) /);
  await requireFolderGone(folder);
  await assert.rejects(Deno.stat(`${ctx.home}/target.json`), Deno.errors.NotFound);
}
