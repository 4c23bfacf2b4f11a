/**
 * The platform's part of a cleanup on the embedded cluster; the cluster stays.
 *
 * @module
 */
import type { Step } from "../cli/plan.ts";
import type { Kube } from "../kube/types.ts";
import { deletePlatform } from "../local/operator/platform.ts";
import { namespaceStep, secretsStep } from "../platform/remove.ts";

/** What the steps work with. */
export interface LocalPlatformOptions {
  /** Client of the cluster; it has to stay open until the steps have run. */
  readonly kube: Kube;
  /** Namespace of the platform. */
  readonly namespace: string;
  /** Dynamo's definitions, too. */
  readonly definitions: boolean;
}

/** The steps in order; deno task install brings all of it back. */
export function localPlatformSteps(options: LocalPlatformOptions): Step[] {
  const { kube, namespace, definitions } = options;
  return [
    {
      id: "remove-platform",
      title: "Remove the operator and what it needs",
      touches: [
        `operator, etcd and NATS in ${namespace}, with their accounts and rights`,
        ...(definitions ? ["CustomResourceDefinitions of Dynamo"] : []),
      ],
      deadlineMs: 120_000,
      run: async (ctx) => {
        const gone = await deletePlatform(ctx, kube, {
          namespace,
          definitions,
          keepNamespace: true,
        });
        return gone.length === 0 ? "was already gone" : `${gone.length} objects`;
      },
    },
    secretsStep({ kube, namespace }, undefined),
    namespaceStep({ kube, namespace }),
  ];
}
