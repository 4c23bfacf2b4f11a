/**
 * Tokens of the cluster's clients and the key of its service accounts. All of it is made on
 * this machine, belongs to one cluster and stays in files with mode 0600.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { readIfThere, writeFileAtomic } from "../cli/files.ts";
import type { LocalLayout } from "./layout.ts";

/** Clients of the API server that have a kubeconfig, with the user and groups they are. */
export const CLIENTS = {
  "admin": { user: "dynamo-local-admin", groups: ["system:masters"] },
  "kube-controller-manager": { user: "system:kube-controller-manager", groups: [] },
  "kube-scheduler": { user: "system:kube-scheduler", groups: [] },
  "kwok": { user: "system:dynamo-eks:kwok", groups: [] },
  "node-agent": { user: "system:dynamo-eks:node-agent", groups: [] },
  "operator": { user: "system:dynamo-eks:operator", groups: [] },
} as const satisfies Record<string, { user: string; groups: readonly string[] }>;

/** One of {@link CLIENTS}. */
export type ClientName = keyof typeof CLIENTS;

/** Names of {@link CLIENTS}. */
export const CLIENT_NAMES: readonly ClientName[] = Object.keys(CLIENTS) as ClientName[];

/** What is in the `pki` folder. */
export interface Credentials {
  /** Bearer token of each client. */
  readonly tokens: Readonly<Record<ClientName, string>>;
  /** Path of the tokens in the form that the API server reads. */
  readonly tokenFile: string;
  /** Path of the private key that signs service account tokens. */
  readonly serviceAccountKey: string;
  /** Path of its public key. */
  readonly serviceAccountPublicKey: string;
  /** Folder of the API server's serving certificate, which it makes by itself. */
  readonly servingFolder: string;
}

/** Makes what is missing and keeps what is there. */
export async function ensureCredentials(
  ctx: Pick<Context, "fs" | "processes">,
  layout: LocalLayout,
): Promise<Credentials> {
  const paths = {
    tokenFile: `${layout.pki}/tokens.csv`,
    serviceAccountKey: `${layout.pki}/service-account.key`,
    serviceAccountPublicKey: `${layout.pki}/service-account.pub`,
    servingFolder: `${layout.pki}/serving`,
  };
  const tokens = await ensureTokens(ctx, paths.tokenFile);
  await ensureServiceAccountKey(ctx, paths.serviceAccountKey, paths.serviceAccountPublicKey);
  await ctx.fs.mkdir(paths.servingFolder, { recursive: true, mode: 0o700 });
  return { tokens, ...paths };
}

/** The token of a client from the API server's file, without making anything. */
export async function readToken(
  ctx: Pick<Context, "fs">,
  layout: LocalLayout,
  client: ClientName,
): Promise<string | undefined> {
  const known = parseTokens(await readIfThere(ctx, `${layout.pki}/tokens.csv`) ?? "");
  return known.get(CLIENTS[client].user);
}

async function ensureTokens(
  ctx: Pick<Context, "fs" | "processes">,
  path: string,
): Promise<Record<ClientName, string>> {
  const before = await readIfThere(ctx, path);
  const known = parseTokens(before ?? "");
  const entries = CLIENT_NAMES.map((name) =>
    [name, known.get(CLIENTS[name].user) ?? randomToken()] as const
  );
  const text = entries.map(([name, token]) => tokenLine(name, token)).join("");
  if (text !== before) await writeFileAtomic(ctx, path, text);
  return Object.fromEntries(entries) as Record<ClientName, string>;
}

// The API server's form: token,user,uid,"group,group".
function tokenLine(name: ClientName, token: string): string {
  const { user, groups } = CLIENTS[name];
  const tail = groups.length === 0 ? "" : `,"${groups.join(",")}"`;
  return `${token},${user},${user}${tail}\n`;
}

function parseTokens(text: string): Map<string, string> {
  const tokens = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [token = "", user = ""] = line.split(",");
    if (/^[0-9a-f]{64}$/.test(token)) tokens.set(user, token);
  }
  return tokens;
}

function randomToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function ensureServiceAccountKey(
  ctx: Pick<Context, "fs" | "processes">,
  keyPath: string,
  publicPath: string,
): Promise<void> {
  const key = await readIfThere(ctx, keyPath);
  const publicKey = await readIfThere(ctx, publicPath);
  if (key?.includes("END PRIVATE KEY") && publicKey?.includes("END PUBLIC KEY")) return;
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const [secret, open] = await Promise.all([
    crypto.subtle.exportKey("pkcs8", pair.privateKey),
    crypto.subtle.exportKey("spki", pair.publicKey),
  ]);
  await writeFileAtomic(ctx, keyPath, pem("PRIVATE KEY", secret));
  await writeFileAtomic(ctx, publicPath, pem("PUBLIC KEY", open));
}

function pem(label: string, bytes: ArrayBuffer): string {
  const lines = new Uint8Array(bytes).toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
