/**
 * Signature Version 4 of a presigned GET, written from AWS's documentation of it: what STS
 * checks when a cluster shows it a token.
 *
 * @module
 */
import { createHash, createHmac } from "node:crypto";

/** What the signature depends on besides the URL. */
export interface PresignedOptions {
  /** Value of the header `x-k8s-aws-id`, which is signed. */
  readonly cluster: string;
  /** Secret access key. */
  readonly secret: string;
}

/** URL in an EKS token. */
export function tokenUrl(token: string): URL {
  const found = /^k8s-aws-v1\.([A-Za-z0-9_-]+)$/.exec(token);
  if (found === null) throw new Error("no EKS token: base64url without padding is expected");
  const bytes = Uint8Array.fromBase64(found[1]!, { alphabet: "base64url" });
  return new URL(new TextDecoder().decode(bytes));
}

/** The signature that a presigned `sts:GetCallerIdentity` must have. */
export function expectedSignature(url: URL, { cluster, secret }: PresignedOptions): string {
  const pairs = [...url.searchParams].filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).sort();
  const request = [
    "GET",
    "/",
    pairs.join("&"),
    `host:${url.host}`,
    `x-k8s-aws-id:${cluster}`,
    "",
    "host;x-k8s-aws-id",
    sha256(""),
  ].join("\n");
  const scope = url.searchParams.get("X-Amz-Credential")!.split("/").slice(1);
  const text = [
    "AWS4-HMAC-SHA256",
    url.searchParams.get("X-Amz-Date"),
    scope.join("/"),
    sha256(request),
  ].join("\n");
  const key = scope.reduce<Uint8Array | string>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${secret}`,
  );
  return createHmac("sha256", key).update(text).digest("hex");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
