/**
 * Secrets that graphs read.
 *
 * @module
 */
import type { Context } from "../cli/context.ts";
import { preconditionError } from "../cli/errors.ts";
import type { Kube } from "../kube/types.ts";

/** Name of the Secret with the Hugging Face token, as the blueprint and Dynamo's examples have it. */
export const HF_SECRET = "hf-token-secret";

/** Options of {@link ensureHfSecret}. */
export interface HfSecretOptions {
  /** Namespace of the Secret. */
  readonly namespace: string;
  /** Name of the Secret; `hf-token-secret` unless given. */
  readonly name?: string | undefined;
  /** Whether an empty token is enough: nothing is downloaded on the embedded cluster. */
  readonly placeholder: boolean;
}

/**
 * The user's token from `HF_TOKEN`, checked for its form and never shown.
 *
 * @throws {TaskError} HF_TOKEN_FORM (exit code 3) when it cannot be a token.
 */
export function hfToken(ctx: Context): string | undefined {
  const token = ctx.env.get("HF_TOKEN")?.trim();
  if (token === undefined) return undefined;
  ctx.ui.redact(token);
  if (!/^hf_[A-Za-z0-9]{8,}$/.test(token)) {
    throw preconditionError(
      "HF_TOKEN_FORM",
      "HF_TOKEN does not look like a Hugging Face token (hf_ and letters or digits)",
      "Copy it again from the token page of your Hugging Face account, or unset HF_TOKEN.",
    );
  }
  return token;
}

/**
 * Makes sure that the Secret is there: from `HF_TOKEN`, as it is in the cluster, or (local) empty.
 * Returns what was done, in a few words.
 *
 * @throws {TaskError} HF_TOKEN_MISSING (exit code 3).
 */
export async function ensureHfSecret(
  ctx: Context,
  kube: Kube,
  options: HfSecretOptions,
): Promise<string> {
  const name = options.name ?? HF_SECRET;
  const ref = { apiVersion: "v1", kind: "Secret", namespace: options.namespace, name };
  const token = hfToken(ctx);
  if (token === undefined) {
    if (await kube.get(ref) !== undefined) return `${name} is there`;
    if (!options.placeholder) {
      throw preconditionError(
        "HF_TOKEN_MISSING",
        `Secret ${options.namespace}/${name} is not there and HF_TOKEN is not set`,
        "Set HF_TOKEN to a Hugging Face token with read permission and run the task again.",
      );
    }
  }
  await kube.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name,
      namespace: options.namespace,
      labels: {
        "app.kubernetes.io/managed-by": "dynamo-eks",
        "app.kubernetes.io/part-of": "dynamo-eks",
      },
    },
    type: "Opaque",
    stringData: { HF_TOKEN: token ?? "" },
  });
  return token === undefined
    ? `${name} made, empty (nothing is downloaded here)`
    : `${name} from HF_TOKEN`;
}
