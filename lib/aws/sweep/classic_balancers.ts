/**
 * Classic load balancers: what EKS itself makes for Services of type LoadBalancer that no
 * controller acts on. They have an API of their own, in which names are all that there is.
 *
 * @module
 */
import type { AwsSession } from "../session.ts";
import { eachOf, listAll, orGone, tagsOf } from "./pages.ts";
import { type Removal, untilGone } from "./removal.ts";
import type { Resource } from "./types.ts";

/** Classic load balancers. AWS tells their tags for twenty at a time. */
export async function findClassicBalancers(aws: AwsSession): Promise<Resource[]> {
  const elb = await aws.classicElb();
  const balancers = await listAll(
    (Marker) => elb.describeLoadBalancers({ Marker }),
    (answer) => [answer.LoadBalancerDescriptions, answer.NextMarker],
  );
  const names = balancers.map((one) => one.LoadBalancerName ?? "");
  const tags = new Map<string, Record<string, string>>();
  const batches = Array.from(
    { length: Math.ceil(names.length / 20) },
    (_, index) => names.slice(index * 20, index * 20 + 20),
  );
  await eachOf(batches, async (LoadBalancerNames) => {
    const answer = await orGone(elb.describeTags({ LoadBalancerNames }));
    for (const one of answer?.TagDescriptions ?? []) {
      tags.set(one.LoadBalancerName ?? "", tagsOf(one.Tags));
    }
  });
  return balancers.map((one) => ({
    kind: "classic-load-balancer",
    id: one.LoadBalancerName ?? "",
    name: one.LoadBalancerName ?? "",
    tags: tags.get(one.LoadBalancerName ?? "") ?? {},
    created: one.CreatedTime?.getTime(),
    vpcId: one.VPCId,
    detail: one.Scheme ?? "",
    bill: { of: "unknown", note: "billed by the hour and by traffic" },
  }));
}

/** A classic load balancer, with its listeners. */
export async function removeClassicBalancer(job: Removal, resource: Resource): Promise<void> {
  const elb = await job.aws.classicElb();
  // That it is not there is no error to this call.
  await elb.deleteLoadBalancer({ LoadBalancerName: resource.id });
  await untilGone(job, resource, async () => {
    const found = await elb.describeLoadBalancers({ LoadBalancerNames: [resource.id] });
    return found.LoadBalancerDescriptions?.[0] === undefined ? undefined : "there";
  });
}
