/**
 * Reading kubeconfig files the way kubectl does: the file given, else the files of
 * `KUBECONFIG`, else `~/.kube/config`; where several files define a name, the first wins.
 *
 * Clusters, users and contexts are understood by `@kubernetes/client-node`, of which only
 * the parser is loaded here. Its `KubeConfig` class pulls in every generated model, and
 * refuses files that are missing or define a name twice, where kubectl does not.
 *
 * @module
 */
import type { Context as KubeContext } from "@kubernetes/client-node/dist/config_types.js";
import { delimiter, dirname, join, resolve } from "node:path";
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, type TaskError } from "../cli/errors.ts";
import { readIfThere } from "../cli/files.ts";
import { didYouMean } from "../cli/suggest.ts";

/** A cluster of a kubeconfig, as the library's parser returns it. */
export interface Cluster {
  /** Name in the file. */
  readonly name: string;
  /** Certificate authority, base64 of PEM. */
  readonly caData?: string;
  /** File with the certificate authority. */
  caFile?: string;
  /** URL of the API server. */
  readonly server: string;
  /** Name that the server's certificate has to carry. */
  readonly tlsServerName?: string;
  /** Whether the server's certificate is not checked. */
  readonly skipTLSVerify: boolean;
  /** Proxy on the way to the server. */
  readonly proxyUrl?: string;
}

/** A user of a kubeconfig, as the library's parser returns it. */
export interface User {
  /** Name in the file. */
  readonly name: string;
  /** Client certificate, base64 of PEM. */
  readonly certData?: string;
  /** File with the client certificate. */
  certFile?: string;
  /** Program that gives credentials (client-go's exec plugin). */
  // deno-lint-ignore no-explicit-any -- the library's type
  readonly exec?: any;
  /** Client key, base64 of PEM. */
  readonly keyData?: string;
  /** File with the client key. */
  keyFile?: string;
  /** Credentials of an old kind of plugin. */
  // deno-lint-ignore no-explicit-any -- the library's type
  readonly authProvider?: any;
  /** Bearer token. */
  readonly token?: string;
  /** Name for basic authentication. */
  readonly username?: string;
  /** Password for basic authentication. */
  readonly password?: string;
  /** User to act as. */
  readonly impersonateUser?: string;
}

/** Which file and context; see {@link loadKubeconfig}. */
export interface KubeconfigChoice {
  /** Path of the one file to read; those of `KUBECONFIG` or `~/.kube/config` unless given. */
  readonly kubeconfig?: string | undefined;
  /** Name of the context; the current one unless given. */
  readonly context?: string | undefined;
}

/** One context with the cluster and user it names. */
export interface KubeconfigContext {
  /** Name of the context. */
  readonly name: string;
  /** Namespace of objects that name none. */
  readonly namespace: string;
  /** The cluster. */
  readonly cluster: Cluster;
  /** The user; one without credentials when the context names none. */
  readonly user: User;
}

interface Merged {
  readonly clusters: Map<string, Cluster>;
  readonly users: Map<string, User>;
  readonly contexts: Map<string, KubeContext>;
  current: string | undefined;
}

/**
 * Reads the kubeconfig and picks a context.
 *
 * @throws {TaskError} KUBECONFIG_MISSING, KUBECONFIG_BROKEN or KUBE_CONTEXT_UNKNOWN (exit code 3).
 */
export async function loadKubeconfig(
  ctx: Pick<Context, "env" | "fs">,
  choice: KubeconfigChoice = {},
): Promise<KubeconfigContext> {
  const files = kubeconfigFiles(ctx, choice);
  const merged: Merged = {
    clusters: new Map(),
    users: new Map(),
    contexts: new Map(),
    current: undefined,
  };
  let found = 0;
  for (const file of files) {
    const text = await readKubeconfig(ctx, file);
    if (text === undefined) continue;
    found++;
    await addFile(merged, file, text);
  }
  if (found === 0) throw missing(files, choice);
  return pick(merged, files, choice.context);
}

/** The files that are read, in order of precedence. */
export function kubeconfigFiles(
  ctx: Pick<Context, "env">,
  choice: KubeconfigChoice = {},
): string[] {
  if (choice.kubeconfig !== undefined) return [choice.kubeconfig];
  const listed = (ctx.env.get("KUBECONFIG") ?? "").split(delimiter).filter((file) => file !== "");
  if (listed.length > 0) return listed;
  const home = ctx.env.get("HOME") ?? ctx.env.get("USERPROFILE");
  return home === undefined ? [] : [join(home, ".kube", "config")];
}

async function readKubeconfig(
  ctx: Pick<Context, "fs">,
  file: string,
): Promise<string | undefined> {
  try {
    return await readIfThere(ctx, file);
  } catch (error) {
    throw preconditionError(
      "KUBECONFIG_BROKEN",
      `Kubeconfig ${file} cannot be read: ${messageOf(error)}`,
      "Check the path and its permissions.",
      error,
    );
  }
}

async function addFile(merged: Merged, file: string, text: string): Promise<void> {
  const { newClusters, newContexts, newUsers } = await import(
    "@kubernetes/client-node/dist/config_types.js"
  );
  const content = await parseKubeconfig(file, text);
  const folder = dirname(resolve(file));
  try {
    for (const cluster of newClusters(content["clusters"])) {
      if (cluster.caFile) cluster.caFile = resolve(folder, cluster.caFile);
      addFirst(merged.clusters, cluster);
    }
    for (const user of newUsers(withTokenFiles(content["users"], folder))) {
      if (user.certFile) user.certFile = resolve(folder, user.certFile);
      if (user.keyFile) user.keyFile = resolve(folder, user.keyFile);
      addFirst(merged.users, user);
    }
    for (const context of newContexts(content["contexts"])) addFirst(merged.contexts, context);
  } catch (error) {
    throw broken(file, messageOf(error), error);
  }
  const current = content["current-context"];
  if (typeof current === "string" && current !== "") merged.current ??= current;
}

function addFirst<T extends { readonly name: string }>(all: Map<string, T>, entry: T): void {
  if (!all.has(entry.name)) all.set(entry.name, entry);
}

async function parseKubeconfig(file: string, text: string): Promise<Record<string, unknown>> {
  const { parse } = await import("@std/yaml");
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    // The parser's message quotes the lines around the place, which may hold a token.
    const place = /at line \d+, column \d+/.exec(messageOf(error))?.[0];
    throw broken(file, `it is not YAML${place === undefined ? "" : ` ${place}`}`);
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw broken(file, "it is empty or not a mapping");
  }
  return content as Record<string, unknown>;
}

// The library knows token files as an auth provider (the in-cluster configuration uses it),
// not under the name that kubeconfig files have for them.
function withTokenFiles(users: unknown, folder: string): unknown {
  if (!Array.isArray(users)) return users;
  return users.map((entry) => {
    const tokenFile: unknown = entry?.user?.tokenFile;
    if (typeof tokenFile !== "string" || tokenFile === "") return entry;
    const { token: _token, ...user } = entry.user;
    const config = { tokenFile: resolve(folder, tokenFile) };
    return { ...entry, user: { ...user, "auth-provider": { name: "tokenFile", config } } };
  });
}

function pick(
  merged: Merged,
  files: readonly string[],
  wanted: string | undefined,
): KubeconfigContext {
  const where = files.join(", ");
  const name = wanted ?? merged.current;
  const known = [...merged.contexts.keys()];
  const list = known.length === 0 ? "It has none." : `Contexts: ${known.join(", ")}.`;
  if (name === undefined) {
    throw preconditionError(
      "KUBE_CONTEXT_UNKNOWN",
      `Kubeconfig ${where} names no current context`,
      `Name one of its contexts. ${list}`,
    );
  }
  const context = merged.contexts.get(name);
  if (context === undefined) {
    throw preconditionError(
      "KUBE_CONTEXT_UNKNOWN",
      `Kubeconfig ${where} has no context "${name}". ${didYouMean(name, known)}`.trim(),
      list,
    );
  }
  const cluster = merged.clusters.get(context.cluster);
  if (cluster === undefined) {
    throw broken(where, `context "${name}" names the cluster "${context.cluster}", which it lacks`);
  }
  const user = context.user === undefined ? { name: "" } : merged.users.get(context.user);
  if (user === undefined) {
    throw broken(where, `context "${name}" names the user "${context.user}", which it lacks`);
  }
  return { name, namespace: context.namespace ?? "default", cluster, user };
}

function missing(files: readonly string[], choice: KubeconfigChoice): TaskError {
  const source = choice.kubeconfig !== undefined
    ? ""
    : files.length === 0
    ? " (neither KUBECONFIG nor HOME is set)"
    : " (KUBECONFIG or the default place)";
  return preconditionError(
    "KUBECONFIG_MISSING",
    `There is no kubeconfig at ${files.join(", ") || "any known place"}${source}`,
    "For the embedded cluster run deno task install --target local; " +
      "for EKS run aws eks update-kubeconfig --name CLUSTER.",
  );
}

function broken(file: string, reason: string, cause?: unknown): TaskError {
  return preconditionError(
    "KUBECONFIG_BROKEN",
    `Kubeconfig ${file} is broken: ${reason}`,
    "kubectl config view --kubeconfig FILE shows how kubectl reads it.",
    cause,
  );
}
