/**
 * Translates Dynamo's Python programs: the frontend as it is, engine workers to the mocker
 * under the same model name, hello-world to scripts of ours on the real bindings. Pure.
 *
 * @module
 */
import type { PythonProgram } from "./command_line.ts";
import { containerImage, sameRelease } from "./container_image.ts";
import { engineOf } from "./engine_flags.ts";
import { flagValue, withoutFlag } from "./flags.ts";
import {
  type ContainerRequest,
  type DynamoBase,
  localAddresses,
  type LocalCommand,
  type LocalPlaces,
  type ProcessCommand,
} from "./local_command.ts";
import { localEnv } from "./local_env.ts";
import { mockerCommand, workerCommand } from "./worker_command.ts";

/** Scripts that stand for those of Dynamo's hello-world example, which are not in its wheels. */
const SCRIPTS: Readonly<Record<string, { readonly file: string; readonly does: string }>> = {
  "hello_world.py": {
    file: "hello_world_worker.py",
    does: "A worker of this project on the real dynamo.runtime stands for hello_world.py",
  },
  "client.py": {
    file: "hello_world_client.py",
    does: "A client of this project on the real dynamo.runtime stands for client.py",
  },
};

/** Translates a Python program of a Dynamo image. */
export function dynamoCommand(
  request: ContainerRequest,
  program: PythonProgram,
  places: LocalPlaces,
): LocalCommand {
  const base = dynamoBase(request, program, places);
  const { module = "", script = "", args } = program;
  const engine = engineOf(module);
  if (engine !== undefined) return workerCommand(request, engine, args, base, places);
  if (/^dynamo\.mocker(\.|$)/.test(module)) return mockerCommand(request, args, base, places);
  if (/^dynamo\.frontend(\.|$)/.test(module)) return frontendCommand(args, base, places);
  const known = SCRIPTS[script];
  if (known !== undefined) {
    return {
      ...base.command,
      args: [`${base.scripts}/${known.file}`],
      simulated: known.does,
    };
  }
  return { kind: "simulated", reason: `${module || script || "its program"} has no stand-in` };
}

function dynamoBase(
  request: ContainerRequest,
  program: PythonProgram,
  places: LocalPlaces,
): DynamoBase {
  const { config } = places;
  const dynamoVersion = config.python.dynamoVersion;
  const env = localEnv({ ...request.env, ...program.env }, {
    dynamoVersion,
    port: places.port,
    addresses: places.addresses,
    discoveryFolder: places.discoveryFolder,
  });
  const { version } = containerImage(request.image);
  const other = version !== undefined && !sameRelease(version, dynamoVersion);
  return {
    scripts: `${config.projectRoot}/lib/local/agent/python`,
    command: {
      kind: "process",
      program: config.python.interpreter,
      // Our scripts lie in the project, where nothing is to be written.
      env: { PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1", ...env },
      privateNetwork: true,
      waitFor: env["DYN_DISCOVERY_BACKEND"] === "file"
        ? []
        : localAddresses(env["ETCD_ENDPOINTS"], env["NATS_SERVER"]),
      warnings: other
        ? [
          `Image ${request.image} is of Dynamo ${version}; the installed runtime, ${dynamoVersion}, runs it`,
        ]
        : [],
    },
  };
}

/** Flags of the frontend that say where it listens or how it finds workers. */
const REPLACED_FLAGS = [
  "--http-host",
  "--http-port",
  "--discovery-backend",
  "--store-kv",
  "--model-path",
];

function frontendCommand(
  args: readonly string[],
  { command }: DynamoBase,
  places: LocalPlaces,
): ProcessCommand {
  const port = Number(flagValue(args, "--http-port") ?? NaN);
  // Without the variable the frontend of 0.4.1 takes 8080, later ones 8000.
  const httpPort = Number.isInteger(port) && port > 0
    ? String(places.port(port))
    : command.env["DYN_HTTP_PORT"] ?? String(places.port(8000));
  const model = flagValue(args, "--model-path") === undefined
    ? []
    : ["--model-path", places.modelFolder];
  return {
    ...command,
    env: { ...command.env, DYN_HTTP_PORT: httpPort },
    args: ["-m", "dynamo.frontend", ...withoutFlag(args, ...REPLACED_FLAGS), ...model],
  };
}
