/**
 * What an install must be allowed to do, and whether it is. Nothing is created or changed.
 *
 * @module
 */
import { awsErrorName } from "../aws/errors.ts";
import type { AwsIdentity, AwsSession } from "../aws/session.ts";
import type { Blueprint } from "../blueprint/types.ts";
import { messageOf, TaskError } from "../cli/errors.ts";
import { type Check, fail, type Finding, ok, type Patient, warn } from "./types.ts";

/** Actions of a service, and the switch of the blueprint that they belong to. */
interface Needed {
  readonly service: string;
  readonly actions: string;
  readonly when?: string;
}

// One of each sort: policies grant by service or by verb, hardly ever by single action.
const NEEDED: readonly Needed[] = [
  {
    service: "ec2",
    actions: "CreateVpc CreateSubnet CreateInternetGateway CreateNatGateway AllocateAddress " +
      "CreateRouteTable CreateRoute CreateSecurityGroup AuthorizeSecurityGroupIngress " +
      "CreateVpcEndpoint CreateLaunchTemplate RunInstances CreateTags DeleteVpc " +
      "TerminateInstances",
  },
  {
    service: "eks",
    actions: "CreateCluster DescribeCluster UpdateClusterConfig DeleteCluster CreateNodegroup " +
      "CreateAddon CreateAccessEntry AssociateAccessPolicy CreatePodIdentityAssociation " +
      "TagResource",
  },
  {
    service: "iam",
    actions: "CreateRole GetRole PassRole TagRole AttachRolePolicy PutRolePolicy DeleteRole " +
      "CreatePolicy CreateInstanceProfile CreateServiceLinkedRole",
  },
  { service: "kms", actions: "CreateKey CreateAlias PutKeyPolicy ScheduleKeyDeletion TagResource" },
  { service: "logs", actions: "CreateLogGroup PutRetentionPolicy DeleteLogGroup" },
  { service: "sqs", actions: "CreateQueue SetQueueAttributes DeleteQueue" },
  { service: "events", actions: "PutRule PutTargets DeleteRule" },
  { service: "ecr", actions: "CreateRepository PutLifecyclePolicy DeleteRepository" },
  {
    service: "elasticfilesystem",
    actions: "CreateFileSystem CreateMountTarget DeleteFileSystem",
    when: "enable_aws_efs_csi_driver",
  },
];

/** The actions that an install of this blueprint needs, as policies name them. */
export function installActions(blueprint: Blueprint): string[] {
  return NEEDED.filter(({ when }) =>
    when === undefined || blueprint.switches[when]?.value !== false
  )
    .flatMap(({ service, actions }) => actions.split(" ").map((action) => `${service}:${action}`));
}

/** Permissions of the identity, by IAM's simulator, else by dry runs. */
export const permissionsCheck: Check = {
  id: "aws-permissions",
  title: "AWS permissions",
  targets: ["eks"],
  quick: true,
  needs: "aws",
  deadlineMs: 40_000,
  async run(patient) {
    const who = await patient.identity();
    const aws = (await patient.aws()).within(patient.ctx);
    if (who.arn.endsWith(":root")) return ok("the root user may do everything");
    const actions = installActions(patient.blueprint);
    let denied: string[];
    try {
      denied = await simulate(aws, await principalArn(aws, who), actions);
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      if (error.code === "AWS_DENIED") return await byDryRun(aws, patient);
      // A federated user, or an endpoint without the simulator.
      return warn(
        `cannot be told beforehand: ${error.message}`,
        "An install stops at the first thing that is not allowed, and can be run again.",
      );
    }
    return judge(actions, denied);
  },
};

function judge(actions: readonly string[], denied: readonly string[]): Finding {
  if (denied.length === 0) return ok(`all ${actions.length} actions of an install are allowed`);
  const serviceOf = (action: string) => action.split(":")[0]!;
  const whole = [...new Set(denied.map(serviceOf))].filter((service) =>
    actions.every((action) => serviceOf(action) !== service || denied.includes(action))
  );
  const list = denied.length <= 8
    ? denied.join(", ")
    : `${denied.slice(0, 8).join(", ")} and ${denied.length - 8} more`;
  const why = `${denied.length} of ${actions.length} actions are not allowed: ${list}`;
  return whole.length > 0
    ? fail(why, `Have them allowed; of ${whole.join(", ")} nothing is. Or use another identity.`)
    // The simulator asks for all resources; a policy may name those of an install.
    : warn(why, "Have them allowed, unless your policies allow them for the install's resources.");
}

/** The actions that the simulator denies. */
async function simulate(
  aws: AwsSession,
  arn: string,
  actions: readonly string[],
): Promise<string[]> {
  const iam = await aws.iam();
  const denied: string[] = [];
  let marker: string | undefined;
  do {
    const answer = await iam.simulatePrincipalPolicy({
      PolicySourceArn: arn,
      ActionNames: [...actions],
      ...(marker === undefined ? {} : { Marker: marker }),
    });
    for (const one of answer.EvaluationResults ?? []) {
      if (one.EvalDecision !== "allowed") denied.push(one.EvalActionName ?? "?");
    }
    marker = answer.IsTruncated ? answer.Marker : undefined;
  } while (marker !== undefined);
  return denied;
}

/** The simulator wants the role behind a session, whose path only IAM knows. */
async function principalArn(aws: AwsSession, { arn }: AwsIdentity): Promise<string> {
  const session = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn);
  if (session === null) return arn;
  const [, partition, account, role] = session;
  try {
    const found = await (await aws.iam()).getRole({ RoleName: role });
    if (found.Role?.Arn !== undefined) return found.Role.Arn;
  } catch (error) {
    if (!(error instanceof TaskError) || !["AWS_DENIED", "AWS_NOT_FOUND"].includes(error.code)) {
      throw error;
    }
  }
  return `arn:${partition}:iam::${account}:role/${role}`;
}

/** EC2 tells by dry run, which makes nothing, whether it would do something. */
async function byDryRun(aws: AwsSession, patient: Patient): Promise<Finding> {
  const ec2 = await aws.ec2();
  const eks = await aws.eks();
  const [vpc, address, clusters] = await Promise.all([
    allowed(ec2.createVpc({ DryRun: true, CidrBlock: "10.0.0.0/16" })),
    allowed(ec2.allocateAddress({ DryRun: true, Domain: "vpc" })),
    allowed(eks.listClusters({ maxResults: 1 })),
  ]);
  const probes: Record<string, boolean> = {
    "ec2:CreateVpc": vpc,
    "ec2:AllocateAddress": address,
    "eks:ListClusters": clusters,
  };
  const names = (value: boolean) =>
    Object.keys(probes).filter((name) => probes[name] === value).join(", ");
  if (names(false) !== "") {
    return fail(`not allowed: ${names(false)}`, "Have it allowed, or use another identity.");
  }
  const total = installActions(patient.blueprint).length;
  return warn(
    `iam:SimulatePrincipalPolicy is not allowed, so only ${
      names(true)
    } were probed (all allowed) ` +
      `of the ${total} actions of an install`,
    "Have iam:SimulatePrincipalPolicy allowed to know before the install.",
  );
}

async function allowed(probe: Promise<unknown>): Promise<boolean> {
  try {
    await probe;
    return true;
  } catch (error) {
    if (awsErrorName(error) === "DryRunOperation") return true;
    if (error instanceof TaskError && error.code === "AWS_DENIED") return false;
    throw new TaskError({ code: "DOCTOR_PROBE", message: messageOf(error), cause: error });
  }
}
