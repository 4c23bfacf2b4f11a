/**
 * Decides what a container becomes: reads the Secrets and ConfigMaps it needs, takes local
 * ports, finds the services it talks to.
 *
 * @module
 */
import type { KubeObject } from "../../kube/types.ts";
import type { AgentParts } from "./agent_parts.ts";
import { containerImage } from "./container_image.ts";
import { readMounts } from "./container_mounts.ts";
import { type EnvObjects, referencedObjects, resolveEnv } from "./container_env.ts";
import type { ContainerRequest, LocalCommand, LocalPlaces } from "./local_command.ts";
import { ADDRESS_VARIABLES } from "./local_env.ts";
import type { Container, Pod } from "./pod_types.ts";
import { pythonFile } from "./python_file_command.ts";
import { type ServiceAddress, serviceAddresses } from "./service_address.ts";
import { resolveService } from "./services.ts";
import { neededPorts, translateContainer } from "./translate.ts";

/** Local ports of a pod, which grow with what its containers need. */
export interface PodPorts {
  /** Local ports by the containers' ports. */
  readonly current: Readonly<Record<string, number>>;
  /** Takes local ports for these too. */
  ensure(containerPorts: readonly number[]): Promise<void>;
}

/** What a container becomes, or why it cannot be said yet. */
export type ContainerPlan =
  | {
    readonly kind: "command";
    readonly command: LocalCommand;
    readonly env: Record<string, string>;
  }
  /** Its configuration is missing: a kubelet's CreateContainerConfigError. */
  | { readonly kind: "problem"; readonly message: string }
  /** A service it talks to is not there yet. */
  | { readonly kind: "service"; readonly address: string };

// Nothing listens there: what talks to a service that does not exist is refused at once.
const NOWHERE = "127.0.0.1:1";

/**
 * Plans a container.
 *
 * @param scratch Folder for this container alone.
 * @param patient Whether to wait for services that are not there yet.
 */
export async function planContainer(
  parts: AgentParts,
  pod: Pod,
  container: Container,
  ports: PodPorts,
  { scratch, patient }: { readonly scratch: string; readonly patient: boolean },
): Promise<ContainerPlan> {
  const objects = await readObjects(parts, pod, container);
  const resolved = resolveEnv(pod, container, objects);
  if ("problem" in resolved) return { kind: "problem", message: resolved.problem };
  const bringsFiles = runsBroughtFile(container);
  const mounts = bringsFiles ? await readMounts(parts.kube, pod, container) : [];
  if ("problem" in mounts) return { kind: "problem", message: mounts.problem };
  const namespace = pod.metadata.namespace ?? "default";
  const request: ContainerRequest = {
    image: container.image ?? "",
    words: [...container.command ?? [], ...container.args ?? []],
    env: resolved.env,
    secret: resolved.secret,
    annotations: pod.metadata.annotations ?? {},
    namespace,
    mounts,
  };
  const found = await localServices(parts, request);
  if (patient && found.missing !== undefined) return { kind: "service", address: found.missing };
  const places: Omit<LocalPlaces, "port"> = {
    config: parts.config,
    modelFolder: parts.modelFolder,
    scratch,
    discoveryFolder: `${parts.config.layout.run}/discovery/${namespace}`,
    addresses: found.addresses,
  };
  await ports.ensure(neededPorts(container, request, places));
  const command = translateContainer(request, {
    ...places,
    port: (containerPort) => ports.current[containerPort] ?? containerPort,
  });
  return { kind: "command", command, env: resolved.env };
}

/** Whether what it runs may be in a volume; only then its volumes are read. */
function runsBroughtFile({ image = "", command = [], args = [], volumeMounts = [] }: Container) {
  if (containerImage(image).kind === "deno") return true;
  const words = [...command, ...args];
  const at = pythonFile(words);
  return at !== undefined &&
    volumeMounts.some(({ mountPath }) =>
      words[at]!.startsWith(`${mountPath.replace(/\/+$/, "")}/`)
    );
}

async function localServices(
  parts: AgentParts,
  request: ContainerRequest,
): Promise<{ addresses: Record<string, string>; missing?: string }> {
  const texts: string[] = ADDRESS_VARIABLES.map((name) => request.env[name] ?? "");
  if (containerImage(request.image).kind === "deno") texts.push(...openValues(request));
  if (parts.config.operator.kind === "binary") texts.push(...request.words);
  const wanted = texts.flatMap((text) => serviceAddresses(text, request.namespace));
  const addresses: Record<string, string> = {};
  let missing: ServiceAddress | undefined;
  for (const address of wanted) {
    const local = await resolveService(parts.kube, parts.servedPods(), address);
    if (local === undefined) missing = address;
    addresses[address.text] = local ?? NOWHERE;
  }
  return { addresses, ...(missing === undefined ? {} : { missing: missing.text }) };
}

function openValues({ env, secret }: ContainerRequest): string[] {
  return Object.entries(env).filter(([name]) => !secret.has(name)).map(([, value]) => value);
}

async function readObjects(
  parts: AgentParts,
  pod: Pod,
  container: Container,
): Promise<EnvObjects> {
  const names = referencedObjects(container);
  const read = async (kind: string, list: readonly string[]) => {
    const data: Record<string, Record<string, string> | undefined> = {};
    for (const name of list) {
      const object: KubeObject | undefined = await parts.kube.get({
        apiVersion: "v1",
        kind,
        name,
        namespace: pod.metadata.namespace,
      });
      data[name] = object === undefined ? undefined : object.data ?? {};
    }
    return data;
  };
  return {
    secrets: await read("Secret", names.secrets),
    configMaps: await read("ConfigMap", names.configMaps),
  };
}
