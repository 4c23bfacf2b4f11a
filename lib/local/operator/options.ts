/**
 * The command line of the operator's process.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { messageOf, usageError } from "../../cli/errors.ts";
import type { OperatorSettings } from "./controller/parts.ts";
import { operatorFeatures } from "./features.ts";

/** What the command line says. */
export interface ProcessOptions {
  /** File with the address of the API server and the operator's token. */
  readonly kubeconfig: string;
  /** What the controller is told. */
  readonly settings: OperatorSettings;
  /** Port on 127.0.0.1 for `/healthz` and `/readyz`; none when absent. */
  readonly healthPort: number | undefined;
}

const USAGE = "main.ts --kubeconfig FILE --release V --namespace NS [--rules V] " +
  "[--restrict-namespace NS] [--nats URL] [--etcd HOST:PORT] [--health-port PORT]";

/**
 * Reads the words.
 *
 * @throws {TaskError} OPERATOR_USAGE (exit code 2).
 */
export function readOptions(words: readonly string[]): ProcessOptions {
  const text = { type: "string" } as const;
  const values = parse(words, {
    kubeconfig: text,
    release: text,
    rules: text,
    namespace: text,
    "restrict-namespace": text,
    nats: text,
    etcd: text,
    "health-port": text,
  });
  const needed = (name: string): string => {
    const value = values[name];
    if (value === undefined || value === "") throw wrong(`--${name} is missing`);
    return value;
  };
  const release = needed("release");
  return {
    kubeconfig: needed("kubeconfig"),
    settings: {
      features: operatorFeatures(release, values["rules"] || release),
      namespace: needed("namespace"),
      restrictNamespace: values["restrict-namespace"] || undefined,
      natsAddress: values["nats"] || undefined,
      etcdAddress: values["etcd"] || undefined,
    },
    healthPort: portOf(values["health-port"]),
  };
}

function parse(
  words: readonly string[],
  options: Record<string, { type: "string" }>,
): Record<string, string | undefined> {
  try {
    return parseArgs({ args: [...words], options, allowPositionals: false }).values;
  } catch (error) {
    throw wrong(messageOf(error));
  }
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw wrong(`--health-port ${text} is no port`);
  }
  return port;
}

function wrong(problem: string): Error {
  return usageError("OPERATOR_USAGE", problem, USAGE);
}
