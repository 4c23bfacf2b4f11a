/**
 * The last look at objects before they leave: rules of the API, of the operator and of this
 * project, so that a mistake is found here and not by an API server.
 *
 * @module
 */
import { atLeast, type Release } from "../blueprint/types.ts";
import { EXIT } from "../cli/errors.ts";
import type { KubeObject } from "../kube/types.ts";
import { hasVersionTag } from "./images.ts";
import { schemaProblems } from "./json_schema.ts";
import {
  componentNameLength,
  componentObjectName,
  dynamoNamespace,
  GROVE_LIMIT,
  NAME_LIMIT,
} from "./names.ts";
import { type Problem, shown, throwProblems } from "./problems.ts";
import { renderedSchema } from "./rendered_schema.ts";
import type { Role } from "./types.ts";

/** Options of the check. */
export interface CheckOptions {
  /** Whether Grove makes the pods, which shortens names further. */
  readonly grove?: boolean;
}

/**
 * Does nothing when all objects are fine.
 *
 * @throws {TaskError} RENDERED_INVALID (exit code 1) with path, value and expectation.
 */
export function checkRendered(
  objects: readonly KubeObject[],
  release: Release,
  options: CheckOptions = {},
): void {
  throwProblems(renderedProblems(objects, release, options), {
    code: "RENDERED_INVALID",
    subject: "The manifest would be refused",
    exitCode: EXIT.failed,
    hint: "Nothing was applied.",
  });
}

/** Everything wrong with the objects; paths start with `Kind/name`. */
export function renderedProblems(
  objects: readonly KubeObject[],
  release: Release,
  options: CheckOptions = {},
): Problem[] {
  return objects.flatMap((object) => {
    const path = `${object.kind}/${object.metadata?.name}`;
    const schema = renderedSchema(object, release);
    if (schema === undefined) {
      return [{
        severity: "error" as const,
        path,
        message:
          `${object.apiVersion} ${object.kind} is not a kind that Dynamo ${release.version} is given`,
      }];
    }
    const problems = schemaProblems(schema, object, { path });
    if (problems.length > 0 || object.kind !== "DynamoGraphDeployment") return problems;
    return graphProblems(object, release, options).map((problem) => ({
      ...problem,
      path: `${path}.${problem.path}`,
    }));
  });
}

interface RenderedComponent {
  readonly path: string;
  readonly name: string;
  readonly role: Role;
  readonly image: string;
  readonly imagePath: string;
  readonly gpu: boolean;
  readonly tolerations: readonly { readonly key?: string }[];
  readonly dynamoNamespace?: string;
  readonly versionOverride?: string;
}

function graphProblems(graph: KubeObject, release: Release, options: CheckOptions): Problem[] {
  const problems: Problem[] = [];
  const add = (path: string, message: string) =>
    problems.push({ severity: "error", path, message });
  const name = graph.metadata.name;
  const runtime = dynamoNamespace(name, graph.metadata.namespace ?? "", release);
  if (runtime.length > NAME_LIMIT) {
    add(
      "metadata.name",
      `"${runtime}" becomes a label and has ${runtime.length} characters, more than ${NAME_LIMIT}`,
    );
  }
  const components = renderedComponents(graph);
  const seen = new Set<string>();
  for (const component of components) {
    const { path } = component;
    const lower = component.name.toLowerCase();
    if (seen.has(lower)) {
      add(path, `${shown(component.name)} is there twice (without regard to case)`);
    }
    seen.add(lower);
    const length = componentNameLength(name, component, release);
    if (length > NAME_LIMIT) {
      add(
        path,
        `"${
          componentObjectName(name, component.name)
        }" has ${length} characters, more than ${NAME_LIMIT}`,
      );
    }
    if (options.grove && name.length + component.name.length > GROVE_LIMIT) {
      add(
        path,
        `"${name}" and "${component.name}" have ${
          name.length + component.name.length
        } characters ` +
          `together, and Grove takes ${GROVE_LIMIT}`,
      );
    }
    if (component.gpu && !component.tolerations.some((one) => one.key === "nvidia.com/gpu")) {
      add(path, "asks for GPUs and does not tolerate nvidia.com/gpu");
    }
    if (!atLeast(release, 0, 7) && component.dynamoNamespace !== name) {
      add(
        `${path}.dynamoNamespace`,
        `is ${shown(component.dynamoNamespace)}, and must be "${name}"`,
      );
    }
    if (atLeast(release, 1, 4) && !hasVersionTag(component.image) && !component.versionOverride) {
      add(
        component.imagePath,
        `${shown(component.image)} has no version in its tag, and admission wants one`,
      );
    }
  }
  return problems;
}

function renderedComponents(graph: KubeObject): RenderedComponent[] {
  if (graph.apiVersion === "nvidia.com/v1alpha1") {
    return Object.entries<KubeObject>(graph.spec.services).map(([name, service]) => ({
      path: `spec.services.${name}`,
      name,
      role: service.componentType,
      image: service.extraPodSpec.mainContainer.image,
      imagePath: `spec.services.${name}.extraPodSpec.mainContainer.image`,
      gpu: service.resources?.limits?.gpu !== undefined,
      tolerations: service.extraPodSpec.tolerations ?? [],
      dynamoNamespace: service.dynamoNamespace,
    }));
  }
  return graph.spec.components.map((component: KubeObject, index: number) => {
    const pod = component.podTemplate.spec;
    const at = pod.containers.findIndex((one: KubeObject) => one.name === "main");
    const main = pod.containers[at] ?? {};
    const path = `spec.components[${index}]`;
    return {
      path,
      name: component.name,
      role: component.type ?? "client",
      image: main.image,
      imagePath: `${path}.podTemplate.spec.containers[${at}].image`,
      gpu: main.resources?.limits?.["nvidia.com/gpu"] !== undefined,
      tolerations: pod.tolerations ?? [],
      versionOverride: component.runtimeVersionOverride,
    };
  });
}
