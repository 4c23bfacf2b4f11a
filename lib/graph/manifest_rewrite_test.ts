import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { rewriteManifest } from "./manifest_rewrite.ts";
import { readDocument, splitDocuments } from "./manifest_positions.ts";
import { testRelease } from "./testing.ts";

const VLLM = "nvcr.io/nvidia/ai-dynamo/vllm-runtime";

function rewrite(text: string, version = "1.4.2") {
  return rewriteManifest(text, {
    file: "dgd.yaml",
    release: testRelease(version),
    namespace: "dynamo-cloud",
  });
}

function refused(text: string): string {
  try {
    rewrite(text);
  } catch (error) {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.exitCode, 2);
    return `${error.code} ${error.message}`;
  }
  throw new Error("it was taken");
}

const GRAPH = `# my graph
apiVersion: nvidia.com/v1alpha1
kind:   DynamoGraphDeployment
metadata: # who
    name: mine
spec:
  services:
    Frontend:
      extraPodSpec: {mainContainer: {image: '${VLLM}:0.4.0'}}   # old
    Worker:
      extraPodSpec:
        mainContainer:
          image: "${VLLM}:1.0.2-efa-amd64" # EFA
          args: ["--image: ${VLLM}:0.4.0"]
        sidecar:
        - image: nginx:0.4.0
          # image: ${VLLM}:0.4.0
          note: |
            image: ${VLLM}:0.4.0
`;

Deno.test("only images and metadata change; every other byte stays", () => {
  const { objects, images } = rewrite(GRAPH);
  assert.equal(
    objects[0]!.text,
    GRAPH
      .replace(`'${VLLM}:0.4.0'`, `'${VLLM}:1.4.2'`)
      .replace("1.0.2-efa-amd64", "1.4.2-efa")
      .replace(
        "    name: mine",
        "    namespace: dynamo-cloud\n    labels:\n" +
          "      app.kubernetes.io/managed-by: dynamo-eks\n    name: mine",
      ),
  );
  assert.deepEqual(images.map((image) => image.outcome), ["rewritten", "rewritten", "foreign"]);
  assert.deepEqual(objects[0]!.object, readDocument(objects[0]!.text).value);
});

Deno.test("a second rewrite changes nothing, and says that all is there", () => {
  const once = rewrite(GRAPH).objects[0]!.text;
  const twice = rewrite(once);
  assert.equal(twice.objects[0]!.text, once);
  assert.ok(twice.images.every((image) => image.outcome !== "rewritten"));
});

Deno.test("line ends of Windows, a byte order mark and JSON stay what they are", () => {
  const windows = "\ufeff" + GRAPH.replaceAll("\n", "\r\n");
  const text = rewrite(windows).objects[0]!.text;
  assert.ok(text.startsWith("\ufeff"));
  assert.equal(text.replaceAll("\r\n", "").includes("\n"), false);
  const json = JSON.stringify({
    apiVersion: "nvidia.com/v1beta1",
    kind: "DynamoGraphDeployment",
    metadata: { name: "mine", labels: { "app.kubernetes.io/managed-by": "Helm" } },
    spec: { components: [{ image: `${VLLM}:1.2.0` }] },
  });
  const read = JSON.parse(rewrite(json).objects[0]!.text);
  assert.equal(read.metadata.namespace, "dynamo-cloud");
  assert.deepEqual(read.metadata.labels, { "app.kubernetes.io/managed-by": "dynamo-eks" });
  assert.equal(read.spec.components[0].image, `${VLLM}:1.4.2`);
});

Deno.test("several documents: cluster-wide objects get no namespace, own namespaces are kept", () => {
  const text = `# first
---
apiVersion: v1
kind: Namespace
metadata: {name: a}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, namespace: other}
data: {mode: 0644}
---
${GRAPH}`;
  const { objects } = rewrite(text);
  assert.deepEqual(
    objects.map(({ object }) => object.metadata.namespace),
    [undefined, "other", "dynamo-cloud"],
  );
  assert.equal(objects[1]!.object["data"].mode, 0o644, "as kubectl reads it");
  assert.equal(splitDocuments(text).join(""), text);
});

Deno.test("what cannot be rewritten is refused", () => {
  assert.match(refused(GRAPH.replaceAll(VLLM, "example.com/vllm")), /^IMAGES_FOREIGN/);
  assert.match(refused("# nothing\n"), /^MANIFEST_EMPTY/);
  assert.match(refused(`---\na: 1\n---\nb: [\n`), /^MANIFEST_SYNTAX dgd.yaml .*line [45]/);
  assert.match(refused("a: 1\n"), /^MANIFEST_OBJECT dgd.yaml, line 1/);
  assert.match(refused("apiVersion: v1\nkind: List\nitems: []\n"), /^MANIFEST_OBJECT.*List/);
  const shared = GRAPH.replace(`'${VLLM}:0.4.0'`, `&i '${VLLM}:0.4.0', command: [*i]`);
  assert.match(refused(shared), /^MANIFEST_FIXED dgd.yaml, line 1/);
});

Deno.test("damaged manifests give an error or a result", () => {
  let seed = 7;
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  const marks = [
    "\n",
    " ",
    ":",
    "-",
    "{",
    "}",
    "[",
    "'",
    '"',
    "&a ",
    "*a ",
    "|",
    "---\n",
    "\t",
    "#",
  ];
  for (let i = 0; i < 3_000; i++) {
    const at = random(GRAPH.length);
    const text = GRAPH.slice(0, at) + marks[random(marks.length)] + GRAPH.slice(at + random(3));
    try {
      for (const { object, text: result } of rewrite(text).objects) {
        assert.equal(object.metadata.labels?.["app.kubernetes.io/managed-by"], "dynamo-eks");
        assert.deepEqual(readDocument(result).value, object);
      }
    } catch (error) {
      if (!(error instanceof TaskError)) throw new Error(`${error}\n${text}`, { cause: error });
    }
  }
});
