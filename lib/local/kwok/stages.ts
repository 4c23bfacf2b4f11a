/**
 * What kwok does with nodes: it says that they are well, and again and again. Stages are Go
 * templates; kwok reads them from its configuration file.
 *
 * @module
 */
import { stringify } from "@std/yaml";

// The kubelet's address is that of this kwok, whichever port it has now.
const ADDRESS = `
addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
- {type: Hostname, address: {{ .metadata.name | Quote }}}
daemonEndpoints:
  kubeletEndpoint: {Port: {{ NodePort }}}
phase: Running
`;

// A node that is new, or that was given up while the cluster was stopped.
const READY = `
{{ $now := Now | Quote }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now }}
  lastTransitionTime: {{ $now }}
{{ end }}
${ADDRESS}`;

// The times of the last change stay.
const HEARTBEAT = `
{{ $now := Now | Quote }}
conditions:
{{ range .status.conditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now }}
  lastTransitionTime: {{ .lastTransitionTime | Quote }}
{{ end }}
${ADDRESS}`;

const READY_STATUS = '.status.conditions.[] | select( .type == "Ready" ) | .status';

/** Text of kwok's configuration file: its stages for nodes, and none for pods. */
export function kwokConfig(): string {
  return [
    stage("node-ready", "NotIn", 0, READY),
    stage("node-heartbeat", "In", 240_000, HEARTBEAT),
  ].map((document) => stringify(document)).join("---\n");
}

function stage(
  name: string,
  operator: "In" | "NotIn",
  delayMs: number,
  statusTemplate: string,
): Record<string, unknown> {
  return {
    apiVersion: "kwok.x-k8s.io/v1alpha1",
    kind: "Stage",
    metadata: { name },
    spec: {
      resourceRef: { apiGroup: "v1", kind: "Node" },
      selector: { matchExpressions: [{ key: READY_STATUS, operator, values: ["True"] }] },
      ...(delayMs === 0 ? {} : {
        // Spread, so that the nodes do not all report at the same moment.
        delay: { durationMilliseconds: delayMs, jitterDurationMilliseconds: delayMs * 1.25 },
      }),
      next: { statusTemplate },
    },
  };
}
