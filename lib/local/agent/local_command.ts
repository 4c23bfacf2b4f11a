/**
 * What a container becomes on this machine: the types shared by the translations.
 *
 * @module
 */
import type { AgentConfig } from "../agent_config.ts";

/** A container as the translations see it. */
export interface ContainerRequest {
  /** Image reference of the manifest. */
  readonly image: string;
  /** `command` and `args` in one list. */
  readonly words: readonly string[];
  /** Resolved environment, secret values included: they may only go to the process's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of variables whose values are secret. */
  readonly secret: ReadonlySet<string>;
  /** Annotations of the pod. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Namespace of the pod. */
  readonly namespace: string;
  /** Its volumes; only of images that are run with what their pod brings along. */
  readonly mounts?: readonly Mount[];
}

/** A volume of a container. */
export interface Mount {
  /** Where it is inside the container. */
  readonly path: string;
  /** Its files by path below that; none of a folder that begins empty. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Folder of this machine that it is, for volumes that outlive their pods. */
  readonly folder?: string;
}

/** Where things are on this machine. */
export interface LocalPlaces {
  /** The agent's configuration. */
  readonly config: Pick<
    AgentConfig,
    "denoPath" | "etcd" | "operator" | "operatorKubeconfig" | "projectRoot" | "python" | "release"
  >;
  /** Folder of the model without weights. */
  readonly modelFolder: string;
  /** Folder of this container alone, emptied before each start. */
  readonly scratch: string;
  /** Folder for discovery by files. */
  readonly discoveryFolder: string;
  /** Local port for a port of the container. */
  readonly port: (containerPort: number) => number;
  /** Local addresses of Services, by `host:port` as written. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** A process that stands for a container. */
export interface ProcessCommand {
  /** Whether there is a process. */
  readonly kind: "process";
  /** Program. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** The whole environment, except PATH and HOME. */
  readonly env: Readonly<Record<string, string>>;
  /** Files of the scratch folder, by name. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Folders of the scratch folder. */
  readonly folders?: readonly string[];
  /** Whether it belongs into the private network, where it sees nothing but its like. */
  readonly privateNetwork: boolean;
  /** Addresses that should answer before it is started. */
  readonly waitFor: readonly string[];
  /** What is simulated, for an event. */
  readonly simulated?: string;
  /** What a person should be warned of, for events. */
  readonly warnings: readonly string[];
}

/** What a container becomes. */
export type LocalCommand =
  | ProcessCommand
  | { readonly kind: "simulated"; readonly reason: string };

/** What the translations of Python programs start from. */
export interface DynamoBase {
  /** Folder of this project's Python scripts. */
  readonly scripts: string;
  /** Everything but program arguments. */
  readonly command: Omit<ProcessCommand, "args">;
}

/** Address and port of `nats://127.0.0.1:4222,…` that should answer before a start. */
export function localAddresses(...texts: readonly (string | undefined)[]): string[] {
  return texts.flatMap((text) => text?.match(/127\.0\.0\.1:\d+/g) ?? []);
}
