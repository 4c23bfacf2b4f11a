/**
 * For tests of the node agent: a cluster in memory that knows pods, and pods whose process is
 * a small server of the test's.
 *
 * @module
 */
import type { Context } from "../../cli/context.ts";
import { TaskError } from "../../cli/errors.ts";
import type { Kube, KubeObject, ObjectRef, WatchEvent } from "../../kube/types.ts";
import type { AgentConfig } from "../agent_config.ts";
import { localLayout } from "../layout.ts";
import { type Container, POD, type Pod } from "./pod_types.ts";
import { KWOK_NODE } from "./simulated_nodes.ts";

/** A cluster in memory, with what the node agent uses of {@link Kube}. */
export interface MemoryKube extends Kube {
  /** All events about pods, `reason: message`. */
  readonly events: string[];
  /** Puts a pod there, bound to a simulated node. */
  addPod(pod: PodOptions): Promise<Pod>;
  /** The pod, or undefined when it is gone. */
  pod(name: string): Pod | undefined;
  /** Deletes a pod as a user does. */
  deletePod(name: string, graceSeconds?: number): Promise<void>;
  /** All objects of a kind. */
  objects(kind: string): KubeObject[];
}

/** A pod of {@link MemoryKube.addPod}. */
export interface PodOptions {
  /** Name. */
  readonly name: string;
  /** Its container, by default the test server's. */
  readonly container?: Partial<Container>;
  /** `Always` unless given. */
  readonly restartPolicy?: "Always" | "OnFailure" | "Never";
  /** Labels. */
  readonly labels?: Record<string, string>;
}

const NAMESPACE = "demo";

/** Makes an empty cluster with one simulated node. */
export function memoryKube(): MemoryKube {
  const objects = new Map<string, KubeObject>();
  const watchers = new Set<(event: WatchEvent) => void>();
  const events: string[] = [];
  let version = 0;
  const key = (ref: ObjectRef) => `${ref.kind}/${ref.namespace ?? ""}/${ref.name}`;
  const keyOf = (object: KubeObject) => key({ ...object, ...object.metadata });
  const clone = <T>(object: KubeObject) => structuredClone(object) as T;
  const store = (object: KubeObject, type: "ADDED" | "MODIFIED") => {
    object.metadata.resourceVersion = String(++version);
    objects.set(keyOf(object), object);
    if (object.kind === "Pod") {
      for (const tell of watchers) {
        tell({ type, object: clone(object) });
      }
    }
    return object;
  };
  const remove = (object: KubeObject) => {
    objects.delete(keyOf(object));
    object.metadata.resourceVersion = String(++version);
    for (const tell of watchers) tell({ type: "DELETED", object: clone(object) });
  };
  const failure = (code: string, ref: ObjectRef) =>
    new TaskError({ code, message: `${code}: ${key(ref)}` });
  objects.set("Node//node-1", {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "node-1", annotations: { [KWOK_NODE]: "fake" } },
  });

  const kube: MemoryKube = {
    server: "memory",
    contextName: "memory",
    events,
    version: () => Promise.resolve("v0"),
    get<T extends KubeObject>(ref: ObjectRef) {
      const found = objects.get(key(ref));
      return Promise.resolve(found === undefined ? undefined : clone<T>(found));
    },
    list<T extends KubeObject>(kind: { kind: string }) {
      const items = [...objects.values()].filter((object) => object.kind === kind.kind);
      return Promise.resolve({
        items: items.map((item) => clone<T>(item)),
        resourceVersion: String(version),
      });
    },
    apply<T extends KubeObject>(object: KubeObject) {
      const before = objects.get(keyOf(object));
      const uid = before?.metadata.uid ?? crypto.randomUUID();
      const merged = { ...clone<KubeObject>(object), metadata: { ...object.metadata, uid } };
      return Promise.resolve(clone<T>(store(merged, before === undefined ? "ADDED" : "MODIFIED")));
    },
    create<T extends KubeObject>(object: KubeObject) {
      if (object.kind === "Event") events.push(`${object.reason}: ${object.message}`);
      return kube.apply<T>(object);
    },
    replace: (object) => kube.apply(object),
    patch<T extends KubeObject>(ref: ObjectRef, _type: string, body: unknown) {
      const before = objects.get(key(ref));
      if (before === undefined) return Promise.reject(failure("KUBE_NOTFOUND", ref));
      const wanted = (body as KubeObject).metadata;
      for (const field of ["uid", "resourceVersion"] as const) {
        if (wanted?.[field] !== undefined && wanted[field] !== before.metadata[field]) {
          return Promise.reject(failure("KUBE_CONFLICT", ref));
        }
      }
      const merged = mergePatch(before, body) as KubeObject;
      return Promise.resolve(clone<T>(store(merged, "MODIFIED")));
    },
    delete(ref, options = {}) {
      const found = objects.get(key(ref));
      if (found === undefined || (options.uid ?? found.metadata.uid) !== found.metadata.uid) {
        return Promise.resolve(false);
      }
      const grace = options.gracePeriodSeconds ?? 30;
      if (found.kind !== "Pod" || grace === 0) remove(found);
      else {
        const due = new Date(Date.now() + grace * 1_000).toISOString();
        const metadata = {
          ...found.metadata,
          deletionTimestamp: due,
          deletionGracePeriodSeconds: grace,
        };
        store({ ...found, metadata }, "MODIFIED");
      }
      return Promise.resolve(true);
    },
    async *watch<T extends KubeObject>(
      kind: { kind: string },
      { signal }: { signal: AbortSignal },
    ): AsyncGenerator<WatchEvent<T>> {
      const queue: WatchEvent[] = [];
      let rouse = () => {};
      const tell = (event: WatchEvent) => {
        queue.push(event);
        rouse();
      };
      watchers.add(tell);
      signal.addEventListener("abort", () => rouse());
      try {
        const { items } = await kube.list({ apiVersion: "v1", kind: kind.kind });
        yield { type: "SYNC", items: items as T[] };
        while (!signal.aborted) {
          const next = queue.shift();
          if (next !== undefined) yield next as WatchEvent<T>;
          else await new Promise<void>((resolve) => rouse = resolve);
        }
      } finally {
        watchers.delete(tell);
      }
    },
    logs: () => {
      throw new Error("not in memory");
    },
    connect: () => Promise.reject(new Error("not in memory")),
    raw: () => Promise.resolve(""),
    close: () => {},
    async addPod({ name, container = {}, restartPolicy = "Always", labels = {} }) {
      return await kube.apply<Pod>({
        ...POD,
        metadata: { name, namespace: NAMESPACE, labels },
        spec: {
          nodeName: "node-1",
          restartPolicy,
          terminationGracePeriodSeconds: 2,
          containers: [{ ...serverContainer(), ...container }],
        },
      });
    },
    pod: (name) => objects.get(`Pod/${NAMESPACE}/${name}`) as Pod | undefined,
    async deletePod(name, graceSeconds = 2) {
      await kube.delete({ ...POD, name, namespace: NAMESPACE }, {
        gracePeriodSeconds: graceSeconds,
      });
    },
    objects: (kind) => [...objects.values()].filter((object) => object.kind === kind),
  };
  return kube;
}

/** RFC 7386. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> =
    typeof target === "object" && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else if (value !== undefined) result[name] = mergePatch(result[name], value);
  }
  return result;
}

// Runs in place of etcd, whose address it takes: answers /health, misbehaves on demand.
const SERVER = `
import http.server, os, pathlib, re, signal, sys
mood = pathlib.Path(sys.argv[1])
port = int(re.search(r"--listen-client-urls=http://127.0.0.1:(\\d+)", " ".join(sys.argv)).group(1))
def say(text): return mood.exists() and text in mood.read_text()
print("up as", os.getpid(), flush=True)
if say("crash"): sys.exit(3)
if say("stubborn"): signal.signal(signal.SIGTERM, signal.SIG_IGN)
else: signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        sick = say("sick") or (self.path == "/ready" and say("unready"))
        self.send_response(503 if sick else 200); self.end_headers(); self.wfile.write(b"{}")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
`;

/** A container that the test server stands for. */
export function serverContainer(): Container {
  const probe = (path: string) => ({
    httpGet: { path, port: "client" },
    periodSeconds: 1,
    timeoutSeconds: 2,
  });
  return {
    name: "main",
    image: "test/etcd:1",
    ports: [{ name: "client", containerPort: 2379 }],
    readinessProbe: { ...probe("/ready"), failureThreshold: 1 },
    livenessProbe: { ...probe("/live"), failureThreshold: 1 },
  };
}

/** Python for tests, or undefined (with a line that says so) where there is none. */
export async function testPython(ctx: Context): Promise<string | undefined> {
  try {
    const found = await ctx.processes.run("python3", ["-c", "import sys; print(sys.executable)"]);
    if (found.code === 0) return found.stdout.trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  // deno-lint-ignore no-console -- a test that cannot run says so
  console.log("SKIPPED: there is no python3");
  return undefined;
}

/** Configuration of an agent whose etcd is the test server, and the file that sets its mood. */
export function testConfig(ctx: Context, python: string): { config: AgentConfig; mood: string } {
  const mood = `${ctx.home}/mood`;
  const config: AgentConfig = {
    kubeconfig: "",
    operatorKubeconfig: "",
    layout: localLayout(ctx),
    projectRoot: ctx.root,
    denoPath: ctx.processes.denoPath,
    release: "1.6.1",
    python: { interpreter: python, dynamoVersion: "1.6.1", pythonVersion: "3" },
    etcd: [python, "-c", SERVER, mood],
    operator: { kind: "stand-in" },
  };
  return { config, mood };
}
