/**
 * A certificate for 127.0.0.1, made anew with every start and never written to disk.
 *
 * @module
 */

/** A certificate, and the key that belongs to it, as PEM. */
export interface SelfSigned {
  /** The certificate. */
  readonly certificate: string;
  /** Its private key. */
  readonly key: string;
}

const OID = {
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  commonName: [0x55, 0x04, 0x03],
  subjectAltName: [0x55, 0x1d, 0x11],
} as const;

const DAY_MS = 86_400_000;

/** Makes a self-signed ECDSA P-256 certificate (X.509 v3, RFC 5280) for 127.0.0.1, valid for a year. */
export async function selfSignedCertificate(now: number): Promise<SelfSigned> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const algorithm = sequence(tag(0x06, OID.ecdsaWithSha256));
  const name = sequence(
    tag(0x31, sequence(tag(0x06, OID.commonName), tag(0x0c, bytesOf("dynamo-operator")))),
  );
  // A DNS name or address of a certificate is a [n] element: [7] is an address.
  const altNames = sequence(tag(0x87, [127, 0, 0, 1]));
  const extensions = tag(
    0xa3,
    sequence(sequence(tag(0x06, OID.subjectAltName), tag(0x04, altNames))),
  );
  const body = sequence(
    tag(0xa0, tag(0x02, [2])),
    tag(0x02, serialNumber()),
    algorithm,
    name,
    sequence(utcTime(now - DAY_MS), utcTime(now + 365 * DAY_MS)),
    name,
    publicKey,
    extensions,
  );
  const raw = new Uint8Array(
    await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, body),
  );
  const signature = sequence(integer(raw.subarray(0, 32)), integer(raw.subarray(32)));
  const certificate = sequence(body, algorithm, tag(0x03, [0, ...signature]));
  const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  return { certificate: pem("CERTIFICATE", certificate), key: pem("PRIVATE KEY", key) };
}

/** One element of DER: tag, length, content. */
function tag(number: number, ...contents: readonly Iterable<number>[]): Uint8Array<ArrayBuffer> {
  const content = contents.flatMap((one) => [...one]);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return new Uint8Array([number, ...length, ...content]);
}

function sequence(...contents: readonly Iterable<number>[]): Uint8Array<ArrayBuffer> {
  return tag(0x30, ...contents);
}

/** A positive integer: shortest form, with a zero before a set highest bit. */
function integer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const start = bytes.findIndex((byte) => byte !== 0);
  const short = start < 0 ? new Uint8Array([0]) : bytes.subarray(start);
  return tag(0x02, (short[0] ?? 0) >= 0x80 ? [0, ...short] : short);
}

function serialNumber(): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function utcTime(at: number): Uint8Array<ArrayBuffer> {
  const text = new Date(at).toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return tag(0x17, bytesOf(`${text}Z`));
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function pem(label: string, bytes: Uint8Array): string {
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
