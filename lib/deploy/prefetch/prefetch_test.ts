import assert from "node:assert/strict";
import { TaskError } from "../../cli/errors.ts";
import { isForeign } from "../../platform/namespace_content.ts";
import type { KubeObject } from "../../kube/types.ts";
import { chooseClass } from "./claim.ts";
import { prefetchError } from "./failures.ts";
import { cacheRows } from "./list.ts";
import { noteText, progressText, readMessage } from "./messages.ts";
import { checkNames, jobName, type PrefetchSpec, sameSpec } from "./names.ts";
import { cacheClaim, prefetchObjects } from "./objects.ts";
import {
  type CachedModel,
  holds,
  listCaches,
  modelOf,
  readRecords,
  servesOffline,
  writeRecord,
} from "./records.ts";
import { claimSize, downloadSeconds, memoryRequest, modelBytes } from "./sizes.ts";

const SPEC: PrefetchSpec = {
  model: "Qwen/Qwen3-0.6B",
  revision: "main",
  claim: "model-cache",
  claimUid: "u1",
  include: [],
  exclude: [],
};
const DONE = { prefetch: "done", commit: "c".repeat(40), bytes: 1.5e9, files: 10, whole: true };

function failure(run: () => unknown): TaskError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof TaskError, String(error));
    return error;
  }
  throw new Error("nothing was thrown");
}

Deno.test("names of models and revisions are checked before anything is touched", () => {
  for (const model of ["Qwen/Qwen3-0.6B", "gpt2", "meta-llama/Llama-3.3-70B-Instruct", "a/b_c.d"]) {
    checkNames(model, "main");
  }
  for (const revision of ["v1.0", "refs/pr/1", "f".repeat(40)]) checkNames("a/b", revision);
  for (
    const model of [
      "",
      "a/b/c",
      "../b",
      "a/..",
      "-a/b",
      "a--b/c",
      "a/b.git",
      "a b",
      "a/b$(x)",
      "a/",
    ]
  ) {
    const { code, exitCode } = failure(() => checkNames(model, "main"));
    assert.deepEqual([code, exitCode], ["PREFETCH_MODEL", 2], model);
  }
  for (const revision of ["", "../x", "-x", "a b", "a//b", "a/"]) {
    assert.equal(failure(() => checkNames("a/b", revision)).code, "PREFETCH_REVISION", revision);
  }
});

Deno.test("the same files have the same Job; another claim of the same name has not", () => {
  const name = jobName(SPEC);
  assert.match(name, /^prefetch-qwen3-0-6b-[0-9a-f]{8}$/);
  const turned = { ...SPEC, exclude: ["b", "a"] };
  assert.equal(jobName({ ...SPEC, exclude: ["a", "b"] }), jobName(turned));
  assert.ok(sameSpec(turned, { ...SPEC, exclude: ["a", "b"] }));
  for (const other of [{ claimUid: "u2" }, { revision: "v1" }, { include: ["*"] }]) {
    assert.notEqual(jobName({ ...SPEC, ...other }), name);
  }
  assert.ok(jobName({ ...SPEC, model: `a/${"x".repeat(96)}` }).length <= 57);
  assert.match(jobName({ ...SPEC, model: "a/--__" }), /^prefetch-[0-9a-f]{8}$/);
});

Deno.test("what a download asks for grows with the model", () => {
  const sizes = ["Qwen/Qwen3-0.6B", "meta-llama/Llama-3.3-70B-Instruct", "deepseek-ai/DeepSeek-R1"]
    .map((model) => {
      const bytes = modelBytes(model);
      return [memoryRequest(bytes), claimSize(bytes), downloadSeconds(bytes)];
    });
  assert.deepEqual(sizes, [
    ["1280Mi", "100Gi", 3600],
    ["2560Mi", "350Gi", 9000],
    ["7424Mi", "1600Gi", 35400],
  ]);
  assert.equal(modelBytes("acme/model"), undefined);
  assert.deepEqual([memoryRequest(undefined), claimSize(undefined)], ["2048Mi", "500Gi"]);
});

const JOB = {
  namespace: "dynamo",
  spec: { ...SPEC, exclude: ["*.$(HF_TOKEN)"] },
  program: { "download_model.py": "print(1)" },
  image: "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1",
  concurrency: 4,
  verify: true,
  tokenSecret: "hf-token-secret",
  endpoint: "http://hub.example",
  memory: "2048Mi",
  deadlineSeconds: 3600,
  nodePool: "cpu-karpenter",
};

Deno.test("the Job: labelled, one file of ours, the token by reference only, final errors end it", () => {
  const { job, program } = prefetchObjects(JOB);
  const owned = program({ apiVersion: "batch/v1", kind: "Job", name: "j", uid: "u" });
  for (const object of [job, owned, cacheClaim({ ...JOB, ...CLAIM_WISH })]) {
    assert.equal(object.metadata.labels?.["app.kubernetes.io/managed-by"], "dynamo-eks");
    assert.equal(isForeign({ ...object, metadata: { ...object.metadata } }, []), false);
  }
  const spec = job["spec"];
  const pod = spec.template.spec;
  const [container] = pod.containers;
  assert.deepEqual(container.command, ["python3", "/prefetch/download_model.py"]);
  assert.deepEqual(container.args, [
    "--model=Qwen/Qwen3-0.6B",
    "--revision=main",
    "--concurrency=4",
    // Kubernetes must not put the token there.
    "--exclude=*.$$(HF_TOKEN)",
    "--verify",
  ]);
  const token = container.env.find(({ name }: { name: string }) => name === "HF_TOKEN");
  assert.deepEqual(token.valueFrom.secretKeyRef, {
    name: "hf-token-secret",
    key: "HF_TOKEN",
    optional: true,
  });
  assert.deepEqual(container.resources, {
    requests: { cpu: "1", memory: "2048Mi" },
    limits: { memory: "4096Mi" },
  });
  assert.equal(pod.restartPolicy, "Never");
  assert.equal(spec.podFailurePolicy.rules[0].onExitCodes.values[0], 3);
  assert.equal(spec.activeDeadlineSeconds, 3600);
  assert.equal(owned["data"]["download_model.py"], "print(1)");
  assert.equal(owned.metadata.ownerReferences?.[0]?.uid, "u");
});

const CLAIM_WISH = { name: "model-cache", size: "100Gi", storageClass: "efs-sc-dynamic" };

Deno.test("storage classes: one that many nodes can mount, or a clear no", () => {
  const of = (name: string, provisioner: string): KubeObject => ({
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name },
    provisioner,
  });
  const disks = [of("gp3", "ebs.csi.aws.com")];
  assert.equal(chooseClass([...disks, of("efs-sc", "efs.csi.aws.com")], undefined), "efs-sc");
  assert.equal(chooseClass(disks, "gp3"), "gp3");
  const none = failure(() => chooseClass(disks, undefined));
  assert.deepEqual([none.code, none.exitCode], ["CACHE_STORAGE_CLASS", 3]);
  assert.match(none.message, /there are: gp3/);
  assert.match(failure(() => chooseClass([], "x")).message, /no storage class x.*none/);
});

Deno.test("what the program says becomes lines for people", () => {
  const progress = readMessage(
    '{"prefetch": "progress", "bytes": 1200000000, "total": 2800000000, "files": 5, "of": 12, ' +
      '"rate": 320000000}',
  );
  assert.ok(progress?.prefetch === "progress");
  assert.equal(
    progressText(progress, false),
    "42 %, 1.2 GB of 2.8 GB, 5 of 12 files, 320 MB/s, 5.0 s left",
  );
  assert.match(progressText(progress, true), /^█{9}░{11} 42 %/);
  assert.equal(readMessage("Warning: You are sending unauthenticated requests"), undefined);
  assert.equal(readMessage('{"prefetch": '), undefined);
  assert.equal(
    noteText({ prefetch: "waiting", why: "HTTP 429", seconds: 7.5, attempt: 1 }),
    "HTTP 429: trying again in 7.5 s",
  );
  assert.equal(noteText(progress), undefined);
});

Deno.test("errors say what to do", () => {
  const of = (code: string, reason = "PodFailurePolicy") =>
    prefetchError({
      model: SPEC.model,
      reason,
      message: "m",
      failed: { prefetch: "failed", code, message: "the hub says no", final: true },
      evidence: ["line"],
    });
  const gated = of("GATED");
  assert.deepEqual([gated.code, gated.exitCode, gated.evidence], ["PREFETCH_GATED", 3, ["line"]]);
  assert.match(gated.message, /^Qwen\/Qwen3-0.6B was not downloaded: the hub says no$/);
  assert.match(gated.hint!, /Accept the licence.*HF_TOKEN/s);
  assert.match(of("DISK_FULL").hint!, /--size/);
  assert.equal(of("NETWORK").exitCode, 1);
  const late = of("NETWORK", "DeadlineExceeded");
  assert.deepEqual([late.code, late.exitCode], ["PREFETCH_TIMEOUT", 4]);
});

/** A namespace with claims and Jobs, and one pod's log. */
function cluster(claims: KubeObject[], jobs: KubeObject[], log: string[] = []) {
  return {
    list: ({ kind }: { kind: string }) =>
      Promise.resolve({
        resourceVersion: "1",
        items: kind === "Job"
          ? jobs
          : kind === "Pod"
          ? [{ metadata: { name: "p" }, status: { phase: "Succeeded" } }]
          : claims,
      }),
    logs: async function* () {
      yield* log;
    },
    patch: (_ref: unknown, _type: unknown, { metadata }: { metadata: KubeObject["metadata"] }) => {
      Object.assign(claims[0]!.metadata.annotations ??= {}, metadata.annotations);
      return Promise.resolve(claims[0]!);
    },
  } as unknown as Parameters<typeof listCaches>[0] & Parameters<typeof writeRecord>[0];
}

function claimObject(): KubeObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "model-cache", namespace: "dynamo", uid: "u1" },
    spec: { accessModes: ["ReadWriteMany"], storageClassName: "efs-sc-dynamic" },
    status: { phase: "Bound", capacity: { storage: "100Gi" } },
  };
}

function jobObject(type: string, spec: PrefetchSpec = SPEC): KubeObject {
  const { job } = prefetchObjects({ ...JOB, spec });
  return {
    ...job,
    status: { conditions: [{ type, status: "True" }], completionTime: "2026-01-01T00:00:00Z" },
  };
}

Deno.test("records: written at the claim, read back, and found in Jobs that nobody waited for", async () => {
  const claim = claimObject();
  const kube = cluster([claim], []);
  const record = modelOf(SPEC, DONE as never, "2026-01-01T00:00:00Z");
  await writeRecord(kube, { namespace: "dynamo", claim: "model-cache" }, record);
  assert.deepEqual(readRecords(claim), [record]);
  for (const key of Object.keys(claim.metadata.annotations!)) {
    assert.match(key, /^models\.dynamo-eks\/[A-Za-z0-9][\w.-]{0,62}$/);
  }
  claim.metadata.annotations!["models.dynamo-eks/odd"] = "{";
  const [cache] = await listCaches(kube, "dynamo");
  assert.deepEqual(cache?.models, [record]);
  assert.ok(servesOffline(cache!, SPEC.model) && cache!.shared);
  assert.deepEqual(cacheRows([cache!], Date.parse("2026-01-01T00:01:00Z"))[1], [
    "model-cache",
    "Qwen/Qwen3-0.6B",
    "main",
    "1.5 GB",
    "complete",
    "1 min 0 s",
  ]);
  const log = ["noise", JSON.stringify(DONE)];
  const found = async (job: KubeObject, lines = log) =>
    (await listCaches(cluster([claimObject()], [job], lines), "dynamo"))[0];
  assert.deepEqual((await found(jobObject("Complete")))?.models, [record]);
  // Without the log nobody knows what it was, and a claim of the same name may be another one.
  assert.equal(await found(jobObject("Complete"), []), undefined);
  assert.equal(await found(jobObject("Complete", { ...SPEC, claimUid: "u0" })), undefined);
  assert.equal((await found(jobObject("Failed")))?.loading[0]?.state, "failed");
  assert.equal((await found(jobObject("Suspended")))?.loading[0]?.state, "running");
});

Deno.test("what a cache holds: all files are also some of them, some are not all", () => {
  const whole: CachedModel = modelOf(SPEC, DONE as never, "");
  const part = modelOf({ ...SPEC, include: ["*.json"] }, { ...DONE, whole: false } as never, "");
  assert.ok(holds(whole, SPEC) && holds(whole, { ...SPEC, exclude: ["*.md"] }));
  assert.ok(!holds(whole, { ...SPEC, include: ["original/*"] }), "those were left out");
  assert.ok(!holds(part, SPEC) && holds(part, { ...SPEC, include: ["*.json"] }));
  assert.ok(!holds(whole, { ...SPEC, revision: "v1" }));
});
