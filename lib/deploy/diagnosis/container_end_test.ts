import assert from "node:assert/strict";
import { tellingLine } from "./container_end.ts";
import { diagnose } from "./diagnose.ts";
import { modelTrouble } from "./model.ts";
import { testFacts, testPod } from "./testing.ts";
import { logKey } from "./types.ts";

const ended = (exitCode: number, reason = "Error", more = {}) => ({
  terminated: { exitCode, reason, startedAt: "x", finishedAt: "y", ...more },
});
const BACK_OFF = { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s restarting" } };
const RUNNING = { running: { startedAt: "x" } };

function found(main: Record<string, unknown>, log: Record<number, string[]> = {}, memory?: string) {
  const pod = testPod({ node: "a", main, ...(memory === undefined ? {} : { memory }) });
  const logs = new Map(
    Object.entries(log).map(([restart, lines]) => [
      logKey(pod.metadata.name, "main", Number(restart)),
      lines,
    ]),
  );
  return diagnose(testFacts([pod], { logs }));
}

Deno.test("a crash is final at its third time, with exit code and the line that tells", () => {
  const log = ["loading", "usage: frontend.py", "frontend.py: error: unrecognized arguments: --x"];
  const at = (restartCount: number, state: unknown) =>
    found({ restartCount, state, lastState: ended(2) }, { [restartCount]: log })[0]!;
  assert.deepEqual([at(1, BACK_OFF).code, at(1, BACK_OFF).final], ["CRASH_LOOP", false]);
  const third = at(2, BACK_OFF);
  assert.equal(third.final, true);
  assert.match(third.cause, /exit code 2, 3 times: .*unrecognized arguments: --x/);
  assert.equal(at(7, RUNNING).final, false, "what runs may get over it");
});

Deno.test("exit codes of signals have names", () => {
  const [one] = found({ restartCount: 2, state: BACK_OFF, lastState: ended(139) });
  assert.match(one!.cause, /exit code 139 \(SIGSEGV\)/);
});

Deno.test("killed for its memory: final the second time, with the limit", () => {
  const oom = ended(137, "OOMKilled");
  const once = found({ restartCount: 1, state: RUNNING, lastState: oom }, {}, "4Gi")[0]!;
  assert.deepEqual([once.code, once.final], ["OUT_OF_MEMORY", false]);
  const twice = found({ restartCount: 1, state: BACK_OFF, lastState: oom }, {}, "4Gi")[0]!;
  assert.equal(twice.final, true);
  assert.match(twice.cause, /its limit is 4Gi/);
});

Deno.test("what is missing in the configuration", () => {
  const [one] = found({
    state: {
      waiting: {
        reason: "CreateContainerConfigError",
        message: 'secret "hf-token-secret" not found',
      },
    },
  });
  assert.deepEqual([one!.code, one!.final], ["CONTAINER_CONFIG", true]);
  assert.match(one!.hint, /HF_TOKEN/);
});

Deno.test("a container that starts, or has ended well, has no trouble", () => {
  assert.deepEqual(found({ state: { waiting: { reason: "ContainerCreating" } } }), []);
  assert.deepEqual(found({ state: RUNNING }), []);
  assert.deepEqual(found({ state: ended(0, "Completed") }), []);
});

Deno.test("the log says why: Hugging Face, final once the process has ended", () => {
  const url = "https://huggingface.co/meta-llama/Llama-3.1-8B/resolve/main/config.json";
  const cases: [string, string, boolean][] = [
    [
      `huggingface_hub.errors.GatedRepoError: 401 Client Error. Cannot access gated repo for url ${url}.`,
      "HF_UNAUTHORIZED",
      true,
    ],
    [
      `requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: ${url}`,
      "HF_FORBIDDEN",
      true,
    ],
    [
      `huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: ${url}`,
      "HF_RATE_LIMIT",
      false,
    ],
    ["huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error.", "MODEL_UNKNOWN", true],
    ["torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", "GPU_MEMORY", true],
    [
      "RuntimeError: The NVIDIA driver on your system is too old (found version 12040).",
      "GPU_DRIVER",
      true,
    ],
    ["RuntimeError: No CUDA GPUs are available", "GPU_NONE", true],
    ["OSError: [Errno 28] No space left on device", "NODE_DISK", true],
  ];
  for (const [line, code, final] of cases) {
    const crashed = found({ restartCount: 0, state: ended(1) }, { 0: ["Traceback", line] })[0]!;
    assert.deepEqual([crashed.code, crashed.final], [code, final], line);
    const restarted = found({ restartCount: 1, state: RUNNING, lastState: ended(1) }, {
      0: [line],
    });
    assert.deepEqual([restarted[0]?.code, restarted[0]?.final], [code, final], line);
    const running = found({ restartCount: 0, state: RUNNING }, { 0: [line] })[0]!;
    assert.deepEqual([running.code, running.final], [code, false], `${line}, while it runs`);
  }
});

Deno.test("ordinary lines say nothing", () => {
  const lines = [
    "INFO 03-01 10:00:00 Loading safetensors checkpoint shards: 40% Completed",
    'INFO:     127.0.0.1:40100 - "GET /v1/models HTTP/1.1" 401 Unauthorized',
    'INFO:     127.0.0.1:40100 - "GET /v1/models HTTP/1.1" 429 Too Many Requests',
    "Downloading model-00001-of-00004.safetensors: 401M/4.98G",
    "WARNING CUDA graphs take 1.2 GiB of memory",
  ];
  assert.equal(modelTrouble("Worker", lines, true), undefined);
});

Deno.test("the telling line is an error before it is the last", () => {
  assert.equal(tellingLine(["a", "ValueError: no", "bye"]), "ValueError: no");
  assert.equal(tellingLine(["a", "bye"]), "bye");
  assert.equal(tellingLine([]), "");
});
