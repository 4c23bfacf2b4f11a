/**
 * Kubeconfig files of the cluster's clients.
 *
 * @module
 */
import { stringify } from "@std/yaml";
import type { Context } from "../cli/context.ts";
import { readIfThere, writeFileAtomic } from "../cli/files.ts";
import { CLIENT_NAMES, type ClientName, type Credentials } from "./credentials.ts";
import type { LocalLayout } from "./layout.ts";

/** Name of the context in the administrator's kubeconfig. */
export const CONTEXT_NAME = "dynamo-local";

/** What a kubeconfig says. */
export interface KubeconfigContent {
  /** `https://127.0.0.1:<port>`. */
  readonly server: string;
  /** Certificate authority, PEM. */
  readonly ca: string;
  /** Name of the user in the file. */
  readonly user: string;
  /** Bearer token. */
  readonly token: string;
}

/** Text of a kubeconfig that needs no other file. */
export function kubeconfigText(content: KubeconfigContent): string {
  const { server, ca, user, token } = content;
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{
      name: CONTEXT_NAME,
      cluster: { server, "certificate-authority-data": btoa(ca) },
    }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: CONTEXT_NAME, context: { cluster: CONTEXT_NAME, user } }],
    "current-context": CONTEXT_NAME,
  });
}

/** Path of a client's kubeconfig. */
export function kubeconfigPath(layout: LocalLayout, client: ClientName): string {
  return client === "admin" ? layout.kubeconfig : `${layout.kubeconfigs}/${client}.kubeconfig`;
}

/** Writes the kubeconfigs of all clients where they differ (0600). */
export async function writeKubeconfigs(
  ctx: Pick<Context, "fs" | "processes">,
  layout: LocalLayout,
  credentials: Credentials,
  server: string,
  ca: string,
): Promise<void> {
  for (const client of CLIENT_NAMES) {
    const path = kubeconfigPath(layout, client);
    const token = credentials.tokens[client];
    const text = kubeconfigText({ server, ca, user: client, token });
    if (await readIfThere(ctx, path) !== text) await writeFileAtomic(ctx, path, text);
  }
}
