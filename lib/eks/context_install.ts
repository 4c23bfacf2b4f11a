/**
 * `deno task install --context NAME`: Dynamo's platform on any cluster of the kubeconfig.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { openTarget, type Target } from "../target/target.ts";
import { installPlatform, type InstallRequest, readToken } from "./platform.ts";

/** What is asked for. */
export interface ContextInstallRequest extends InstallRequest {
  /** Name of the context; the current one when absent. */
  readonly context?: string | undefined;
}

/** Installs; undefined after a dry run. The target is bound to the server that the context means now. */
export async function installOnContext(
  ctx: Context,
  request: ContextInstallRequest,
): Promise<Target | undefined> {
  const wanted: Target = {
    kind: "context",
    ...(request.context === undefined ? {} : { context: request.context }),
    namespace: request.blueprint.namespace.value,
    release: request.release.version,
  };
  const kube = await openTarget(ctx, wanted);
  try {
    const target: Target = { ...wanted, context: kube.contextName, server: kube.server };
    await installPlatform(ctx, {
      ...request,
      kube,
      target,
      agreed: false,
      token: await readToken(ctx, request, { clusterIsThere: true }),
      after: [],
    });
    return request.dryRun ? undefined : target;
  } finally {
    kube.close();
  }
}
