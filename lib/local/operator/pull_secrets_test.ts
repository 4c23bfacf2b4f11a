import assert from "node:assert/strict";
import type { KubeObject } from "../../kube/types.ts";
import { pullSecretsFor, readPullSecrets } from "./pull_secrets.ts";

function secret(name: string, config: string): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name },
    data: { ".dockerconfigjson": btoa(config) },
  };
}

Deno.test("secrets are chosen by the registry of the image", () => {
  const secrets = readPullSecrets([
    secret("ngc", '{"auths": {"nvcr.io": {}}}'),
    secret("hub", '{"auths": {"https://index.docker.io/v1/": {}}}'),
    secret("broken", "not json"),
  ]);
  assert.deepEqual(secrets.map((one) => one.name), ["ngc", "hub"]);
  const names = (image: string) => pullSecretsFor(image, secrets).map((one) => one.name);
  assert.deepEqual(names("nvcr.io/nvidia/ai-dynamo/vllm-runtime:1"), ["ngc"]);
  assert.deepEqual(names("library/nats:2"), ["hub"]);
  assert.deepEqual(names("nats:2"), ["hub"]);
  assert.deepEqual(names("quay.io/a/b"), []);
  assert.deepEqual(pullSecretsFor(undefined, secrets), []);
});
