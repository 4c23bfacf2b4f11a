/**
 * Files for GitOps: one an object, a kustomization, and an Argo CD Application that points at
 * the place in the user's repository. Nothing is applied.
 *
 * @module
 */
import { stringify } from "@std/yaml";
import type { Context } from "../cli/context.ts";
import { usageError } from "../cli/errors.ts";
import { readIfThere, writeFileAtomic } from "../cli/files.ts";
import type { KubeObject } from "../kube/types.ts";
import type { Deployment } from "./deploy.ts";
import { userPath } from "./user_path.ts";

/** Where the files will be in Git. */
export interface ExportRepo {
  /** URL of the repository. */
  readonly url: string;
  /** Folder in it that holds the kustomization. */
  readonly path: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** Options of {@link exportDeployment}. */
export interface ExportOptions {
  /** Folder to write to; made when it is not there. */
  readonly folder: string;
  /** What is exported. */
  readonly deployment: Deployment;
  /** YAML of each object, in the order of the deployment's objects. */
  readonly texts: readonly string[];
  /** Where the files will be. */
  readonly repo: ExportRepo;
  /** Overwrite files that this task did not write. */
  readonly overwrite: boolean;
  /** Only say which files it would be. */
  readonly dryRun: boolean;
}

/** First line of every file that is written here, and the proof that it may be overwritten. */
export const EXPORT_MARK = "# Written by dynamo-eks (deno task deploy --export)";

const PART_OF = "app.kubernetes.io/part-of";
const KUSTOMIZATION = "kustomization.yaml";
const APPLICATION = "argocd-application.yaml";
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

/**
 * Writes the files and returns their paths.
 *
 * @throws {TaskError} (exit code 2) EXPORT_SECRET when a Secret is among the objects; EXPORT_OTHERS
 * when a file is there that is not ours. Nothing is written then.
 */
export async function exportDeployment(ctx: Context, options: ExportOptions): Promise<string[]> {
  const folder = userPath(ctx, options.folder).replace(/(.)\/+$/, "$1");
  const files = exportedFiles(options);
  if (!options.overwrite) await checkOurs(ctx, folder, [...files.keys()]);
  const paths = [...files.keys()].map((name) => `${folder}/${name}`);
  if (options.dryRun) return paths;
  await ctx.fs.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  for (const [name, content] of files) {
    await writeFileAtomic(ctx, `${folder}/${name}`, content, FILE_MODE);
  }
  return paths;
}

/** The files by name. */
export function exportedFiles(options: ExportOptions): Map<string, string> {
  const { deployment, texts, repo } = options;
  const secret = deployment.objects.find((object) => object.kind === "Secret");
  if (secret !== undefined) {
    throw usageError(
      "EXPORT_SECRET",
      `Secret ${secret.metadata.name} would end up in Git`,
      "Take it out of the manifest and bring it to the cluster another way.",
    );
  }
  const names = fileNames(deployment.objects);
  const files = new Map(names.map((name, index) => [name, marked(texts[index]!)]));
  files.set(KUSTOMIZATION, yamlFile(kustomization(names)));
  // Beside the kustomization, not in it: an Application that manages itself is another design.
  files.set(APPLICATION, yamlFile(application(deployment, repo)));
  return files;
}

function fileNames(objects: readonly KubeObject[]): string[] {
  const taken = new Set<string>();
  return objects.map(({ kind, metadata }) => {
    const short = `${kind}-${metadata.name}`.toLowerCase();
    let name = short;
    for (let n = 2; taken.has(name); n++) name = `${short}-${n}`;
    taken.add(name);
    return `${name.replace(/[^a-z0-9.-]/g, "-")}.yaml`;
  });
}

function kustomization(resources: readonly string[]): Record<string, unknown> {
  return { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources };
}

function application(deployment: Deployment, repo: ExportRepo): Record<string, unknown> {
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Application",
    metadata: {
      name: deployment.graphs[0]?.name ?? deployment.name,
      namespace: "argocd",
      labels: { [PART_OF]: deployment.objects[0]?.metadata.labels?.[PART_OF] ?? "dynamo-on-eks" },
    },
    spec: {
      project: "default",
      source: { repoURL: repo.url, path: repo.path, targetRevision: repo.revision },
      destination: { server: "https://kubernetes.default.svc", namespace: deployment.namespace },
      syncPolicy: {
        automated: { prune: true, selfHeal: true },
        // The operator and its webhooks own fields too; a client-side apply would fight them.
        syncOptions: ["CreateNamespace=true", "ServerSideApply=true"],
      },
    },
  };
}

function yamlFile(value: Record<string, unknown>): string {
  return marked(stringify(value, { lineWidth: -1, useAnchors: false }));
}

function marked(text: string): string {
  return `${EXPORT_MARK}\n${text.endsWith("\n") ? text : `${text}\n`}`;
}

async function checkOurs(ctx: Context, folder: string, names: readonly string[]): Promise<void> {
  const others: string[] = [];
  for (const name of names) {
    const text = await readIfThere(ctx, `${folder}/${name}`);
    if (text !== undefined && !text.startsWith(EXPORT_MARK)) others.push(`${folder}/${name}`);
  }
  if (others.length === 0) return;
  throw usageError(
    "EXPORT_OTHERS",
    `${others.join(", ")} ${others.length === 1 ? "is" : "are"} there and not written by this task`,
    "Nothing was written. Choose another folder, or add --yes to overwrite.",
  );
}
