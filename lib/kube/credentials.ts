/**
 * Who we are to the API server: headers and client certificate of a kubeconfig user.
 * Exec plugins and token files are run and read by `@kubernetes/client-node`.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, type TaskError } from "../cli/errors.ts";
import type { Cluster, User } from "./kubeconfig.ts";

/** What a connection and its requests carry. */
export interface Credentials {
  /** Headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Client certificate, PEM. */
  readonly cert?: string;
  /** Its key, PEM. */
  readonly key?: string;
}

/** Credentials that may change with time. */
export interface CredentialSource {
  /**
   * The credentials of now.
   *
   * @throws {TaskError} KUBE_CREDENTIALS when a plugin or file fails (exit code 3).
   */
  read(): Promise<Credentials>;
  /** Forgets what was kept, for example when the server refused it. */
  refresh(): void;
}

/** Bearer tokens that are made here, in place of the kubeconfig user's credentials. */
export interface TokenSource {
  /** A token that is valid now. */
  read(): Promise<string>;
  /** Forgets what was kept. */
  refresh(): void;
}

/** What `applyAuthentication` of the library's authenticators fills in. */
interface Applied {
  readonly headers: Record<string, string>;
  readonly cert?: string;
  readonly key?: string;
}

interface Authenticator {
  applyAuthentication(user: User, options: object): Promise<void>;
}

/** Reads files through the context; tokens that plugins hand out are kept off the terminal. */
export function credentialSource(
  ctx: Pick<Context, "fs" | "ui">,
  cluster: Cluster,
  user: User,
): CredentialSource {
  const pluginUser = withExecInfo(user, cluster);
  let authenticator: Promise<Authenticator> | undefined;
  let fixed: Promise<Credentials> | undefined;

  async function read(): Promise<Credentials> {
    try {
      const base = await (fixed ??= fixedCredentials(ctx, user));
      if (!hasPlugin(user)) return base;
      const applied: Applied = { headers: {} };
      await (await (authenticator ??= loadAuthenticator(user)))
        .applyAuthentication(pluginUser, applied);
      const token = applied.headers["Authorization"]?.replace(/^Bearer /, "");
      if (token !== undefined) ctx.ui.redact(token);
      // A token written in the kubeconfig goes before the plugin's, as in the library.
      return { ...base, ...applied, headers: { ...applied.headers, ...base.headers } };
    } catch (error) {
      fixed = undefined;
      throw credentialError(user, error);
    }
  }

  return {
    read,
    refresh() {
      authenticator = undefined;
      fixed = undefined;
    },
  };
}

/** Whether the user's credentials come from a plugin or a token file. */
export function hasPlugin(user: User): boolean {
  return Boolean(user.exec) || Boolean(user.authProvider);
}

/** Credentials of a token source; its tokens are kept off the terminal. */
export function tokenCredentials(
  ctx: Pick<Context, "ui">,
  tokens: TokenSource,
): CredentialSource {
  return {
    async read() {
      const token = await tokens.read();
      ctx.ui.redact(token);
      return { headers: { "Authorization": `Bearer ${token}` } };
    },
    refresh: () => tokens.refresh(),
  };
}

/** Certificate authority of the cluster as PEM, or undefined for the system's. */
export async function clusterAuthority(
  ctx: Pick<Context, "fs">,
  cluster: Cluster,
): Promise<string | undefined> {
  try {
    return await pem(ctx, cluster.caFile, cluster.caData);
  } catch (error) {
    throw preconditionError(
      "KUBE_CREDENTIALS",
      `The certificate authority of cluster "${cluster.name}" cannot be read: ${messageOf(error)}`,
      "Check certificate-authority in the kubeconfig.",
      error,
    );
  }
}

async function fixedCredentials(
  ctx: Pick<Context, "fs">,
  user: User,
): Promise<Credentials> {
  const headers: Record<string, string> = {};
  if (user.token) {
    headers["Authorization"] = `Bearer ${user.token}`;
  } else if (user.username) {
    headers["Authorization"] = `Basic ${
      new TextEncoder().encode(`${user.username}:${user.password ?? ""}`).toBase64()
    }`;
  }
  if (user.impersonateUser) headers["Impersonate-User"] = user.impersonateUser;
  const cert = await pem(ctx, user.certFile, user.certData);
  const key = await pem(ctx, user.keyFile, user.keyData);
  return { headers, ...(cert === undefined || key === undefined ? {} : { cert, key }) };
}

async function pem(
  ctx: Pick<Context, "fs">,
  file: string | undefined,
  data: string | undefined,
): Promise<string | undefined> {
  if (data) return new TextDecoder().decode(Uint8Array.fromBase64(data));
  return file ? await ctx.fs.readTextFile(file) : undefined;
}

async function loadAuthenticator(user: User): Promise<Authenticator> {
  if (user.exec) {
    const { ExecAuth } = await import("@kubernetes/client-node/dist/exec_auth.js");
    return new ExecAuth();
  }
  const { FileAuth } = await import("@kubernetes/client-node/dist/file_auth.js");
  return new FileAuth();
}

// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#input-and-output-formats:
// plugins may ask for this variable, which the library does not set.
function withExecInfo(user: User, cluster: Cluster): User {
  if (!user.exec) return user;
  const info = {
    apiVersion: user.exec.apiVersion ?? "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    spec: {
      interactive: false,
      ...(user.exec.provideClusterInfo
        ? {
          cluster: { server: cluster.server, "certificate-authority-data": cluster.caData },
        }
        : {}),
    },
  };
  const variable = { name: "KUBERNETES_EXEC_INFO", value: JSON.stringify(info) };
  return { ...user, exec: { ...user.exec, env: [variable, ...(user.exec.env ?? [])] } };
}

function credentialError(user: User, error: unknown): TaskError {
  const command: unknown = user.exec?.command;
  if (typeof command !== "string") {
    return preconditionError(
      "KUBE_CREDENTIALS",
      `The credentials of user "${user.name}" cannot be read: ${messageOf(error)}`,
      "Check the user's entry in the kubeconfig.",
      error,
    );
  }
  return preconditionError(
    "KUBE_CREDENTIALS",
    `The credential plugin "${command}" of user "${user.name}" failed: ${pluginFault(error)}`,
    user.exec.installHint ??
      `Run the plugin by hand to see why; a task needs --allow-run=${command} for it.`,
  );
}

// The library's own errors about the plugin's output quote it, and it holds the token.
function pluginFault(error: unknown): string {
  if (error instanceof SyntaxError) return "its output is not JSON";
  if (error instanceof TypeError) return "its output is not an ExecCredential with a status";
  return messageOf(error).trim() || "it said nothing";
}
