/**
 * `deno task token`: a token for an EKS cluster, in the form that kubectl's and terraform's
 * exec plugins give it. It stands in for `aws eks get-token`, so no AWS CLI is needed.
 *
 * @module
 */
import { openAws } from "../lib/aws/session.ts";
import { defineCommand } from "../lib/cli/command.ts";
import type { Context } from "../lib/cli/context.ts";
import { usageError } from "../lib/cli/errors.ts";
import { runTask } from "../lib/cli/main.ts";
import { eksToken, execCredential } from "../lib/target/eks_token.ts";

/** The task. */
export const command = defineCommand({
  name: "token",
  summary: "Print a token for an EKS cluster, for kubectl (exec credential plugin)",
  description: "The kubeconfig that install writes calls it. The token is valid for 15 minutes.",
  options: {
    name: { kind: "text", placeholder: "cluster", description: "Name of the EKS cluster" },
    region: { kind: "text", placeholder: "region", description: "AWS region" },
    profile: {
      kind: "text",
      placeholder: "name",
      description: "Profile of the AWS configuration; AWS_PROFILE unless given",
    },
    verbose: { kind: "flag", short: "v", description: "Say more, with stacks of errors" },
  },
  examples: [
    { command: "token --name dynamo-on-eks --region us-west-2", text: "An ExecCredential" },
  ],
  async run(ctx, { options }) {
    const { name, region, profile } = options;
    if (name === undefined || region === undefined) {
      throw usageError("USAGE", "token: --name and --region are needed", "See --help.");
    }
    const aws = await openAws(ctx, { region, profile });
    const token = await eksToken(aws, { cluster: name, now: ctx.clock.now() });
    ctx.ui.out(JSON.stringify(execCredential(token, wantedVersion(ctx))));
  },
});

/** The version that kubectl asks for; older ones and terraform's providers take v1beta1. */
function wantedVersion(ctx: Context): string {
  const asked = /client\.authentication\.k8s\.io\/v1(beta1)?"/.exec(
    ctx.env.get("KUBERNETES_EXEC_INFO") ?? "",
  );
  return `client.authentication.k8s.io/v1${asked?.[1] ?? (asked === null ? "beta1" : "")}`;
}

if (import.meta.main) await runTask(command);
