import assert from "node:assert/strict";
import { diagnose } from "./diagnose.ts";
import { imageTrouble } from "./image.ts";
import { testEvent, testFacts, testPod } from "./testing.ts";

const IMAGE = "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.7.9";
const UNPACK = `failed to pull and unpack image "${IMAGE}": failed to resolve reference "${IMAGE}"`;
const trouble = (text: string, image = IMAGE) => imageTrouble(image, "ErrImagePull", text);

Deno.test("what a registry answers decides whether waiting helps", () => {
  const cases: [string, string, boolean][] = [
    [`rpc error: code = NotFound desc = ${UNPACK}: ${IMAGE}: not found`, "IMAGE_NOT_FOUND", true],
    [
      `${UNPACK}: failed to authorize: failed to fetch oauth token: unexpected status from GET ` +
      "request to https://nvcr.io/proxy_auth?scope=x: 401 Unauthorized",
      "IMAGE_DENIED",
      true,
    ],
    [
      `${UNPACK}: unexpected status from HEAD request to https://ghcr.io/v2: 403 Forbidden`,
      "IMAGE_DENIED",
      true,
    ],
    [
      `${UNPACK}: pull access denied, repository does not exist or may require authorization: ` +
      "server message: insufficient_scope: authorization failed",
      "IMAGE_DENIED",
      true,
    ],
    [`${UNPACK}: no match for platform in manifest: not found`, "IMAGE_PLATFORM", true],
    [`failed to extract layer: write /var/lib: no space left on device`, "NODE_DISK", true],
    [`${UNPACK}: dial tcp: lookup nvcr.example: no such host`, "IMAGE_UNREACHABLE", true],
    [`${UNPACK}: dial tcp 10.0.0.1:443: i/o timeout`, "IMAGE_PULL", false],
    [
      `${UNPACK}: unexpected status code: 429 Too Many Requests - toomanyrequests`,
      "IMAGE_PULL",
      false,
    ],
    [`${UNPACK}: unexpected status: 503 Service Unavailable`, "IMAGE_PULL", false],
  ];
  for (const [text, code, final] of cases) {
    const found = trouble(text);
    assert.deepEqual([found.code, found.final], [code, final], text);
  }
});

Deno.test("words in an image's name say nothing", () => {
  const image = "denied.example/not-found/403:401";
  assert.equal(trouble(`failed to pull "${image}": i/o timeout`, image).code, "IMAGE_PULL");
});

Deno.test("names that are none, and images that are never pulled", () => {
  assert.equal(imageTrouble("A:b:c", "InvalidImageName", "").code, "IMAGE_NAME");
  assert.equal(imageTrouble("A:b:c", "InvalidImageName", "").graceMs, 0);
  assert.equal(imageTrouble(IMAGE, "ErrImageNeverPull", "").code, "IMAGE_NOT_THERE");
});

Deno.test("while the kubelet backs off, the event before tells why", () => {
  const main = {
    state: {
      waiting: { reason: "ImagePullBackOff", message: `Back-off pulling image "${IMAGE}"` },
    },
  };
  const pod = testPod({ node: "a", image: IMAGE, main });
  const events = [
    testEvent(pod, "Failed", `Failed to pull image "${IMAGE}": ${UNPACK}: ${IMAGE}: not found`),
    testEvent(pod, "Failed", "Error: ErrImagePull"),
  ];
  const [found, ...others] = diagnose(testFacts([pod], { events }));
  assert.equal(found?.code, "IMAGE_NOT_FOUND");
  assert.equal(found?.component, "Worker");
  assert.match(found?.cause ?? "", /vllm-runtime:1\.7\.9 does not exist/);
  assert.deepEqual(others, []);
  assert.equal(diagnose(testFacts([pod]))[0]?.final, false, "without the event nobody knows");
});
