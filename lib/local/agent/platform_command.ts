/**
 * Translates the platform's own containers: operator, etcd, NATS. Pure.
 *
 * @module
 */
import { flagValue } from "./flags.ts";
import type {
  ContainerRequest,
  LocalCommand,
  LocalPlaces,
  ProcessCommand,
} from "./local_command.ts";
import { replaceAddresses } from "./service_address.ts";

/** Port of the operator's health checks, as its chart names it. */
export const OPERATOR_HEALTH_PORT = 8081;

/** The operator: this project's stand-in, or a real binary. */
export function operatorCommand(request: ContainerRequest, places: LocalPlaces): ProcessCommand {
  const { config } = places;
  const common = {
    kind: "process",
    privateNetwork: false,
    waitFor: [],
    warnings: [],
  } as const;
  if (config.operator.kind === "binary") {
    const flags = operatorFlags(request.words).filter((word) => !isSecret(word, request));
    return {
      ...common,
      program: config.operator.path,
      args: flags.map((word) => healthPort(replaceAddresses(word, places.addresses), places)),
      env: { ...request.env, KUBECONFIG: config.operatorKubeconfig },
    };
  }
  const nats = flagValue(request.words, "--natsAddr", "--nats-addr");
  const etcd = flagValue(request.words, "--etcdAddr", "--etcd-addr");
  const { projectRoot } = config;
  return {
    ...common,
    program: config.denoPath,
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      `--config=${projectRoot}/deno.json`,
      "--allow-read",
      "--allow-env",
      "--allow-sys",
      "--allow-net=127.0.0.1,localhost",
      `${projectRoot}/lib/local/operator/main.ts`,
      "--kubeconfig",
      config.operatorKubeconfig,
      "--release",
      config.release,
      "--namespace",
      request.namespace,
      // The operator hands these names on to the pods, where they are translated.
      ...(nats === undefined ? [] : ["--nats", nats]),
      ...(etcd === undefined ? [] : ["--etcd", etcd]),
      "--health-port",
      String(places.port(OPERATOR_HEALTH_PORT)),
    ],
    env: {},
    simulated: "A stand-in of this project runs in place of Dynamo's operator",
  };
}

// `/manager --flag …`: everything behind the program.
function operatorFlags(words: readonly string[]): readonly string[] {
  const first = words.findIndex((word) => word.startsWith("-"));
  return first < 0 ? [] : words.slice(first);
}

function isSecret(word: string, request: ContainerRequest): boolean {
  return [...request.secret].some((name) => {
    const value = request.env[name];
    return value !== undefined && value !== "" && word.includes(value);
  });
}

function healthPort(word: string, places: LocalPlaces): string {
  return word.replace(
    /^(--(?:health-probe|metrics)-bind-address=)[^:]*:(\d+)$/,
    (_, flag: string, port: string) => `${flag}127.0.0.1:${places.port(Number(port))}`,
  );
}

/**
 * etcd for Dynamo. Its data begins empty with every start: 0.4.1 does not get over
 * registrations of processes that are gone.
 */
export function etcdCommand(places: LocalPlaces): ProcessCommand {
  const [program = "etcd", ...prefix] = places.config.etcd;
  const client = `http://127.0.0.1:${places.port(2379)}`;
  const peer = `http://127.0.0.1:${places.port(2380)}`;
  return {
    kind: "process",
    program,
    args: [
      ...prefix,
      "--name=default",
      `--data-dir=${places.scratch}/data`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      "--unsafe-no-fsync",
    ],
    env: {},
    privateNetwork: true,
    waitFor: [],
    warnings: [],
    simulated: "A local etcd on loopback, empty at every start",
  };
}

/** NATS with JetStream, where the Python runtime brings it. */
export function natsCommand(places: LocalPlaces): LocalCommand {
  const program = places.config.python.natsServer;
  if (program === undefined) {
    return {
      kind: "simulated",
      reason: `Dynamo ${places.config.python.dynamoVersion} runs without NATS here`,
    };
  }
  return {
    kind: "process",
    program,
    args: [
      "--addr",
      "127.0.0.1",
      "--port",
      String(places.port(4222)),
      "--http_port",
      String(places.port(8222)),
      "--jetstream",
      "--store_dir",
      `${places.scratch}/data`,
    ],
    env: {},
    privateNetwork: true,
    waitFor: [],
    warnings: [],
    simulated: "A local NATS server on loopback, empty at every start",
  };
}
