import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { loadExample } from "./examples.ts";
import {
  componentImage,
  hasVersionTag,
  imageText,
  parseDynamoTag,
  parseImage,
  rewriteImage,
  rewriteImages,
} from "./images.ts";
import { testRelease } from "./testing.ts";

const VLLM = "nvcr.io/nvidia/ai-dynamo/vllm-runtime";
const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

function moved(image: string, version: string): string {
  return rewriteImage(image, testRelease(version)).image;
}

Deno.test("image references are split and put together", () => {
  for (
    const [text, expected] of [
      [`${VLLM}:0.4.1`, { repository: VLLM, tag: "0.4.1" }],
      ["localhost:5000/a/b", { repository: "localhost:5000/a/b" }],
      ["localhost:5000/a:x", { repository: "localhost:5000/a", tag: "x" }],
      ["nginx:1.27", { repository: "nginx", tag: "1.27" }],
      [`a/b:1@${DIGEST}`, { repository: "a/b", tag: "1", digest: DIGEST }],
      [`a/b@${DIGEST}`, { repository: "a/b", digest: DIGEST }],
    ] as const
  ) {
    const parsed = parseImage(text);
    assert.deepEqual(parsed, expected, text);
    assert.equal(imageText(parsed!), text);
  }
  for (const text of ["", ":tag", "a b:1", "a/b:", "http://a/b", "a/b@sha256:12"]) {
    assert.equal(parseImage(text), undefined, text);
  }
});

Deno.test("tags of Dynamo's grammar", () => {
  assert.deepEqual(parseDynamoTag("1.2.0-post1-efa"), {
    prefix: "",
    version: "1.2.0-post1",
    suffix: "-efa",
  });
  assert.deepEqual(parseDynamoTag("v0.7.0.post1"), {
    prefix: "v",
    version: "0.7.0.post1",
    suffix: "",
  });
  assert.equal(parseDynamoTag("1.0.2-efa-amd64")?.suffix, "-efa-amd64");
  for (const tag of ["my-tag", "1.2", "latest", "dep-233.17", "1.2.0-rc1", "1.2.0-cuda12"]) {
    assert.equal(parseDynamoTag(tag), undefined, tag);
  }
});

Deno.test("only the version of Dynamo's own images changes", () => {
  assert.equal(moved(`${VLLM}:0.4.0`, "1.4.2"), `${VLLM}:1.4.2`);
  assert.equal(moved(`${VLLM}:v0.4.0-enterprise`, "1.4.2"), `${VLLM}:v1.4.2-enterprise`);
  assert.equal(moved(`${VLLM}:0.9.0-post1`, "1.0.2"), `${VLLM}:1.0.2`);
  assert.equal(moved(`${VLLM}:0.4.0@${DIGEST}`, "0.4.1"), `${VLLM}:0.4.1`);
  assert.equal(rewriteImage(`${VLLM}:0.4.1`, testRelease("0.4.1")).outcome, "same");
  for (
    const image of [
      "nginx:1.27.0",
      "example.com/ai-dynamo/vllm-runtime:0.4.0",
      "nvcr.io/nvidia/cuda:12.9.0",
      `${VLLM}:my-tag`,
      VLLM,
    ]
  ) {
    assert.deepEqual(rewriteImage(image, testRelease("1.4.2")), { image, outcome: "foreign" });
  }
});

Deno.test("suffixes are translated", () => {
  assert.equal(moved(`${VLLM}:1.0.2-efa-amd64`, "1.3.0"), `${VLLM}:1.3.0-efa`);
  assert.equal(moved(`${VLLM}:1.0.2-efa-amd64`, "1.2.0"), `${VLLM}:1.2.0-efa-amd64`);
  assert.equal(moved(`${VLLM}:1.3.0-efa`, "1.2.0"), `${VLLM}:1.2.0-efa-amd64`);
  assert.equal(moved(`${VLLM}:0.8.0-cuda13`, "0.9.0"), `${VLLM}:0.9.0-cuda13`);
  assert.equal(moved(`${VLLM}:0.9.0-cuda13`, "1.3.0"), `${VLLM}:1.3.0`);
  const none = rewriteImage(`${VLLM}:1.0.2-efa-amd64`, testRelease("0.9.0")).note ?? "";
  assert.match(none, /no images for EFA: they came with 1\.0\.0/);
  const early = rewriteImage(`${VLLM}:0.8.0-cuda13`, testRelease("0.7.0"));
  assert.equal(early.image, `${VLLM}:0.7.0`);
  assert.match(early.note ?? "", /no CUDA 13 images/);
  assert.match(
    rewriteImage(`${VLLM}:0.8.0-cuda13`, testRelease("0.8.1")).note ?? "",
    /does not start/,
  );
});

Deno.test("graphs and manifests are given the same suffix for EFA", async () => {
  await using test = await testContext();
  const graph = await loadExample(test.ctx, "vllm-multinode");
  const worker = graph.components.find((component) => component.efa > 0)!;
  for (const version of ["1.0.2", "1.1.1", "1.2.0", "1.2.1", "1.3.0", "1.6.1"]) {
    const release = testRelease(version);
    const rendered = componentImage(graph, worker, release);
    for (const suffix of ["-efa", "-efa-amd64"]) {
      assert.equal(rewriteImage(`${VLLM}:1.0.0${suffix}`, release).image, rendered, version);
    }
    assert.equal(rewriteImage(rendered, release).outcome, "same");
  }
});

Deno.test("an image that the release does not have is told", () => {
  const frontend = "nvcr.io/nvidia/ai-dynamo/dynamo-frontend:1.0.2";
  assert.match(rewriteImage(frontend, testRelease("0.7.0")).note ?? "", /came with 0\.8\.0/);
  assert.equal(rewriteImage(frontend, testRelease("0.8.0")).note, undefined);
});

Deno.test("a private build's tag replaces the whole tag", () => {
  const release = testRelease("1.4.2", { imageTag: "nightly-7" });
  assert.equal(rewriteImage(`${VLLM}:1.4.0-efa`, release).image, `${VLLM}:nightly-7`);
});

Deno.test("a rewrite that matches nothing is an error", () => {
  const release = testRelease("1.4.2");
  assert.equal(rewriteImages(["nginx:1", `${VLLM}:0.4.0`], release)[1]?.outcome, "rewritten");
  for (const images of [[], ["nginx:1"]]) {
    assert.throws(
      () => rewriteImages(images, release),
      (error) =>
        error instanceof TaskError && error.code === "IMAGES_FOREIGN" && error.exitCode === 2,
    );
  }
});

Deno.test("tags in which the operator finds a version", () => {
  for (const tag of ["1.5.0", "v1.5.0-cuda13", `1.5.0@${DIGEST}`]) {
    assert.ok(hasVersionTag(`${VLLM}:${tag}`), tag);
  }
  for (const image of [`${VLLM}:my-tag`, `${VLLM}@${DIGEST}`, VLLM, `${VLLM}:dep-233.17`]) {
    assert.ok(!hasVersionTag(image), image);
  }
});
