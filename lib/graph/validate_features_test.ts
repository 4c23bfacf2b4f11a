import assert from "node:assert/strict";
import { parseGraph } from "./load.ts";
import { graphFrontend } from "./names.ts";
import { problemText } from "./problems.ts";
import { renderGraph } from "./render.ts";
import { adapterObjectName } from "./render_lora.ts";
import { testRelease } from "./testing.ts";
import { validateGraph } from "./validate.ts";

const HEAD = "name: g\ndescription: x\nmodel: { id: org/m }\n";

function findings(text: string, version: string): string[] {
  return validateGraph(parseGraph(HEAD + text, "test"), testRelease(version)).map(problemText);
}

// deno-lint-ignore no-explicit-any -- rendered objects are looked into by path
function rendered(text: string, version: string): any[] {
  return renderGraph(parseGraph(HEAD + text, "test"), testRelease(version), { namespace: "ns" });
}

const LORA = (source: string) => `
engine: vllm
lora: { adapters: [{ name: Org/My_Adapter, source: "${source}" }] }
components: [{ name: F, role: frontend }, { name: W, role: worker, gpus: 1 }]
`;

Deno.test("of several things that a release lacks the latest one is named first", () => {
  const [first, second] = findings(LORA("hf://o/a"), "0.7.0");
  assert.match(first!, /adapter from hf:\/\/ comes with Dynamo 1\.3\.0/);
  assert.match(second!, /LoRA comes with Dynamo 0\.8\.0/);
  assert.deepEqual(findings(LORA("s3://b/a"), "0.8.0"), []);
  assert.deepEqual(findings(LORA("hf://o/a"), "1.3.0"), []);
});

Deno.test("LoRA: the adapters are objects, and workers say which base model they run", () => {
  const alpha = rendered(LORA("s3://b/a"), "0.9.0");
  assert.deepEqual(alpha.map((o) => o.kind), ["DynamoModel", "DynamoGraphDeployment"]);
  assert.equal(alpha[0].metadata.name, "g-my-adapter");
  assert.deepEqual(alpha[0].spec, {
    modelName: "Org/My_Adapter",
    baseModelName: "org/m",
    modelType: "lora",
    source: { uri: "s3://b/a" },
  });
  assert.deepEqual(alpha[1].spec.services.W.modelRef, { name: "org/m" });
  assert.equal(alpha[1].spec.services.F.modelRef, undefined);
  const beta = rendered(LORA("s3://b/a"), "1.6.1");
  assert.deepEqual(beta[1].spec.components[1].modelRef, { name: "org/m" });
  assert.equal(adapterObjectName("g".repeat(60), "a/bc--"), "g".repeat(60) + "-bc");
});

Deno.test("LoRA: engines without it and names that are taken", () => {
  assert.match(findings(LORA("hf://o/a").replace("vllm", "sglang"), "1.6.1")[0]!, /take vllm/);
  assert.match(
    findings(LORA("hf://o/a").replace("Org/My_Adapter", "org/m"), "1.6.1")[0]!,
    /lora\.adapters\[0\]\.name: "org\/m" is the name of another model/,
  );
});

const EFA = (engine: string, role = "worker") => `
engine: ${engine}
components:
  - { name: F, role: frontend }
  - { name: W, role: ${role}, gpus: 8, nodes: 2, efa: 32, args: { tensorParallel: 16 } }
`;

Deno.test("EFA: image, interfaces, variables, memory lock and zone in both API versions", () => {
  const alpha = rendered(EFA("vllm"), "1.0.2")[0].spec.services.W;
  assert.deepEqual(alpha.resources.limits, { custom: { "vpc.amazonaws.com/efa": "32" }, gpu: "8" });
  const pod = rendered(EFA("vllm"), "1.6.1")[0].spec.components[1].podTemplate.spec;
  const main = pod.containers[0];
  assert.match(alpha.extraPodSpec.mainContainer.image, /vllm-runtime:1\.0\.2-efa-amd64$/);
  assert.match(main.image, /vllm-runtime:1\.6\.1-efa$/);
  assert.deepEqual(main.resources.limits, {
    "vpc.amazonaws.com/efa": "32",
    "nvidia.com/gpu": "8",
  });
  for (const one of [alpha.extraPodSpec.mainContainer, main]) {
    assert.deepEqual(one.env, [
      { name: "FI_PROVIDER", value: "efa" },
      { name: "FI_EFA_USE_DEVICE_RDMA", value: "1" },
    ]);
    assert.deepEqual(one.securityContext, { capabilities: { add: ["IPC_LOCK"] } });
  }
  for (const one of [alpha.extraPodSpec, pod]) {
    const [term] = one.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution;
    assert.equal(term.topologyKey, "topology.kubernetes.io/zone");
    assert.equal(term.labelSelector.matchLabels["nvidia.com/dynamo-graph-deployment-name"], "g");
  }
});

Deno.test("EFA: releases and components without it", () => {
  assert.match(findings(EFA("vllm"), "0.9.0")[0]!, /image for EFA comes with Dynamo 1\.0\.0/);
  assert.match(findings(EFA("sglang"), "1.1.0")[0]!, /image for EFA comes with Dynamo 1\.2\.0/);
  assert.deepEqual(findings(EFA("sglang"), "1.2.0"), []);
  assert.match(
    findings(EFA("vllm").replace("role: frontend", "role: frontend, efa: 1"), "1.6.1")[0]!,
    /efa: is for components that run the engine, and F does not/,
  );
});

Deno.test("KV cache offloading: for workers that do both, deprecated from 1.5 on", () => {
  const graph = (roles: string[]) =>
    "engine: vllm\ncomponents:\n  - { name: F, role: frontend }\n" +
    roles.map((role) =>
      `  - { name: ${role}, role: ${role}, gpus: 1, args: { kvOffloadGiB: 8 } }\n`
    ).join("");
  assert.match(findings(graph(["worker"]), "0.9.0")[0]!, /comes with Dynamo 1\.0\.0/);
  assert.deepEqual(findings(graph(["worker"]), "1.4.2"), []);
  assert.match(findings(graph(["worker"]), "1.5.1")[0]!, /deprecated since 1\.5\.0/);
  assert.match(findings(graph(["prefill", "decode"]), "1.4.2")[0]!, /one connector/);
});

const REQUEST = (more = "") => `
engine: vllm
request:
  sla: { ttft: 500, itl: 20 }
  hardware: { gpuSku: h100_sxm, totalGpus: 8 }
${more}`;

Deno.test("a request is rendered as one, and its graph is found by its name", () => {
  const [object, ...others] = rendered(REQUEST(), "1.6.1");
  assert.deepEqual(others, []);
  assert.equal(object.apiVersion, "nvidia.com/v1beta1");
  assert.equal(object.kind, "DynamoGraphDeploymentRequest");
  assert.deepEqual(object.spec, {
    model: "org/m",
    backend: "vllm",
    image: "nvcr.io/nvidia/ai-dynamo/dynamo-planner:1.6.1",
    searchStrategy: "rapid",
    autoApply: true,
    sla: { ttft: 500, itl: 20 },
    hardware: { gpuSku: "h100_sxm", totalGpus: 8 },
    features: { planner: { optimization_target: "sla" } },
  });
  const old = rendered(REQUEST(), "1.0.2")[0].spec;
  assert.equal(old.hardware.gpuSku, "H100_SXM");
  assert.match(old.image, /dynamo-frontend:1\.0\.2$/);
  const graph = parseGraph(HEAD + REQUEST(), "test");
  assert.equal(graphFrontend(graph, testRelease("1.6.1"))?.serviceName, "g-dgd-frontend");
});

Deno.test("what a request cannot ask for", () => {
  assert.match(findings(REQUEST(), "0.9.0")[0]!, /comes with Dynamo 1\.0\.0/);
  const bad = (from: string, to: string) => findings(REQUEST().replace(from, to), "1.6.1")[0] ?? "";
  assert.match(bad("h100_sxm", "a10g"), /"a10g" is not a GPU that Dynamo 1\.6\.1 knows/);
  assert.equal(bad("h100_sxm", "A30"), "");
  assert.match(findings(REQUEST().replace("h100_sxm", "a30"), "1.1.0")[0]!, /with Dynamo 1\.2\.0/);
  assert.match(bad("ttft: 500, itl: 20", "ttft: 500"), /needs ttft and itl, or e2eLatency/);
  assert.match(bad("itl: 20", "itl: 20, e2eLatency: 9"), /take either/);
  assert.match(bad("engine: vllm", "engine: mocker"), /which a request cannot ask for/);
  assert.match(
    findings(REQUEST("components: [{ name: W, role: worker }]"), "1.6.1").join("\n"),
    /components: stand beside a request/,
  );
  assert.match(findings(REQUEST("env: { A: b }"), "1.6.1")[0]!, /env: has no place in a request/);
});

Deno.test("a graph has components or a request", () => {
  assert.throws(() => parseGraph(HEAD + "engine: vllm", "t"), /components: is missing/);
  assert.throws(() => parseGraph(HEAD + "engine: vllm\ncomponents: []", "t"), /has 0 entries/);
  assert.throws(() => parseGraph(HEAD + "engine: vllm\ncomponents:", "t"), /not a list/);
});

Deno.test("the way Grove updates pods is said from 1.4 on", () => {
  const text = "engine: vllm\ncomponents: [{ name: W, role: worker, gpus: 1 }]";
  const key = "nvidia.com/grove-update-strategy";
  assert.equal(rendered(text, "1.3.0")[0].metadata.annotations, undefined);
  assert.equal(rendered(text, "1.4.0")[0].metadata.annotations[key], "RollingRecreate");
});
