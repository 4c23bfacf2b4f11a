import assert from "node:assert/strict";
import type { KubeObject } from "../kube/types.ts";
import { namedSecrets, redactor } from "./describe_redact.ts";

const pod: KubeObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "p",
    managedFields: [{ manager: "m" }],
    annotations: {
      "kubectl.kubernetes.io/last-applied-configuration": '{"token":"planted-in-annotation"}',
      "example.com/api-key": "planted-in-key",
    },
  },
  spec: {
    containers: [{
      args: ["--hf-token", "planted-in-args", "--max-tokens", "512"],
      command: ["sh", "-c", "run --url https://user:planted-in-url@host/ --model Qwen/Qwen3"],
      env: [
        { name: "HF_TOKEN", value: "planted-in-env" },
        { name: "MAX_TOKENS", value: "512" },
        { name: "NGC_API_KEY", valueFrom: { secretKeyRef: { name: "ngc", key: "key" } } },
      ],
      envFrom: [{ secretRef: { name: "hf-token-secret" } }],
    }],
  },
};

Deno.test("secrets planted anywhere are taken out, and the rest stays", () => {
  const { values, references } = namedSecrets([pod]);
  assert.deepEqual(values, ["planted-in-env"]);
  assert.deepEqual(references, ["hf-token-secret", "ngc"]);
  const clean = redactor([...values, "planted in secret"]);
  const text = JSON.stringify(clean.object(pod)) +
    clean.text("log planted-in-env planted%20in%20secret hf_plantedplanted");
  assert.doesNotMatch(text, /planted/);
  assert.doesNotMatch(text, /managedFields/);
  for (const kept of ["512", "Qwen/Qwen3", "hf-token-secret", "HF_TOKEN", "--max-tokens"]) {
    assert.ok(text.includes(kept), `${kept}: ${text}`);
  }
});
