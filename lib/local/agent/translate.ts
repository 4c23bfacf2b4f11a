/**
 * From a container to a local process. Pure.
 *
 * @module
 */
import { expandReferences, pythonProgram } from "./command_line.ts";
import { containerImage } from "./container_image.ts";
import { denoCommand } from "./deno_command.ts";
import { dynamoCommand } from "./dynamo_command.ts";
import type { ContainerRequest, LocalCommand, LocalPlaces } from "./local_command.ts";
import { etcdCommand, natsCommand, operatorCommand } from "./platform_command.ts";
import { pythonFileCommand } from "./python_file_command.ts";
import { containerPorts } from "./ports.ts";
import type { Container } from "./pod_types.ts";

/** What a container becomes on this machine. */
export function translateContainer(request: ContainerRequest, places: LocalPlaces): LocalCommand {
  const image = containerImage(request.image);
  switch (image.kind) {
    case "operator":
      return operatorCommand(request, places);
    case "etcd":
      return etcdCommand(places);
    case "nats":
      return natsCommand(places);
    case "deno":
      return denoCommand(request, places);
  }
  // Secret values never become part of a command line.
  const open = withoutSecrets(request);
  const words = request.words.map((word) => expandReferences(word, open));
  const program = pythonProgram(words, open);
  const isDynamo = image.kind === "dynamo" || program?.module?.startsWith("dynamo.") === true;
  const brought = isDynamo ? pythonFileCommand({ ...request, words }, places) : undefined;
  if (brought !== undefined) return brought;
  if (isDynamo && program !== undefined) return dynamoCommand(request, program, places);
  if (image.name === "dynamo-frontend" && request.words.length === 0) {
    return dynamoCommand(request, { module: "dynamo.frontend", args: [], env: {} }, places);
  }
  return {
    kind: "simulated",
    reason: isDynamo
      ? "its command is none of Dynamo's programs"
      : `image ${request.image} is not run on the embedded cluster`,
  };
}

function withoutSecrets({ env, secret }: ContainerRequest): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secret.has(name)));
}

/**
 * The ports of a container that need a local one: those it declares and those its
 * translation asks for.
 */
export function neededPorts(
  container: Container,
  request: ContainerRequest,
  places: Omit<LocalPlaces, "port">,
): number[] {
  const ports = new Set(containerPorts(container));
  const command = translateContainer(request, {
    ...places,
    port: (containerPort) => {
      ports.add(containerPort);
      return containerPort;
    },
  });
  return command.kind === "process" ? [...ports] : [];
}
