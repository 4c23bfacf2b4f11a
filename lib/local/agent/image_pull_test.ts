import assert from "node:assert/strict";
import { pullRefusal } from "./image_pull.ts";

Deno.test("images are there, whatever they are called", () => {
  for (
    const image of [
      "nginx",
      "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1",
      "vllm-runtime:my-tag",
      "localhost:5000/a/b_c:1",
      "123456789012.dkr.ecr.us-west-2.amazonaws.com/dynamo:v1",
      `nvcr.io/nvidia/x:1@sha256:${"0".repeat(64)}`,
      "example.com/invalid/x:1",
    ]
  ) assert.equal(pullRefusal(image), undefined, image);
});

Deno.test("registries below .invalid refuse as real ones do", () => {
  assert.match(pullRefusal("not-found.invalid/a/b:9")!.message, /code = NotFound .*: not found$/);
  assert.match(pullRefusal("denied.invalid/a/b:9")!.message, /401 Unauthorized$/);
  assert.match(
    pullRefusal("registry.invalid:5000/a:9")!.message,
    /"https:\/\/registry\.invalid:5000\/v2\/a\/manifests\/9": dial tcp: lookup registry\.invalid: no such host$/,
  );
});

Deno.test("a reference that is none is no image", () => {
  for (const image of ["", "Upper/Case:1", "a b", "x:", "nvcr.io/nvidia/vllm:1:2"]) {
    assert.equal(pullRefusal(image)?.reason, "InvalidImageName", image);
  }
});
