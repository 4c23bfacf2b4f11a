import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { KubeObject } from "../../kube/types.ts";
import { readMounts } from "./container_mounts.ts";
import type { ContainerRequest, LocalPlaces, ProcessCommand } from "./local_command.ts";
import type { Container, Pod } from "./pod_types.ts";
import { neededPorts, translateContainer } from "./translate.ts";

const SCRIPT = "/app/code/lib/main.ts";

function request(more: Partial<ContainerRequest> = {}): ContainerRequest {
  return {
    image: "registry.example.com/mirror/deno:2.9.6@sha256:00",
    words: ["deno", "run", "--allow-all", "--quiet", SCRIPT, "--into", "/app/out", "/etc/passwd"],
    env: {
      URL: "http://web.demo.svc.cluster.local:8000",
      CONTROL_PORT: "9471",
      DENO_DIR: "/app/out",
      PATH: "/usr/bin",
    },
    secret: new Set(),
    annotations: {},
    namespace: "demo",
    mounts: [
      { path: "/app/code", files: { "lib/main.ts": new TextEncoder().encode("1") } },
      { path: "/app/out", files: {} },
    ],
    ...more,
  };
}

const places = {
  config: { denoPath: "/deno" },
  scratch: "/scratch",
  port: (port: number) => port + 20_000,
  addresses: { "web.demo.svc.cluster.local:8000": "127.0.0.1:28000" },
} as unknown as LocalPlaces;

Deno.test("a Deno program of a pod: its files, ports and addresses become local, its permissions do not count", () => {
  const command = translateContainer(request(), places) as ProcessCommand;
  assert.equal(command.kind, "process");
  assert.equal(command.program, "/deno");
  assert.deepEqual(command.args.slice(-4), [
    "/scratch/app/code/lib/main.ts",
    "--into",
    "/scratch/app/out",
    "/etc/passwd",
  ]);
  assert.deepEqual(command.args.filter((arg) => arg.startsWith("--allow")), [
    "--allow-net=127.0.0.1",
    "--allow-env",
    "--allow-sys",
    "--allow-read=/scratch",
  ]);
  assert.deepEqual(command.env, {
    DENO_NO_UPDATE_CHECK: "1",
    URL: "http://127.0.0.1:28000",
    CONTROL_PORT: "29471",
    DENO_DIR: "/scratch/app/out",
  });
  assert.deepEqual(Object.keys(command.files ?? {}), ["app/code/lib/main.ts"]);
  assert.deepEqual(command.folders, ["app/code", "app/out", "app/code/lib"]);
  assert.equal(command.privateNetwork, true);
  assert.deepEqual(neededPorts({ name: "client" }, request(), places), [9471]);
});

Deno.test("what is no program in a volume of its pod is not run", () => {
  for (
    const words of [
      [],
      ["deno"],
      ["deno", "eval", SCRIPT],
      ["deno", "run", "--quiet"],
      ["deno", "run", "/etc/hosts.ts"],
      ["deno", "run", "/app/code/../../other.ts"],
      ["deno", "run", "https://example.com/main.ts"],
      ["sh", "-c", `deno run ${SCRIPT}`],
    ]
  ) {
    assert.equal(translateContainer(request({ words }), places).kind, "simulated", words.join(" "));
  }
});

const objects: Record<string, KubeObject> = {
  "ConfigMap/code": {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "code" },
    data: { "lib..main.ts": "1", other: "2" },
    binaryData: { packed: btoa("\x00\xff") },
  },
  "Secret/keys": {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "keys" },
    data: { key: btoa("hidden") },
  },
};

const kube = {
  get: ({ kind, name }: { kind: string; name: string }) =>
    Promise.resolve(objects[`${kind}/${name}`]),
} as unknown as Parameters<typeof readMounts>[0];

function mountsOf(volume: Record<string, unknown>, mountPath = "/app/code/") {
  const container: Container = { name: "client", volumeMounts: [{ name: "files", mountPath }] };
  const pod = {
    metadata: { name: "pod", namespace: "demo" },
    spec: { containers: [container], volumes: [{ name: "files", ...volume }] },
  } as unknown as Pod;
  return readMounts(kube, pod, container);
}

const items = [{ key: "lib..main.ts", path: "lib/main.ts" }];

Deno.test("volumes as a kubelet makes them: items, binary data, several in one, empty ones", async () => {
  const projected = {
    projected: { sources: [{ configMap: { name: "code", items } }, { secret: { name: "keys" } }] },
  };
  assert.deepEqual(await mountsOf(projected), [{
    path: "/app/code",
    files: { "lib/main.ts": Buffer.from("1"), key: Buffer.from("hidden") },
  }]);
  assert.deepEqual(await mountsOf({ configMap: { name: "code" } }), [{
    path: "/app/code",
    files: {
      "lib..main.ts": Buffer.from("1"),
      other: Buffer.from("2"),
      packed: Buffer.from([0, 255]),
    },
  }]);
  const empty = [{ path: "/app/code", files: {} }];
  assert.deepEqual(await mountsOf({ emptyDir: {} }), empty);
  assert.deepEqual(await mountsOf({ configMap: { name: "gone", optional: true } }), empty);
});

Deno.test("volumes that are not there, or lead elsewhere, keep the container from starting", async () => {
  const wrong: [Record<string, unknown>, string | undefined, RegExp][] = [
    [{ configMap: { name: "gone" } }, undefined, /configmap "gone" not found/],
    [{ secret: { secretName: "gone" } }, undefined, /secret "gone" not found/],
    [{ configMap: { name: "code", items: [{ key: "x", path: "x" }] } }, undefined, /find key x/],
    [
      { configMap: { name: "code", items: [{ ...items[0], path: "../x" }] } },
      undefined,
      /leads out/,
    ],
    [{ emptyDir: {} }, "/app/../../x", /cannot be at/],
  ];
  for (const [volume, path, message] of wrong) {
    const found = await mountsOf(volume, path);
    assert.ok("problem" in found, JSON.stringify(volume));
    assert.match(found.problem, message);
  }
});
