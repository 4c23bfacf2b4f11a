import assert from "node:assert/strict";
import type { Kube, KubeObject } from "../../kube/types.ts";
import { FOLDER_PROVISIONER } from "../storage_classes.ts";
import { claimFolder, folderVolume } from "./claim_folders.ts";
import { readMounts } from "./container_mounts.ts";
import type { ContainerRequest, LocalPlaces, ProcessCommand } from "./local_command.ts";
import { pythonFile } from "./python_file_command.ts";
import type { Container, Pod } from "./pod_types.ts";
import { translateContainer } from "./translate.ts";

const FILE = "/code/fetch.py";

function request(more: Partial<ContainerRequest> = {}): ContainerRequest {
  return {
    image: "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1",
    words: ["python3", "-u", FILE, "--into=/cache", "/cache/x"],
    env: { HF_HOME: "/cache", TOKEN: "hidden", PATH: "/usr/bin", PYTHONPATH: "/opt" },
    secret: new Set(["TOKEN"]),
    annotations: {},
    namespace: "demo",
    mounts: [
      { path: "/code", files: { "fetch.py": new TextEncoder().encode("1") } },
      { path: "/cache", files: {}, folder: "/volumes/u1" },
    ],
    ...more,
  };
}

const places = {
  config: {
    python: { interpreter: "/venv/bin/python", dynamoVersion: "1.6.1" },
    projectRoot: "/p",
  },
  scratch: "/scratch",
  port: (port: number) => port,
  addresses: {},
} as unknown as LocalPlaces;

Deno.test("a Python file of a pod runs with the runtime's Python, in the folder of its claim", () => {
  const command = translateContainer(request(), places) as ProcessCommand;
  assert.equal(command.kind, "process");
  assert.equal(command.program, "/venv/bin/python");
  assert.deepEqual(command.args, [
    "-u",
    "/scratch/code/fetch.py",
    "--into=/cache",
    "/volumes/u1/x",
  ]);
  assert.deepEqual(command.env, {
    PYTHONUNBUFFERED: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    HF_HOME: "/volumes/u1",
    TOKEN: "hidden",
  });
  assert.deepEqual(Object.keys(command.files ?? {}), ["code/fetch.py"]);
  assert.deepEqual(command.folders, ["code"]);
  assert.equal(command.privateNetwork, false);
});

Deno.test("what is no Python file of the pod's own is something else", () => {
  for (
    const words of [
      ["python3", "-m", "dynamo.frontend"],
      ["python3", "-c", FILE],
      ["python3", "fetch.py"],
      ["python3"],
      ["sh", FILE],
      [],
    ]
  ) {
    assert.equal(pythonFile(words), undefined, words.join(" "));
  }
  const other = translateContainer(request({ words: ["python3", "/etc/other.py"] }), places);
  assert.equal(other.kind, "simulated");
  const foreign = translateContainer(request({ image: "docker.io/library/python:3.12" }), places);
  assert.equal(foreign.kind, "simulated");
});

Deno.test("a claim is the folder of its volume when the cluster made that, and else an empty one", async () => {
  const claim: KubeObject = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "models", namespace: "demo", uid: "u1" },
    spec: { volumeName: "pvc-u1", resources: { requests: { storage: "5Gi" } } },
  };
  const ours = folderVolume(claim, "/volumes/u1");
  assert.equal(ours["spec"].claimRef.uid, "u1");
  assert.equal(ours["spec"].capacity.storage, "5Gi");
  const theirs = { ...ours, metadata: { name: "pvc-u1" } };
  const kube = (volume: KubeObject | undefined) =>
    ({
      get: ({ kind }: { kind: string }) =>
        Promise.resolve(kind === "PersistentVolume" ? volume : claim),
    }) as unknown as Pick<Kube, "get">;
  const place = { namespace: "demo", name: "models" };
  assert.equal(await claimFolder(kube(ours), place), "/volumes/u1");
  assert.equal(await claimFolder(kube(theirs), place), undefined);
  assert.equal(await claimFolder(kube(undefined), place), undefined);
  assert.equal(
    ours.metadata.annotations?.["pv.kubernetes.io/provisioned-by"],
    FOLDER_PROVISIONER,
  );
  const container: Container = {
    name: "main",
    volumeMounts: [{ name: "cache", mountPath: "/cache/" }],
  };
  const pod = {
    metadata: { name: "pod", namespace: "demo" },
    spec: {
      containers: [container],
      volumes: [{ name: "cache", persistentVolumeClaim: { claimName: "models" } }],
    },
  } as unknown as Pod;
  assert.deepEqual(await readMounts(kube(ours), pod, container), [
    { path: "/cache", files: {}, folder: "/volumes/u1" },
  ]);
  assert.deepEqual(await readMounts(kube(theirs), pod, container), [{ path: "/cache", files: {} }]);
});
