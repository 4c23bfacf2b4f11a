import assert from "node:assert/strict";
import { containerImage } from "./container_image.ts";
import { resolveEnv } from "./container_env.ts";
import type { ContainerRequest, LocalPlaces, ProcessCommand } from "./local_command.ts";
import { localEnv } from "./local_env.ts";
import type { Container, Pod } from "./pod_types.ts";
import { replaceAddresses, serviceAddresses } from "./service_address.ts";
import { neededPorts, translateContainer } from "./translate.ts";

const REGISTRY = "nvcr.io/nvidia/ai-dynamo";

function places(dynamoVersion: string, more: Partial<LocalPlaces> = {}): LocalPlaces {
  return {
    config: {
      denoPath: "/deno",
      etcd: ["/kube", "etcd"],
      operator: { kind: "stand-in" },
      operatorKubeconfig: "/operator.kubeconfig",
      projectRoot: "/project",
      release: dynamoVersion,
      python: {
        interpreter: "/venv/python",
        dynamoVersion,
        pythonVersion: "3.12.1",
        ...(dynamoVersion.startsWith("0.") ? { natsServer: "/nats-server" } : {}),
      },
    },
    modelFolder: "/model",
    scratch: "/scratch",
    discoveryFolder: "/discovery",
    port: (port) => port + 20_000,
    addresses: {
      "etcd.dynamo-system:2379": "127.0.0.1:22379",
      "nats.dynamo-system:4222": "127.0.0.1:24222",
    },
    ...more,
  };
}

function request(image: string, words: string[], more: Partial<ContainerRequest> = {}) {
  return {
    image: image.includes("/") ? image : `${REGISTRY}/${image}`,
    words,
    env: {},
    secret: new Set<string>(),
    annotations: {},
    namespace: "demo",
    ...more,
  } satisfies ContainerRequest;
}

function process(of: ContainerRequest, at: LocalPlaces): ProcessCommand {
  const command = translateContainer(of, at);
  assert.equal(command.kind, "process");
  return command as ProcessCommand;
}

function after(args: readonly string[], flag: string): string | undefined {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args[at + 1];
}

const images: [string, string, string | undefined][] = [
  ["nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.4.1", "dynamo", "0.4.1"],
  ["nvcr.io/nvidia/ai-dynamo/tensorrtllm-runtime:v1.5.0-cuda13@sha256:00", "dynamo", "1.5.0"],
  ["registry:5000/sglang-runtime", "dynamo", undefined],
  ["kubernetes-operator:1.6.1", "operator", "1.6.1"],
  ["docker.io/bitnamilegacy/etcd:3.5.18", "etcd", undefined],
  ["nats:2.10.21-alpine", "nats", undefined],
  ["natsio/nats-server-config-reloader:0.16.0", "other", undefined],
  ["python:3.12-slim", "other", undefined],
];
for (const [image, kind, version] of images) {
  Deno.test(`containerImage: ${image}`, () => {
    const found = containerImage(image);
    assert.equal(found.kind, kind);
    assert.equal(found.version, version);
  });
}

// runtime, command line, environment → endpoint, role for the mocker of 1.x or "script"
const workers: [string, string, Record<string, string>, string, string][] = [
  ["0.4.1", "dynamo.vllm --model M", {}, "dynamo.backend.generate", "agg"],
  ["0.4.1", "dynamo.vllm --model M", { DYNAMO_NAMESPACE: "g" }, "g.backend.generate", "agg"],
  [
    "0.4.1",
    "dynamo.vllm --model M --is-prefill-worker",
    { DYNAMO_NAMESPACE: "g" },
    "g.prefill.generate",
    "script",
  ],
  [
    "0.4.1",
    "dynamo.sglang --model-path M --disaggregation-mode decode",
    {},
    "dynamo.backend.generate",
    "agg",
  ],
  [
    "0.4.1",
    "dynamo.sglang --model-path M --disaggregation-mode prefill",
    {},
    "dynamo.prefill.generate",
    "script",
  ],
  [
    "0.4.1",
    "dynamo.trtllm --model-path M",
    { DYNAMO_NAMESPACE: "g" },
    "dynamo.tensorrt_llm.generate",
    "agg",
  ],
  [
    "0.4.1",
    "dynamo.trtllm --model-path M --disaggregation-mode prefill --disaggregation-strategy decode_first",
    {},
    "dynamo.tensorrt_llm_next.generate",
    "script",
  ],
  [
    "0.4.1",
    "dynamo.trtllm --model-path M --disaggregation-mode prefill --disaggregation-strategy prefill_first",
    {},
    "dynamo.tensorrt_llm.generate",
    "agg",
  ],
  ["0.4.1", "dynamo.vllm --model M --endpoint dyn://a.b.c", {}, "a.b.c", "agg"],
  [
    "1.6.1",
    "dynamo.vllm --model M",
    { DYN_NAMESPACE: "demo-g", DYN_NAMESPACE_WORKER_SUFFIX: "2b64" },
    "demo-g-2b64.backend.generate",
    "agg",
  ],
  [
    "1.6.1",
    "dynamo.vllm --model M --disaggregation-mode prefill",
    { DYN_NAMESPACE: "g" },
    "g.prefill.generate",
    "prefill",
  ],
  [
    "1.6.1",
    "dynamo.vllm --model M --is-prefill-worker",
    { DYN_NAMESPACE: "g" },
    "g.prefill.generate",
    "prefill",
  ],
  [
    "1.6.1",
    "dynamo.vllm --model M",
    { DYN_NAMESPACE: "g", DYN_VLLM_DISAGGREGATION_MODE: "decode" },
    "g.backend.generate",
    "decode",
  ],
  [
    "1.6.1",
    "dynamo.trtllm --model M --disaggregation-mode=decode",
    { DYN_NAMESPACE: "g" },
    "g.backend.generate",
    "decode",
  ],
  [
    "1.6.1",
    "dynamo.sglang --model-path M --disaggregation-mode null",
    {},
    "dynamo.backend.generate",
    "agg",
  ],
];
for (const [version, line, env, endpoint, role] of workers) {
  Deno.test(`worker of ${version}: ${line} ${JSON.stringify(env)}`, () => {
    const words = ["python3", "-m", ...line.split(" ")];
    const command = process(request(`vllm-runtime:${version}`, words, { env }), places(version));
    assert.equal(command.program, "/venv/python");
    assert.ok(command.privateNetwork);
    assert.match(command.simulated ?? "", /stands for/);
    if (role === "script") {
      assert.deepEqual(command.args, [
        "/project/lib/local/agent/python/unregistered_worker.py",
        `dyn://${endpoint}`,
      ]);
      return;
    }
    assert.deepEqual(
      command.args.slice(0, version === "0.4.1" ? 1 : 2),
      version === "0.4.1"
        ? ["/project/lib/local/agent/python/mocker_worker.py"]
        : ["-m", "dynamo.mocker"],
    );
    assert.equal(after(command.args, "--endpoint"), `dyn://${endpoint}`);
    assert.equal(after(command.args, "--model-name"), "M");
    assert.equal(after(command.args, "--model-path"), "/model");
    if (version === "0.4.1") {
      assert.equal(after(command.args, "--extra-engine-args"), "/scratch/engine.json");
      assert.equal(JSON.parse(String(command.files!["engine.json"])).speedup_ratio, 3.3);
    } else {
      assert.equal(after(command.args, "--disaggregation-mode") ?? "agg", role);
      assert.equal(after(command.args, "--speedup-ratio"), "1");
    }
  });
}

Deno.test("engine sizes come from the worker's flags in each engine's words", () => {
  const line = "python3 -m dynamo.sglang --model-path big/M --served-model-name M,alias " +
    "--page-size 32 --context-length 999999 --max-running-requests 8 --disable-radix-cache";
  const command = process(request("sglang-runtime:1.6.1", ["sh", "-c", line]), places("1.6.1"));
  const expected = {
    "--model-name": "M",
    "--block-size": "32",
    "--num-gpu-blocks-override": "4096",
    "--max-model-len": "32768",
    "--max-num-seqs": "8",
    "--engine-type": "sglang",
  };
  for (const [flag, value] of Object.entries(expected)) {
    assert.equal(after(command.args, flag), value);
  }
  assert.ok(command.args.includes("--no-enable-prefix-caching"));
});

Deno.test("the pace follows variable, then annotation, and says when it cannot", () => {
  const words = ["python3", "-m", "dynamo.vllm", "--model", "M"];
  const ratio = (more: Partial<ContainerRequest>) => {
    const command = process(request("vllm-runtime:1.6.1", words, more), places("1.6.1"));
    return [after(command.args, "--speedup-ratio"), command.warnings.length];
  };
  const annotations = { "dynamo-eks/speedup-ratio": "4" };
  assert.deepEqual(ratio({ annotations }), ["4", 0]);
  assert.deepEqual(ratio({ annotations, env: { DYNAMO_EKS_SPEEDUP_RATIO: "0.5" } }), ["0.5", 0]);
  assert.deepEqual(ratio({ annotations: { "dynamo-eks/speedup-ratio": "fast" } }), ["1", 1]);
  assert.deepEqual(ratio({ annotations: { "dynamo-eks/speedup-ratio": "0" } }), ["1", 1]);
});

Deno.test("frontend: port, host and router are kept, discovery is not", () => {
  const words = [
    "python3",
    "-m",
    "dynamo.frontend",
    "--http-host",
    "0.0.0.0",
    "--router-mode",
    "kv",
  ];
  const env = { DYN_HTTP_PORT: "8000", DYN_ROUTER_MODE: "kv", DYN_DISCOVERY_BACKEND: "kubernetes" };
  const command = process(request("dynamo-frontend:1.6.1", words, { env }), places("1.6.1"));
  assert.deepEqual(command.args, ["-m", "dynamo.frontend", "--router-mode", "kv"]);
  assert.equal(command.env["DYN_HTTP_PORT"], "28000");
  assert.equal(command.env["DYN_HTTP_HOST"], "127.0.0.1");
  assert.equal(command.env["DYN_ROUTER_MODE"], "kv");
  assert.equal(command.env["DYN_DISCOVERY_BACKEND"], "file");
  assert.equal(command.env["DYN_FILE_KV"], "/discovery");
  assert.equal(command.simulated, undefined);
  const other = process(
    request("vllm-runtime:1.6.1", ["sh", "-c", "python3 -m dynamo.frontend --http-port=9000"]),
    places("1.6.1"),
  );
  assert.equal(other.env["DYN_HTTP_PORT"], "29000");
  assert.deepEqual(other.args, ["-m", "dynamo.frontend"]);
});

Deno.test("0.4.1 waits for etcd and NATS, and finds them locally", () => {
  const env = {
    ETCD_ENDPOINTS: "http://etcd.dynamo-system:2379",
    NATS_SERVER: "nats://nats.dynamo-system:4222",
    DYN_SYSTEM_PORT: "9090",
  };
  const words = ["python3", "-m", "dynamo.vllm"];
  const command = process(request("vllm-runtime:0.4.1", words, { env }), places("0.4.1"));
  assert.equal(command.env["ETCD_ENDPOINTS"], "http://127.0.0.1:22379");
  assert.equal(command.env["NATS_SERVER"], "nats://127.0.0.1:24222");
  assert.equal(command.env["DYN_SYSTEM_PORT"], "29090");
  assert.equal(command.env["DYN_DISCOVERY_BACKEND"], undefined);
  assert.deepEqual(command.waitFor, ["127.0.0.1:22379", "127.0.0.1:24222"]);
});

Deno.test("a runtime that finds its peers by files is told of no NATS, which is not there", () => {
  const env = { NATS_SERVER: "nats://nats.dynamo-system:4222" };
  const words = ["python3", "-m", "dynamo.frontend"];
  const command = process(request("dynamo-frontend:1.0.2", words, { env }), places("1.6.1"));
  assert.equal(command.env["DYN_DISCOVERY_BACKEND"], "file");
  assert.equal("NATS_SERVER" in command.env, false);
});

Deno.test("an image of another release runs with a warning", () => {
  const words = ["python3", "-m", "dynamo.frontend"];
  const warnings = (image: string) => process(request(image, words), places("1.6.1")).warnings;
  assert.match(warnings("vllm-runtime:1.4.2")[0] ?? "", /1\.4\.2.*1\.6\.1/);
  assert.deepEqual(warnings("vllm-runtime:1.6.1-post1-cuda13"), []);
  assert.deepEqual(warnings("vllm-runtime:my-tag"), []);
});

Deno.test("hello-world runs scripts of ours; a Dynamo module makes any image Dynamo's", () => {
  const worker = request("x/dynamo:helloworld", [
    "/bin/sh",
    "-c",
    "python3 hello_world.py | tee l",
  ]);
  assert.deepEqual(process(worker, places("0.4.1")).args, [
    "/project/lib/local/agent/python/hello_world_worker.py",
  ]);
  const own = request("0123.ecr/mine:1", ["python3", "-m", "dynamo.frontend"]);
  assert.deepEqual(process(own, places("1.6.1")).args, ["-m", "dynamo.frontend"]);
});

Deno.test("what is not run says why", () => {
  const reason = (image: string, words: string[], version = "1.6.1") => {
    const command = translateContainer(request(image, words), places(version));
    return command.kind === "simulated" ? command.reason : command;
  };
  assert.match(String(reason("library/nginx:1", [])), /library\/nginx:1 is not run/);
  assert.match(String(reason("vllm-runtime:1.6.1", ["sleep", "1"])), /none of Dynamo's programs/);
  assert.match(
    String(reason("dynamo-planner:1.6.1", ["python3", "-m", "dynamo.planner"])),
    /dynamo\.planner has no stand-in/,
  );
  const worker = ["python3", "-m", "dynamo.vllm"];
  assert.match(
    String(reason("vllm-runtime:1", [...worker, "--disaggregation-mode", "encode"])),
    /encode/,
  );
  assert.match(String(reason("vllm-runtime:1", [...worker, "--node-rank", "1"])), /first one/);
  assert.match(String(reason("library/nats:2", [])), /without NATS/);
});

Deno.test("platform: etcd, NATS and both operators", () => {
  const etcd = process(request("bitnamilegacy/etcd:3", []), places("0.4.1"));
  assert.deepEqual([etcd.program, etcd.args[0]], ["/kube", "etcd"]);
  assert.ok(etcd.args.includes("--listen-client-urls=http://127.0.0.1:22379"));
  const nats = process(request("library/nats:2", []), places("0.4.1"));
  assert.equal(after(nats.args, "--port"), "24222");
  const words = [
    "/manager",
    "--natsAddr=nats://nats.dynamo-system:4222",
    "--etcdAddr",
    "etcd.dynamo-system:2379",
  ];
  const operator = process(request("kubernetes-operator:0.4.1", words), places("0.4.1"));
  assert.equal(operator.privateNetwork, false);
  assert.equal(after(operator.args, "--release"), "0.4.1");
  assert.equal(after(operator.args, "--namespace"), "demo");
  assert.equal(after(operator.args, "--nats"), "nats://nats.dynamo-system:4222");
  assert.equal(after(operator.args, "--etcd"), "etcd.dynamo-system:2379");
  assert.equal(after(operator.args, "--health-port"), "28081");
  const base = places("0.4.1");
  const real = process(
    request("kubernetes-operator:0.4.1", [...words, "--health-probe-bind-address=:8081"]),
    {
      ...base,
      config: { ...base.config, operator: { kind: "binary", path: "/operator" } },
    },
  );
  assert.equal(real.program, "/operator");
  assert.deepEqual(real.args, [
    "--natsAddr=nats://127.0.0.1:24222",
    "--etcdAddr",
    "127.0.0.1:22379",
    "--health-probe-bind-address=127.0.0.1:28081",
  ]);
});

Deno.test("secret values reach the environment and nothing else", () => {
  const words = [
    "python3",
    "-m",
    "dynamo.vllm",
    "--model",
    "$(HF_TOKEN)",
    "--served-model-name",
    "M",
  ];
  const of = request("vllm-runtime:1.6.1", words, {
    env: { HF_TOKEN: "hf_verysecret" },
    secret: new Set(["HF_TOKEN"]),
  });
  const command = process(of, places("1.6.1"));
  assert.equal(command.env["HF_TOKEN"], "hf_verysecret");
  assert.ok(!JSON.stringify({ ...command, env: {} }).includes("verysecret"));
});

Deno.test("needed ports: declared ones and those of the command", () => {
  const { port: _, ...rest } = places("1.6.1");
  const container: Container = {
    name: "main",
    ports: [{ containerPort: 19090 }, { containerPort: 53, protocol: "UDP" }],
  };
  const of = request("vllm-runtime:1.6.1", ["python3", "-m", "dynamo.vllm"], {
    env: { DYN_SYSTEM_PORT: "9090" },
  });
  assert.deepEqual(neededPorts(container, of, rest), [19090, 9090]);
  assert.deepEqual(neededPorts(container, request("library/nginx:1", []), rest), []);
});

Deno.test("localEnv drops paths of the image and keeps other discovery", () => {
  const options = {
    dynamoVersion: "1.6.1",
    port: (p: number) => p,
    addresses: {},
    discoveryFolder: "/d",
  };
  const env = localEnv(
    { PATH: "/x", PYTHONPATH: "/y", A: "1", DYN_DISCOVERY_BACKEND: "etcd" },
    options,
  );
  assert.equal(env["PATH"], undefined);
  assert.equal(env["PYTHONPATH"], undefined);
  assert.equal(env["A"], "1");
  assert.equal(env["DYN_DISCOVERY_BACKEND"], "etcd");
  assert.equal(env["HF_HUB_OFFLINE"], "1");
});

Deno.test("service addresses in texts", () => {
  const text =
    "http://etcd.dynamo-system:2379,other.ns.svc.cluster.local:1,nats:4222,127.0.0.1:5,localhost:6,h.example.com:7";
  assert.deepEqual(serviceAddresses(text, "demo"), [
    { text: "etcd.dynamo-system:2379", service: "etcd", namespace: "dynamo-system", port: 2379 },
    { text: "other.ns.svc.cluster.local:1", service: "other", namespace: "ns", port: 1 },
    { text: "nats:4222", service: "nats", namespace: "demo", port: 4222 },
  ]);
  assert.equal(
    replaceAddresses("a nats:4222 b etcd:1", { "nats:4222": "127.0.0.1:9" }),
    "a 127.0.0.1:9 b etcd:1",
  );
});

Deno.test("resolveEnv follows the kubelet", () => {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "demo", uid: "u", labels: { a: "b" } },
    spec: { nodeName: "n", containers: [] },
  } as Pod;
  const container: Container = {
    name: "main",
    envFrom: [
      { secretRef: { name: "token" } },
      { prefix: "C_", configMapRef: { name: "settings" } },
      { secretRef: { name: "absent", optional: true } },
    ],
    env: [
      { name: "PLAIN", value: "$(C_KEY)-$(UNKNOWN)" },
      { name: "QUOTES", value: "bearer $(HF_TOKEN)" },
      { name: "LABEL", valueFrom: { fieldRef: { fieldPath: "metadata.labels['a']" } } },
      { name: "UID", valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
    ],
    resources: { limits: { cpu: "1500m" } },
  };
  const objects = {
    secrets: { token: { HF_TOKEN: btoa("hf_x") } },
    configMaps: { settings: { KEY: "v" } },
  };
  assert.deepEqual(resolveEnv(pod, container, objects), {
    env: {
      HF_TOKEN: "hf_x",
      C_KEY: "v",
      PLAIN: "v-$(UNKNOWN)",
      QUOTES: "bearer hf_x",
      LABEL: "b",
      UID: "u",
      IP: "127.0.0.1",
      CPU: "2",
    },
    secret: new Set(["HF_TOKEN", "QUOTES"]),
  });
  assert.deepEqual(resolveEnv(pod, container, { secrets: {}, configMaps: {} }), {
    problem: 'secret "token" not found',
  });
  const key: Container = {
    name: "main",
    env: [{ name: "X", valueFrom: { secretKeyRef: { name: "token", key: "none" } } }],
  };
  assert.deepEqual(resolveEnv(pod, key, objects), {
    problem: "couldn't find key none in Secret demo/token",
  });
});
