/**
 * What `cleanup --all` plans for a cluster whose API server answers with faults: for a while it is
 * asked again, then everything inside is left out.
 */
import assert from "node:assert/strict";
import { openPlace } from "../../lib/cleanup/place.ts";
import { planInside } from "../../lib/cleanup/inside.ts";
import { testContext } from "../../lib/cli/testing.ts";
import { kubeconfigText, startApiServer, statusResponse } from "../../lib/kube/testing.ts";
import { findEksCluster } from "../../lib/target/eks_cluster.ts";
import { rememberTarget } from "../../lib/target/target.ts";
import { startAwsFront, xml } from "../support/aws_front.ts";
import { describeCluster } from "../support/eks_endpoint.ts";
import { awsEnvironment } from "../support/moto.ts";

// The SDK keeps connections; they end with the process.
const relaxed = { sanitizeResources: false, sanitizeOps: false };

const ACCOUNT = "123456789012";
const NAME = "dynamo";
const WHERE = { name: NAME, region: "us-west-2", account: ACCOUNT };
const PATIENCE_MS = 2_500;

const IDENTITY = `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>${ACCOUNT}</Account>
<UserId>A</UserId><Arn>arn:aws:iam::${ACCOUNT}:user/a</Arn></GetCallerIdentityResult>
</GetCallerIdentityResponse>`;

Deno.test(
  "a plan waits for an API server with faults, and goes without one that stays so",
  relaxed,
  async () => {
    let faults = 1;
    await using api = await startApiServer((_request, { pathname }) => {
      if (faults-- > 0) return statusResponse(500, "InternalError", "etcdserver: no leader");
      return pathname === "/version" ? Response.json({ gitVersion: "v1.33.0" }) : undefined;
    });
    await using front = startAwsFront({
      answers: {
        "sts:GetCallerIdentity": xml(IDENTITY),
        [`eks:GET /clusters/${NAME}`]: describeCluster(() => ({ name: NAME, endpoint: api.url })),
      },
    });
    await using made = await testContext({ env: awsEnvironment(front.url) });
    const { ctx } = made;
    await ctx.fs.mkdir(ctx.home, { recursive: true });
    const kubeconfig = `${ctx.home}/kubeconfig`;
    await ctx.fs.writeTextFile(kubeconfig, kubeconfigText(api.url, "{token: none}"));
    await rememberTarget(ctx, {
      kind: "eks",
      kubeconfig,
      namespace: "dynamo-cloud",
      release: "1.6.1",
      cluster: { ...WHERE, endpoint: api.url },
    });
    const { region, account } = WHERE;
    const place = { cluster: NAME, region, account, profile: undefined, from: "a test" };
    const open = await openPlace(ctx, place);
    const cluster = await findEksCluster(open.aws, NAME);
    const plan = () => planInside(ctx, open, { cluster, patience: { answer: PATIENCE_MS } });

    const once = await plan();
    assert.ok(typeof once !== "string", String(once));
    assert.equal(once.reach.lost, undefined);
    assert.ok(once.steps.some(({ id }) => id === "load-balancers"));
    await once[Symbol.asyncDispose]();
    assert.match(made.heard.talk.join("\n"), /etcdserver: no leader; tries for 3 s more/);

    faults = Infinity;
    const start = performance.now();
    const never = await plan();
    assert.ok(typeof never === "string" && /etcdserver: no leader/.test(never), String(never));
    assert.ok(performance.now() - start >= PATIENCE_MS);
  },
);
