import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import type { KubeObject } from "../kube/types.ts";
import { checkRendered, renderedProblems } from "./check_rendered.ts";
import { parseGraph } from "./load.ts";
import { problemText } from "./problems.ts";
import { renderGraph } from "./render.ts";
import { testRelease } from "./testing.ts";

const GRAPH = parseGraph(
  `
name: g
description: A test
engine: vllm
model: { id: a/b }
cache: [{ claim: models, mountPath: /m, size: 1Gi }]
components:
  - { name: Frontend, role: frontend }
  - { name: W, role: worker, gpus: 1, resources: { requests: { cpu: "1" } } }
`,
  "test",
);

type Change = (graph: KubeObject, claim: KubeObject) => void;

function problemsAfter(version: string, change: Change, grove = false): string[] {
  const release = testRelease(version);
  const objects = structuredClone(renderGraph(GRAPH, release, { namespace: "ns" }));
  assert.deepEqual(renderedProblems(objects, release, { grove }), []);
  change(objects.at(-1)!, objects[0]!);
  return renderedProblems(objects, release, { grove }).map(problemText);
}

Deno.test("fields of v1alpha1", () => {
  const check = (change: Change, expected: RegExp, version = "0.4.1") => {
    const problems = problemsAfter(version, change);
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0]!, expected);
  };
  check(
    (g) => g.spec.services.W.resources.limits.gpu = 1,
    /limits\.gpu: 1 is not a quantity written as text/,
  );
  check((g) => delete g.spec.services.W.extraPodSpec.mainContainer, /mainContainer: is missing/);
  check((g) => g.spec.services.W.componentType = "decode", /componentType: "decode" is not known/);
  check(
    (g) => g.spec.services.W.subComponentType = "decode",
    /subComponentType: is not a known key/,
  );
  check(
    (g) => g.spec.services.W.dynamoNamespace = "other",
    /dynamoNamespace: is "other", and must be "g"/,
  );
  check(
    (g) => delete g.spec.services.W.dynamoNamespace,
    /dynamoNamespace: is missing, and must be "g"/,
  );
  check(
    (g) => g.spec.services.W.dynamoNamespace = "g",
    /dynamoNamespace: is not a known key/,
    "0.7.0",
  );
  check(
    (g) => delete g.spec.services.W.extraPodSpec.tolerations,
    /does not tolerate nvidia\.com\/gpu/,
  );
  check((g) => g.spec.services.w = g.spec.services.W, /"w" is there twice/);
  check((g) => g.spec.components = [], /spec\.components: is not a known key/);
  check((g) => g.apiVersion = "nvidia.com/v1beta1", /is not a kind that Dynamo 0\.4\.1 is given/);
});

Deno.test("fields of v1beta1", () => {
  const check = (change: Change, expected: RegExp, version = "1.6.1") => {
    const problems = problemsAfter(version, change);
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0]!, expected);
  };
  const main = (g: KubeObject) => g.spec.components[1].podTemplate.spec.containers[0];
  check((g) => main(g).name = "other", /containers\[0\]\.name: "other" is not known \(main\)/);
  check(
    (g) => main(g).image = "x/y:mine",
    /containers\[0\]\.image: "x\/y:mine" has no version in its tag/,
  );
  check((g) => main(g).resources.limits["nvidia.com/gpu"] = 1, /is not a quantity written as text/);
  check((g) => g.spec.components = [], /must have at least 1/);
  check((g) => g.spec.components[1].type = "main", /type: "main" is not known/);
  check((g) => g.spec.components[1].name = "frontend", /"frontend" is there twice/);
  check(
    (g) => g.spec.components[0].runtimeVersionOverride = "1.3.0",
    /is not a known key/,
    "1.2.0",
  );
  check((g) => g.spec.restart = { id: "1" }, /spec\.restart: is not a known key/);
});

Deno.test("labels, namespace and names of every object", () => {
  for (const version of ["0.4.1", "1.6.1"]) {
    const labels = "app.kubernetes.io/managed-by";
    assert.match(
      problemsAfter(version, (_g, c) => delete c.metadata.namespace)[0] ?? "",
      /PersistentVolumeClaim\/models\.metadata\.namespace: is missing/,
    );
    assert.match(
      problemsAfter(version, (g) => g.metadata.labels![labels] = "else")[0] ?? "",
      /"else" is not known \(dynamo-eks\)/,
    );
    assert.match(
      problemsAfter(version, (g) => delete g.metadata.labels)[0] ?? "",
      /labels: is missing/,
    );
    assert.match(
      problemsAfter(version, (g) => g.metadata.labels!["x"] = "a b")[0] ?? "",
      /"a b" is not the value of a label/,
    );
    assert.match(
      problemsAfter(version, (g) => g.kind = "Pod")[0] ?? "",
      /Pod is not a kind that Dynamo/,
    );
  }
});

Deno.test("names that the operator would make too long", () => {
  const rename = (name: string): Change => (g) => {
    g.metadata.name = name;
    for (const service of Object.values<KubeObject>(g.spec.services ?? {})) {
      service.dynamoNamespace = name;
    }
  };
  assert.deepEqual(problemsAfter("0.4.1", rename("a".repeat(54))), []);
  assert.match(
    problemsAfter("0.4.1", rename("a".repeat(55)))[0] ?? "",
    /has 64 characters, more than 63/,
  );
  assert.match(
    problemsAfter("1.6.1", rename("a".repeat(54)))[0] ?? "",
    /has 65 characters, more than 63/,
  );
  assert.match(
    problemsAfter("1.6.1", rename("a".repeat(61)))[0] ?? "",
    /becomes a label and has 64 characters/,
  );
  assert.match(
    problemsAfter("1.6.1", rename("a".repeat(38)), true)[0] ?? "",
    /together, and Grove takes 45/,
  );
});

Deno.test("the check throws with the first problem and lists the others", () => {
  const release = testRelease("0.4.1");
  const objects = structuredClone(renderGraph(GRAPH, release, { namespace: "ns" }));
  const { services } = objects.at(-1)!.spec;
  services.W.replicas = -1;
  services.Frontend.replicas = "1";
  assert.throws(() => checkRendered(objects, release), (error) => {
    assert.ok(error instanceof TaskError);
    assert.equal(error.code, "RENDERED_INVALID");
    assert.match(
      error.message,
      /DynamoGraphDeployment\/g\.spec\.services\.Frontend\.replicas: "1" is not a whole number/,
    );
    assert.equal(error.evidence.length, 1);
    return true;
  });
});
