import assert from "node:assert/strict";
import type { Container, Probe } from "./pod_types.ts";
import { type Check, probeCheck, probePlans } from "./probe_plan.ts";

const container: Container = {
  name: "main",
  ports: [{ name: "http", containerPort: 8000 }, { name: "system", containerPort: 9090 }],
};
const sh = (script: string): Probe => ({ exec: { command: ["/bin/sh", "-c", script] } });
const http = (port: number, path: string): Check => ({ kind: "http", port, path, headers: {} });

const table: [string, Probe, Check][] = [
  ["named port", { httpGet: { path: "/live", port: "system" } }, http(9090, "/live")],
  ["number as text, no path", { httpGet: { port: "8081" } }, http(8081, "/")],
  ["unknown name", { httpGet: { port: "none" } }, {
    kind: "never",
    why: "the container has no port none",
  }],
  ["https", { httpGet: { port: 9443, scheme: "HTTPS" } }, { kind: "tcp", port: 9443 }],
  ["tcp", { tcpSocket: { port: "http" } }, { kind: "tcp", port: 8000 }],
  ["grpc", { grpc: { port: 5000 } }, { kind: "tcp", port: 5000 }],
  [
    "the operator's readiness check",
    sh('curl -s http://localhost:${DYNAMO_PORT}/health | jq -e ".status == \\"healthy\\""'),
    { ...http(8000, "/health"), expect: { field: "status", value: "healthy" } } as Check,
  ],
  ["plain curl", sh("curl -f http://127.0.0.1:9090/health"), http(9090, "/health")],
  ["curl of an unknown port", sh("curl http://localhost:$NONE/health"), {
    kind: "never",
    why: 'the port in "curl http://localhost:$NONE/health" is not known',
  }],
  ["exit 0", sh("exit 0"), { kind: "always" }],
  ["echo", sh("echo ok"), { kind: "always" }],
  ["grep", sh('grep "Serving endpoint" /tmp/hello_world.log'), {
    kind: "log",
    text: "Serving endpoint",
  }],
  ["another command", { exec: { command: ["/opt/bitnami/scripts/etcd/healthcheck.sh"] } }, {
    kind: "tcp",
    port: 8000,
  }],
];

for (const [name, probe, expected] of table) {
  Deno.test(`probeCheck: ${name}`, () => {
    assert.deepEqual(probeCheck(probe, container, { DYNAMO_PORT: "8000" }), expected);
  });
}

Deno.test("times have Kubernetes' defaults and are milliseconds", () => {
  const { readiness, liveness, startup } = probePlans({
    ...container,
    readinessProbe: sh("exit 0"),
    livenessProbe: { ...sh("exit 0"), periodSeconds: 5, timeoutSeconds: 30, failureThreshold: 1 },
  }, {});
  assert.equal(startup, undefined);
  assert.deepEqual(readiness, {
    check: { kind: "always" },
    delayMs: 0,
    periodMs: 10_000,
    timeoutMs: 1_000,
    failures: 3,
    successes: 1,
  });
  assert.deepEqual([liveness?.periodMs, liveness?.timeoutMs, liveness?.failures], [
    5_000,
    30_000,
    1,
  ]);
});
