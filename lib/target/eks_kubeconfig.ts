/**
 * The kubeconfig of an EKS cluster, for kubectl and helm.
 *
 * Its user is a program that prints tokens: this project's own `tasks/token.ts`, run by the
 * Deno that runs now. It needs no AWS CLI, takes credentials as all tasks do, and is the same
 * for everybody; who prefers the AWS CLI runs `aws eks update-kubeconfig` (the output
 * `configure_kubectl`). The tasks themselves make their tokens in-process and run no program.
 *
 * @module
 */
import { stringify } from "@std/yaml";
import type { Context } from "../cli/context.ts";
import { writeFileAtomic } from "../cli/files.ts";
import type { EksCluster } from "./eks_cluster.ts";
import type { EksTokenOptions } from "./eks_token.ts";

/** Program and arguments that print an ExecCredential; both are absolute paths. */
export function tokenCommand(
  ctx: Pick<Context, "processes" | "root">,
  { cluster, region, profile }: EksTokenOptions,
): string[] {
  return [
    ctx.processes.denoPath,
    "run",
    "--quiet",
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    "--allow-env",
    "--allow-sys",
    `${ctx.root}/tasks/token.ts`,
    "--name",
    cluster,
    "--region",
    region,
    ...(profile === undefined ? [] : ["--profile", profile]),
  ];
}

/** Text of the kubeconfig. It holds no secret. */
export function eksKubeconfig(
  cluster: Pick<EksCluster, "name" | "region" | "endpoint" | "authority">,
  command: readonly string[],
): string {
  const { name, region, endpoint, authority } = cluster;
  const context = `${name}.${region}`;
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{
      name: context,
      cluster: { server: endpoint, "certificate-authority-data": authority },
    }],
    users: [{
      name: context,
      user: {
        exec: {
          apiVersion: "client.authentication.k8s.io/v1beta1",
          command: command[0],
          args: command.slice(1),
          interactiveMode: "Never",
        },
      },
    }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
    "current-context": context,
  });
}

/** Writes it (0600). */
export async function writeEksKubeconfig(
  ctx: Context,
  path: string,
  cluster: EksCluster,
): Promise<void> {
  const { name, region, profile } = cluster;
  const command = tokenCommand(ctx, { cluster: name, region, profile });
  await writeFileAtomic(ctx, path, eksKubeconfig(cluster, command));
}
