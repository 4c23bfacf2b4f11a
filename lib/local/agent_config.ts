/**
 * What the node agent is told when it is started: `.dynamo/local/agent.json` (0600).
 *
 * @module
 */
import type { LocalLayout } from "./layout.ts";

/** Python environment that holds Dynamo's wheels. */
export interface PythonRuntime {
  /** Interpreter of the virtual environment. */
  readonly interpreter: string;
  /** Version of the Dynamo wheels: `0.4.1` or `1.6.1`. */
  readonly dynamoVersion: string;
  /** Version of the interpreter, for example `3.12.1`. */
  readonly pythonVersion: string;
  /** nats-server program, where the release needs one. */
  readonly natsServer?: string;
}

/** Which operator runs as the operator's pod. */
export type OperatorChoice =
  | { readonly kind: "stand-in" }
  | { readonly kind: "binary"; readonly path: string };

/** Configuration of the node agent. */
export interface AgentConfig {
  /** The agent's own kubeconfig (user `system:dynamo-eks:node-agent`). */
  readonly kubeconfig: string;
  /** Kubeconfig handed to the operator's process. */
  readonly operatorKubeconfig: string;
  /** Folders of this cluster. */
  readonly layout: LocalLayout;
  /** Root of the project (its scripts are run from there). */
  readonly projectRoot: string;
  /** Deno executable for the operator's process. */
  readonly denoPath: string;
  /** Release that the cluster was installed with, without `v`. */
  readonly release: string;
  /** Runtime for Dynamo containers. */
  readonly python: PythonRuntime;
  /** Command line prefix that starts etcd. */
  readonly etcd: readonly string[];
  /** Which operator to run. */
  readonly operator: OperatorChoice;
}
