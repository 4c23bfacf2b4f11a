/**
 * The steps of a cleanup on EKS, each with a way to make it fail and what the task then says.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type AwsAnswer, fault } from "../support/aws_front.ts";
import { forbidden } from "../support/eks_endpoint.ts";
import type { TaskResult } from "../support/task.ts";
import type { EksTest } from "./eks_support.ts";

/** A step that is made to fail. */
export interface Break {
  /** A word for it. */
  readonly at: string;
  /** Whether the short form has it. */
  readonly short?: boolean;
  /** Path of the API server that may not be deleted. */
  readonly path?: RegExp;
  /** Call of AWS, and what it answers. */
  readonly call?: readonly [string, AwsAnswer];
  /** Variables: TFSTUB_FAIL. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit code. */
  readonly code: number;
  /** What the task says. */
  readonly says: RegExp;
}

/** AWS refuses the call. */
export const DENIED: AwsAnswer = fault("UnauthorizedOperation", 403);

/** In the order of the steps, so that each run comes to the next one. */
export const INSIDE: readonly Break[] = [
  {
    at: "graph",
    path: /\/dynamographdeployments\/hello-world$/,
    code: 3,
    says: /Cannot delete DynamoGraphDeployment .*hello-world.*a test forbids DELETE/,
  },
  {
    at: "release",
    short: true,
    path: /\/namespaces\/dynamo-cloud\/deployments\//,
    code: 1,
    says: /helm uninstall dynamo-platform failed.*Run the task again/s,
  },
  {
    at: "secrets",
    path: /\/secrets\/hf-token-secret$/,
    code: 3,
    says: /Cannot delete Secret .*hf-token-secret.*a test forbids/,
  },
  {
    at: "namespace",
    path: /\/namespaces\/dynamo-cloud$/,
    code: 3,
    says: /Cannot delete Namespace dynamo-cloud.*a test forbids/,
  },
  {
    at: "load-balancers",
    short: true,
    path: /\/services\/web$/,
    code: 3,
    says: /Cannot delete Service default\/web.*a test forbids/,
  },
  {
    at: "disks",
    path: /\/persistentvolumeclaims\/models$/,
    code: 3,
    says: /Cannot delete PersistentVolumeClaim default\/models.*a test forbids/,
  },
  {
    at: "nodes",
    path: /\/nodepools\/g6$/,
    code: 3,
    says: /Cannot delete NodePool g6.*a test forbids/,
  },
  {
    at: "orphans",
    call: ["ec2:DeleteSecurityGroup", DENIED],
    code: 1,
    says: /1 resources of dynamo-on-eks could not be deleted.*ec2:DeleteSecurityGroup/s,
  },
];

/** A resource of each class, those first that go first. */
export const TERRAFORM: readonly Break[] = [
  ["helm_release:/aws-load-balancer-controller/", /helm_release\.aws_load_balancer_controller/],
  ["kubectl_manifest:/NodePool/", /kubectl_manifest\.node_pool/],
  ["kubectl_manifest:/EC2NodeClass/", /kubectl_manifest\.node_class/],
  ['helm_release:/"karpenter"/', /helm_release\.karpenter/],
  ["aws_eks_cluster", /module\.eks\.aws_eks_cluster\.this/],
  ["aws_route_table_association", /aws_route_table_association\.pods/],
  ["aws_subnet", /aws_subnet\.pods/],
].map(([what, says]) => ({
  at: String(what),
  short: what === "aws_eks_cluster",
  env: { TFSTUB_FAIL: `delete:${what}` },
  code: 1,
  // One error is told with its address, of several all addresses that failed.
  says: new RegExp(
    `^(?=.*Injected failure)(?=.*(✗|Failed:) [^\\n]*${
      (says as RegExp).source
    }).*goes on where this one stopped`,
    "s",
  ),
}));

/** Runs the cleanup with that step failing, and looks at how it ends. */
export async function breakAt(
  { endpoint, answers }: EksTest,
  { at, path, call, env, code, says }: Break,
  run: (env: Readonly<Record<string, string>>) => Promise<TaskResult>,
): Promise<void> {
  if (path !== undefined) {
    endpoint.instead = (change) =>
      change.method === "DELETE" && path.test(change.path) ? forbidden(change) : undefined;
  }
  if (call !== undefined) answers[call[0]] = call[1];
  const result = await run(env ?? {});
  endpoint.instead = undefined;
  if (call !== undefined) delete answers[call[0]];
  assert.equal(result.code, code, `${at}: ${result.stderr}`);
  assert.match(result.stderr, says, `${at}: ${result.stderr}`);
}
