/**
 * Hugging Face's hub for tests: one model on loopback, as far as huggingface_hub asks for it. It
 * answers as the hub does (large files by a redirect to another address, ETags that are checksums,
 * ranges, codes of errors in headers), and a test puts faults in between.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/** A file of the model. */
export interface HubFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Size that the hub tells, when it is not the true one. */
  readonly told?: number;
}

/** A request as the hub saw it. */
export interface HubRequest {
  readonly method: string;
  /** Name of the file, `api` for the list of files, or the path. */
  readonly what: string;
  /** First byte asked for. */
  readonly from: number;
  /** Whether it is for the address that large files are redirected to. */
  readonly cdn: boolean;
  /** The token, when one was sent. */
  readonly token: string | undefined;
}

/** What a test wants instead of the usual answer; a number cuts the body after so many bytes. */
export type Fault = Response | number | undefined;

/** Options of {@link startHub}. */
export interface HubOptions {
  readonly model: string;
  readonly files: readonly HubFile[];
  /** Tokens that may read the files; everybody unless given. */
  readonly tokens?: readonly string[];
  /** Asked for each request, before it is answered. */
  readonly fault?: (request: HubRequest) => Fault;
  /** Bytes a second of a body; as fast as it can unless given. */
  readonly bytesPerSecond?: number;
}

/** A running hub. */
export interface Hub extends AsyncDisposable {
  /** For HF_ENDPOINT. */
  readonly url: string;
  readonly requests: readonly HubRequest[];
  readonly commit: string;
  /** May be changed while it runs. */
  options: HubOptions;
}

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const LARGE = 1_000_000;
const PIECE = 256 * 1024;
const NAMES = new WeakMap<Uint8Array, string>();

/** Bytes that look random and are the same each time. */
export function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

/** SHA-256 of large files, git's SHA-1 of small ones: how the hub and its cache name them. */
export function blobName({ bytes }: HubFile): string {
  const known = NAMES.get(bytes);
  if (known !== undefined) return known;
  const name = digestOf(bytes);
  NAMES.set(bytes, name);
  return name;
}

function digestOf(bytes: Uint8Array): string {
  if (bytes.length >= LARGE) return createHash("sha256").update(bytes).digest("hex");
  return createHash("sha1").update(Buffer.from(`blob ${bytes.length}\0`)).update(bytes)
    .digest("hex");
}

/** Starts it on a free port. */
export function startHub(options: HubOptions): Hub {
  const requests: HubRequest[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response(null) },
    (request) => {
      const seen = read(request, hub.options);
      requests.push(seen);
      const fault = hub.options.fault?.(seen);
      if (fault instanceof Response) return fault;
      return answer(request, seen, hub, fault);
    },
  );
  const hub: Hub = {
    url: `http://127.0.0.1:${server.addr.port}`,
    requests,
    commit: COMMIT,
    options,
    [Symbol.asyncDispose]: async () => {
      await server.shutdown();
    },
  };
  return hub;
}

function read(request: Request, { model, files }: HubOptions): HubRequest {
  const { pathname } = new URL(request.url);
  const path = decodeURIComponent(pathname);
  const named = path.startsWith("/cdn/")
    ? files.find((file) => path === `/cdn/${blobName(file)}`)?.name
    : path.startsWith(`/${model}/resolve/`)
    ? path.split("/").slice(5).join("/")
    : path.startsWith(`/api/models/${model}`)
    ? "api"
    : undefined;
  const range = /^bytes=(\d+)-/.exec(request.headers.get("range") ?? "");
  return {
    method: request.method,
    what: named ?? path,
    from: Number(range?.[1] ?? 0),
    cdn: path.startsWith("/cdn/"),
    token: request.headers.get("authorization")?.replace("Bearer ", ""),
  };
}

function answer(request: Request, seen: HubRequest, hub: Hub, cut: number | undefined): Response {
  const { model, files, tokens } = hub.options;
  const path = decodeURIComponent(new URL(request.url).pathname);
  if (seen.what === "api") {
    const revision = path.split("/revision/")[1] ?? "main";
    return revision === "main" || revision === COMMIT
      ? Response.json(modelInfo(model, files))
      : refused(404, "RevisionNotFound", "Invalid rev id");
  }
  const file = files.find((one) => one.name === seen.what);
  if (file === undefined) {
    const code = path.includes(model) ? "EntryNotFound" : "RepoNotFound";
    // The hub does not tell strangers what there is.
    return seen.token === undefined && code === "RepoNotFound"
      ? refused(401, code, "Invalid username or password.")
      : refused(404, code, "not found");
  }
  const isCdn = path.startsWith("/cdn/");
  if (!isCdn && tokens !== undefined && !tokens.includes(seen.token ?? "")) {
    return refused(
      seen.token === undefined ? 401 : 403,
      "GatedRepo",
      `Access to ${model} is gated`,
    );
  }
  const name = blobName(file);
  const headers = { "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes" };
  if (!isCdn && file.bytes.length >= LARGE) {
    return new Response(null, {
      status: 302,
      headers: {
        ...headers,
        Location: `${hub.url}/cdn/${name}`,
        "X-Linked-Size": String(file.bytes.length),
        "X-Linked-Etag": `"${name}"`,
      },
    });
  }
  return content(file.bytes, { hub, seen, cut, headers: { ...headers, ETag: `"${name}"` } });
}

interface Content {
  readonly hub: Hub;
  readonly seen: HubRequest;
  readonly cut: number | undefined;
  readonly headers: Record<string, string>;
}

function content(bytes: Uint8Array, { hub, seen, cut, headers }: Content): Response {
  const { from, method } = seen;
  const length = bytes.length - from;
  const range = from === 0 ? {} : {
    "Content-Range": `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
  };
  const init = {
    status: from === 0 ? 200 : 206,
    headers: { ...headers, ...range, "Content-Length": String(length) },
  };
  if (method === "HEAD") return new Response(null, init);
  let at = from;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (cut !== undefined && at - from >= cut) return controller.error(new Error("cut"));
      if (at >= bytes.length) return controller.close();
      const piece = bytes.subarray(at, at + PIECE);
      at += piece.length;
      const { bytesPerSecond } = hub.options;
      if (bytesPerSecond !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, piece.length / bytesPerSecond * 1000));
      }
      controller.enqueue(piece);
    },
  });
  return new Response(body, init);
}

function refused(status: number, code: string, message: string): Response {
  return Response.json({ error: message }, {
    status,
    headers: { "X-Error-Code": code, "X-Error-Message": message },
  });
}

function modelInfo(model: string, files: readonly HubFile[]): Record<string, unknown> {
  return {
    _id: "0",
    id: model,
    modelId: model,
    sha: COMMIT,
    private: false,
    gated: false,
    disabled: false,
    tags: [],
    downloads: 0,
    likes: 0,
    createdAt: "2025-01-01T00:00:00.000Z",
    lastModified: "2025-01-01T00:00:00.000Z",
    siblings: files.map((file) => ({
      rfilename: file.name,
      size: file.told ?? file.bytes.length,
      blobId: file.bytes.length >= LARGE ? "f".repeat(40) : blobName(file),
      ...(file.bytes.length < LARGE ? {} : {
        lfs: { sha256: blobName(file), size: file.bytes.length, pointerSize: 134 },
      }),
    })),
  };
}
