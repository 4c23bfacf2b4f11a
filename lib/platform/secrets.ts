/**
 * Secrets that graphs and the operator read. Values go into the API's body and nowhere else.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { messageOf, preconditionError, type TaskError } from "../cli/errors.ts";
import type { Kube } from "../kube/types.ts";

/** Name of the Secret with the Hugging Face token, as the blueprint and Dynamo's examples have it. */
export const HF_SECRET = "hf-token-secret";

/** Name of the pull secret for NVIDIA's registry. */
export const NGC_SECRET = "ngc-pull-secret";

/** Registry of Dynamo's images. */
const NGC_REGISTRY = "nvcr.io";

const LABELS = {
  "app.kubernetes.io/managed-by": "dynamo-eks",
  "app.kubernetes.io/part-of": "dynamo-eks",
} as const;

/** Options of {@link ensureHfSecret}. */
export interface HfSecretOptions {
  /** Namespace of the Secret. */
  readonly namespace: string;
  /** Name of the Secret; `hf-token-secret` unless given. */
  readonly name?: string | undefined;
  /** Whether an empty token is enough: nothing is downloaded on the embedded cluster. */
  readonly placeholder: boolean;
  /** Token from {@link readHfToken}; from `HF_TOKEN` unless given. */
  readonly token?: HfToken | undefined;
}

/** A token and where it came from. It is redacted in all that is said. */
export interface HfToken {
  /** The token itself; a function, so that printing this object does not show it. */
  readonly reveal: () => string;
  /** `HF_TOKEN`, a file's name, or `the terminal`. */
  readonly from: string;
}

/**
 * The user's token from `HF_TOKEN`, checked for its form and never shown.
 *
 * @throws {TaskError} HF_TOKEN_FORM (exit code 3) when it cannot be a token.
 */
export function hfToken(ctx: Context): string | undefined {
  const token = ctx.env.get("HF_TOKEN");
  return token === undefined ? undefined : checkedToken(ctx, token, "HF_TOKEN").reveal();
}

/** Options of {@link readHfToken}. */
export interface ReadHfTokenOptions {
  /** `--hf-token-file`. */
  readonly file?: string | undefined;
  /** Ask a person when there is neither file nor variable. */
  readonly ask?: boolean | undefined;
}

/**
 * The user's token: from the file, from `HF_TOKEN`, or typed without echo. Undefined when
 * there is none (and, asked, nothing was typed).
 *
 * @throws {TaskError} HF_TOKEN_FILE or HF_TOKEN_FORM (exit code 3).
 */
export async function readHfToken(
  ctx: Context,
  options: ReadHfTokenOptions = {},
): Promise<HfToken | undefined> {
  if (options.file !== undefined) {
    return checkedToken(ctx, await readTokenFile(ctx, options.file), options.file);
  }
  const token = ctx.env.get("HF_TOKEN");
  if (token !== undefined) return checkedToken(ctx, token, "HF_TOKEN");
  if (options.ask !== true || !ctx.ui.interactive) return undefined;
  const typed = await ctx.ui.secret("Hugging Face token (Enter for none)");
  return typed.trim() === "" ? undefined : checkedToken(ctx, typed, "the terminal");
}

async function readTokenFile(ctx: Context, file: string): Promise<string> {
  try {
    return await ctx.fs.readTextFile(file);
  } catch (error) {
    throw preconditionError(
      "HF_TOKEN_FILE",
      `${file} cannot be read: ${messageOf(error)}`,
      "Name a file that holds the token and nothing else.",
    );
  }
}

function checkedToken(ctx: Context, text: string, from: string): HfToken {
  const token = text.trim();
  ctx.ui.redact(token);
  if (!/^hf_[A-Za-z0-9]{8,}$/.test(token)) {
    throw preconditionError(
      "HF_TOKEN_FORM",
      `${from} does not look like a Hugging Face token (hf_ and letters or digits)`,
      "Copy it again from the token page of your Hugging Face account" +
        (from === "HF_TOKEN" ? ", or unset HF_TOKEN." : "."),
    );
  }
  return { reveal: () => token, from };
}

/**
 * Makes sure that the Secret is there: from the token given or `HF_TOKEN`, as it is in the
 * cluster, or (local) empty. Returns what was done, in a few words.
 *
 * @throws {TaskError} HF_TOKEN_MISSING (exit code 3).
 */
export async function ensureHfSecret(
  ctx: Context,
  kube: Kube,
  options: HfSecretOptions,
): Promise<string> {
  const { namespace } = options;
  const name = options.name ?? HF_SECRET;
  const token = options.token ?? await readHfToken(ctx);
  if (token === undefined) {
    if (await hasSecret(kube, namespace, name)) return `${name} is there`;
    if (!options.placeholder) throw tokenMissing(namespace, name);
  }
  await kube.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels: LABELS },
    type: "Opaque",
    stringData: { HF_TOKEN: token?.reveal() ?? "" },
  });
  return token === undefined
    ? `${name} made, empty (nothing is downloaded here)`
    : `${name} from ${token.from}`;
}

/** Checks before anything is touched that {@link ensureHfSecret} is going to succeed. */
export async function requireHfToken(kube: Kube, options: HfSecretOptions): Promise<void> {
  const name = options.name ?? HF_SECRET;
  if (options.placeholder || options.token !== undefined) return;
  if (!await hasSecret(kube, options.namespace, name)) throw tokenMissing(options.namespace, name);
}

/**
 * The key for NVIDIA's registry, for those who asked for a pull secret: public images need
 * none, and a wrong one breaks them.
 *
 * @throws {TaskError} NGC_API_KEY_MISSING or NGC_API_KEY_FORM (exit code 3).
 */
export function ngcKey(ctx: Context): { readonly reveal: () => string } {
  const key = ctx.env.get("NGC_API_KEY")?.trim();
  if (key === undefined || key === "") {
    throw preconditionError(
      "NGC_API_KEY_MISSING",
      "A pull secret for NVIDIA's registry was asked for, and NGC_API_KEY is not set",
      "Set NGC_API_KEY, or leave --ngc-pull-secret out: Dynamo's images are public.",
    );
  }
  ctx.ui.redact(key);
  ctx.ui.redact(btoa(`$oauthtoken:${key}`));
  if (!/^[\x21-\x7e]{20,}$/.test(key)) {
    throw preconditionError(
      "NGC_API_KEY_FORM",
      "NGC_API_KEY does not look like a key (20 or more characters without spaces)",
      "Copy it again from the API key page of your NGC account.",
    );
  }
  return { reveal: () => key };
}

/** Writes the pull secret; returns its name. */
export async function ensureNgcSecret(
  kube: Kube,
  options: { readonly namespace: string; readonly key: { readonly reveal: () => string } },
): Promise<string> {
  const login = btoa(`$oauthtoken:${options.key.reveal()}`);
  const config = { auths: { [NGC_REGISTRY]: { auth: login } } };
  await kube.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: NGC_SECRET, namespace: options.namespace, labels: LABELS },
    type: "kubernetes.io/dockerconfigjson",
    stringData: { ".dockerconfigjson": JSON.stringify(config) },
  });
  return NGC_SECRET;
}

async function hasSecret(kube: Kube, namespace: string, name: string): Promise<boolean> {
  return await kube.get({ apiVersion: "v1", kind: "Secret", namespace, name }) !== undefined;
}

function tokenMissing(namespace: string, name: string): TaskError {
  return preconditionError(
    "HF_TOKEN_MISSING",
    `Secret ${namespace}/${name} is not there and HF_TOKEN is not set`,
    "Set HF_TOKEN to a Hugging Face token with read permission (or give --hf-token-file) and run " +
      "the task again.",
  );
}
