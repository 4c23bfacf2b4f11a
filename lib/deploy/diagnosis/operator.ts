/**
 * The operator and the controllers between a graph and its pods: nobody looks after the graph, a
 * component is refused, pods may not be made.
 *
 * @module
 */
import type { KubeObject } from "../../kube/types.ts";
import { conditionOf, eventsAbout, oneLine } from "./objects.ts";
import type { ClusterFacts, ComponentObjects, Diagnosis } from "./types.ts";

// An operator that is being replaced is back within this time.
const DOWN_GRACE_MS = 20_000;
// Conflicts at the start last some 100 ms; early operators never try again, later ones back off.
const REFUSED_GRACE_MS = 15_000;

/** Why nothing happens to the graph. */
export function diagnoseOperator(facts: ClusterFacts): Diagnosis[] {
  const { graph, operators } = facts;
  const { name, generation } = graph.metadata;
  const status = graph["status"] ?? {};
  const condition = conditionOf(graph, "Ready");
  const found: Diagnosis[] = [];
  const observed = condition?.["observedGeneration"] ?? status.observedGeneration;
  const seen = status.state !== undefined && status.state !== "" &&
    (observed === undefined || observed === generation);
  if (operators !== undefined && !operators.some((one) => one.ready > 0)) {
    const names = operators.map((one) => one.name).join(", ");
    found.push({
      code: "OPERATOR_DOWN",
      component: name,
      cause: operators.length === 0
        ? "no operator looks after the graph: none is installed"
        : `no operator looks after the graph: ${names} has no ready pod`,
      hint:
        "deno task status shows the operator; deno task install repairs it. The graph is kept, " +
        "and comes up once the operator is back.",
      final: !seen,
      graceMs: DOWN_GRACE_MS,
    });
  }
  if (seen && status.state === "failed") {
    found.push({
      code: "GRAPH_REFUSED",
      component: name,
      cause: `the operator refuses the graph: ${oneLine(condition?.["message"] ?? "")}`,
      hint: "Change what it names and deploy again.",
      final: true,
      graceMs: REFUSED_GRACE_MS,
    });
  }
  return found;
}

/** Why a component has no pods. */
export function diagnoseWorkload(facts: ClusterFacts, component: ComponentObjects): Diagnosis[] {
  const found: Diagnosis[] = [];
  for (const owner of component.componentDeployments) {
    const condition = (owner["status"]?.conditions ?? []).find((one: KubeObject) =>
      one["status"] === "False" && /^Failed to reconcile/.test(one["message"] ?? "")
    );
    // "Please apply your changes to the latest version" is over in a moment.
    if (condition === undefined || /object has been modified/.test(condition.message)) continue;
    found.push({
      code: "COMPONENT_REFUSED",
      component: component.name,
      cause: `the operator cannot make its objects: ${
        oneLine(condition.message.replace(/^Failed to reconcile \w+: /, ""))
      }`,
      hint: "Make what is missing or change the component, then deploy again.",
      final: true,
      graceMs: REFUSED_GRACE_MS,
    });
  }
  const refused = refusedPods(facts, component);
  if (refused !== undefined && component.pods.length === 0) {
    found.push({
      code: "PODS_REFUSED",
      component: component.name,
      cause: `its pods may not be made: ${oneLine(refused)}`,
      hint: /quota/.test(refused)
        ? "kubectl describe resourcequota shows what is left in the namespace."
        : "An admission webhook or policy of the cluster refuses them.",
      final: true,
      graceMs: REFUSED_GRACE_MS,
    });
  }
  return found;
}

// Of the Deployment, which repeats what its ReplicaSet was told; the events name the ReplicaSet.
function refusedPods(facts: ClusterFacts, component: ComponentObjects): string | undefined {
  for (const deployment of component.deployments) {
    const failure = conditionOf(deployment, "ReplicaFailure");
    if (failure?.["status"] === "True") return failure["message"];
    const event = eventsAbout(facts.events, deployment).findLast((one) =>
      one["reason"] === "ReplicaSetCreateError"
    );
    if (event !== undefined) return event["message"];
  }
  return undefined;
}
