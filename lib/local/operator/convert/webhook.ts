/**
 * The conversion webhook: HTTPS on loopback, for the API server only.
 *
 * @module
 */
import { messageOf } from "../../../cli/errors.ts";
import type { KubeObject } from "../../../kube/types.ts";
import { selfSignedCertificate } from "./certificate.ts";
import { convertAll } from "./convert.ts";

/** A running webhook. */
export interface ConversionServer extends AsyncDisposable {
  /** `https://127.0.0.1:<port>/convert`. */
  readonly url: string;
  /** Its certificate as PEM, for the API server to trust. */
  readonly certificate: string;
}

/** Starts the webhook on a free port. */
export async function serveConversion(
  serve: typeof Deno.serve,
  now: number,
): Promise<ConversionServer> {
  const { certificate, key } = await selfSignedCertificate(now);
  const server = serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: certificate,
    key,
    onListen: () => {},
  }, answer);
  return {
    url: `https://127.0.0.1:${(server.addr as Deno.NetAddr).port}/convert`,
    certificate,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

/** The part of a ConversionReview that is read. */
export interface ConversionReview {
  /** What to convert, and to which version. */
  readonly request?: {
    readonly uid: string;
    readonly desiredAPIVersion: string;
    readonly objects: readonly KubeObject[];
  };
}

async function answer(request: Request): Promise<Response> {
  if (request.method !== "POST" || new URL(request.url).pathname !== "/convert") {
    return new Response("not found\n", { status: 404 });
  }
  let review: ConversionReview;
  try {
    review = await request.json();
  } catch {
    return new Response("not JSON\n", { status: 400 });
  }
  return Response.json(convertReview(review));
}

/** Answers a ConversionReview of apiextensions.k8s.io/v1. */
export function convertReview(review: ConversionReview): Record<string, unknown> {
  const { uid = "", desiredAPIVersion = "", objects = [] } = review.request ?? {};
  const about = { apiVersion: "apiextensions.k8s.io/v1", kind: "ConversionReview" };
  try {
    const convertedObjects = convertAll(objects, desiredAPIVersion);
    return { ...about, response: { uid, convertedObjects, result: { status: "Success" } } };
  } catch (error) {
    const result = { status: "Failed", message: messageOf(error) };
    return { ...about, response: { uid, convertedObjects: [], result } };
  }
}
