/**
 * Translates a container's probes to checks that can be made from outside its process. Pure.
 *
 * @module
 */
import { shellScript } from "./command_line.ts";
import type { Container, Probe } from "./pod_types.ts";
import { containerPorts, portNumber } from "./ports.ts";
import { expandVariable } from "./shell_words.ts";

/** A check of a container; ports are the container's. */
export type Check =
  | {
    readonly kind: "http";
    readonly port: number;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    /** A field of the JSON answer and its value, whatever the status is. */
    readonly expect?: { readonly field: string; readonly value: string };
  }
  | { readonly kind: "tcp"; readonly port: number }
  /** A text in the container's log. */
  | { readonly kind: "log"; readonly text: string }
  | { readonly kind: "always" }
  | { readonly kind: "never"; readonly why: string };

/** A probe with its times in milliseconds. */
export interface ProbePlan {
  /** What is checked. */
  readonly check: Check;
  /** Wait before the first check. */
  readonly delayMs: number;
  /** Between two checks. */
  readonly periodMs: number;
  /** For one check. */
  readonly timeoutMs: number;
  /** Failures in a row that count. */
  readonly failures: number;
  /** Successes in a row that count. */
  readonly successes: number;
}

/** The probes of a container. */
export interface ProbePlans {
  /** Until it succeeds, the others wait. */
  readonly startup?: ProbePlan;
  /** Whether the container gets traffic. */
  readonly readiness?: ProbePlan;
  /** A container that fails it is restarted. */
  readonly liveness?: ProbePlan;
}

/** Translates all probes of a container. */
export function probePlans(
  container: Container,
  env: Readonly<Record<string, string>>,
): ProbePlans {
  const { startupProbe, readinessProbe, livenessProbe } = container;
  return {
    ...(startupProbe === undefined ? {} : { startup: probePlan(startupProbe, container, env) }),
    ...(readinessProbe === undefined
      ? {}
      : { readiness: probePlan(readinessProbe, container, env) }),
    ...(livenessProbe === undefined ? {} : { liveness: probePlan(livenessProbe, container, env) }),
  };
}

function probePlan(
  probe: Probe,
  container: Container,
  env: Readonly<Record<string, string>>,
): ProbePlan {
  const seconds = (value: number | undefined, fallback: number) => (value ?? fallback) * 1_000;
  return {
    check: probeCheck(probe, container, env),
    delayMs: seconds(probe.initialDelaySeconds, 0),
    periodMs: seconds(probe.periodSeconds, 10),
    timeoutMs: seconds(probe.timeoutSeconds, 1),
    failures: probe.failureThreshold ?? 3,
    successes: probe.successThreshold ?? 1,
  };
}

/** Translates what a probe does. */
export function probeCheck(
  probe: Probe,
  container: Container,
  env: Readonly<Record<string, string>>,
): Check {
  if (probe.httpGet !== undefined) {
    const { port, path = "/", scheme = "HTTP", httpHeaders = [] } = probe.httpGet;
    const number = portNumber(port, [container]);
    if (number === undefined) return noPort(port);
    // Certificates of processes here are nobody's to check; that something listens is enough.
    if (scheme.toUpperCase() === "HTTPS") return { kind: "tcp", port: number };
    return {
      kind: "http",
      port: number,
      path: path.startsWith("/") ? path : `/${path}`,
      headers: Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value])),
    };
  }
  const port = probe.tcpSocket?.port ?? probe.grpc?.port;
  if (port !== undefined) {
    const number = portNumber(port, [container]);
    return number === undefined ? noPort(port) : { kind: "tcp", port: number };
  }
  return execCheck(probe.exec?.command ?? [], container, env);
}

function noPort(port: number | string): Check {
  return { kind: "never", why: `the container has no port ${port}` };
}

/**
 * Commands are not run: there is no container to run them in. Those that ask a port or a log
 * are understood; others count as a look whether the first port is open.
 */
function execCheck(
  command: readonly string[],
  container: Container,
  env: Readonly<Record<string, string>>,
): Check {
  const text = (shellScript(command) ?? command.join(" ")).trim();
  if (/^(exit 0|true|:|echo( .*)?|\/bin\/true)$/.test(text)) return { kind: "always" };
  const asked = curlCheck(text, env);
  if (asked !== undefined) return asked;
  const [, double, single, plain] = /^grep(?:\s+-\w+)*\s+(?:"([^"]+)"|'([^']+)'|(\S+))/
    .exec(text) ?? [];
  const pattern = double ?? single ?? plain;
  if (pattern !== undefined) return { kind: "log", text: pattern };
  const [first] = containerPorts(container);
  return first === undefined ? { kind: "always" } : { kind: "tcp", port: first };
}

// `curl -s http://localhost:${DYNAMO_PORT}/health | jq -e ".status == \"healthy\""`
function curlCheck(text: string, env: Readonly<Record<string, string>>): Check | undefined {
  const [, host, path] =
    /\b(?:curl|wget)\b.*?https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::(\d+|\$\{?\w+[^/}"']*\}?))?(\/[^\s"'|]*)?/
      .exec(text) ?? [];
  if (!/\b(?:curl|wget)\b/.test(text) || (host === undefined && path === undefined)) {
    return undefined;
  }
  const port = host === undefined
    ? 80
    : Number(host.startsWith("$") ? expandVariable(host, env) : host);
  if (!Number.isInteger(port) || port <= 0) {
    return { kind: "never", why: `the port in "${text}" is not known` };
  }
  const [, field, value] = /\bjq\b.*?\.(\w+)\s*==\s*\\?"([^"\\]+)\\?"/.exec(text) ?? [];
  return {
    kind: "http",
    port,
    path: path ?? "/",
    headers: {},
    ...(field === undefined || value === undefined ? {} : { expect: { field, value } }),
  };
}
