import { realDefinitionsFolder } from "../../../../tests/support/definitions.ts";
import assert from "node:assert/strict";
import { parse } from "@std/yaml";
import { testContext } from "../../../cli/testing.ts";
import type { KubeObject } from "../../../kube/types.ts";
import { ownDefinitions } from "./definitions.ts";
import { crdsFor } from "./source.ts";

// deno-lint-ignore no-explicit-any -- schemas are walked as they come
type Any = any;

const ERAS: Record<string, string> = {
  "0.4.1": "0.4.1",
  "0.5.1": "0.5.1",
  "0.6": "0.6.1",
  "0.7": "0.7.0",
  "0.8": "0.8.1",
  "0.9": "0.9.0",
  "1.0": "1.0.2",
  "1.1": "1.1.0",
  "1.2": "1.2.0",
  "1.3": "1.3.0",
  "1.4": "1.4.2",
  "1.5-dev": "1.5.1",
};

/** Kinds that no graph here uses and that are not defined. */
const LEFT_OUT = ["dynamocheckpoints", "podsnapshots", "podsnapshotcontents"];

/** Kinds of which only the fields in use are spelled out. */
const PARTIAL = ["dynamographdeploymentrequests", "dynamomodels"];

/** Differences below a path: fields of one schema that the other lacks, types that differ. */
function differences(own: Any, real: Any, path: string): string[] {
  if (own["x-kubernetes-preserve-unknown-fields"] === true) return [];
  const found: string[] = [];
  if (own.type !== real.type) found.push(`${path}: type ${own.type}, real ${real.type}`);
  const enums = (schema: Any) => JSON.stringify([...schema.enum ?? []].sort());
  if (enums(own) !== enums(real)) found.push(`${path}: enum ${enums(own)}, real ${enums(real)}`);
  for (const limit of ["minimum", "maximum", "minLength", "pattern", "default"]) {
    // The real webhook fills in replicas; container ports and the like are core types.
    if (limit === "default" && /\.replicas$|\.name$|optional$/.test(path)) continue;
    if (own[limit] !== real[limit] && real[limit] !== undefined && !/conditions/.test(path)) {
      found.push(`${path}: ${limit} ${own[limit]}, real ${real[limit]}`);
    }
  }
  const required = (schema: Any) => JSON.stringify([...schema.required ?? []].sort());
  if (required(own) !== required(real)) {
    found.push(`${path}: required ${required(own)}, real ${required(real)}`);
  }
  const ownFields = own.properties ?? {};
  const realFields = real.properties ?? {};
  for (const name of new Set([...Object.keys(ownFields), ...Object.keys(realFields)])) {
    const at = `${path}.${name}`;
    if (realFields[name] === undefined) {
      // Fields of newer Kubernetes versions in older eras' pods do no harm.
      if (!/fileKeyRef|hostnameOverride|schedulingGroup|restartPolicyRules/.test(name)) {
        found.push(`${at}: not in the real one`);
      }
    } else if (ownFields[name] === undefined) found.push(`${at}: missing`);
    else found.push(...differences(ownFields[name], realFields[name], at));
  }
  if (own.items && real.items) found.push(...differences(own.items, real.items, `${path}[]`));
  if (own.additionalProperties && real.additionalProperties) {
    found.push(
      ...differences(own.additionalProperties, real.additionalProperties, `${path}{}`),
    );
  }
  return found;
}

Deno.test("own definitions have the real ones' names, versions, columns and fields", async () => {
  const folder = await realDefinitionsFolder();
  if (folder === undefined) return;
  const problems: string[] = [];
  for (const [era, version] of Object.entries(ERAS)) {
    const own = ownDefinitions(version, version);
    for await (const entry of Deno.readDir(`${folder}/${era}`)) {
      if (LEFT_OUT.some((name) => entry.name.startsWith(name))) continue;
      const real = parse(await Deno.readTextFile(`${folder}/${era}/${entry.name}`)) as KubeObject;
      const mine = own.find((one) => one.metadata.name === real.metadata.name);
      const where = `${era} ${real.metadata.name}`;
      if (mine === undefined) {
        problems.push(`${where}: not defined`);
        continue;
      }
      const { names, versions } = real["spec"];
      assert.deepEqual(
        { ...mine["spec"].names },
        { ...names, shortNames: names.shortNames },
        where,
      );
      for (const version of versions) {
        const same: Any = mine["spec"].versions.find((one: Any) =>
          one.name === version.name
        ) as Any;
        if (same === undefined) {
          // v1alpha1 of requests is not served where v1beta1 is, in the real ones too.
          problems.push(`${where}: ${version.name} missing`);
          continue;
        }
        const columns = (one: Any) =>
          (one.additionalPrinterColumns ?? []).map((column: Any) =>
            [column.name, column.type, column.jsonPath].join(" ")
          );
        assert.deepEqual(columns(same), columns(version), `${where} ${version.name} columns`);
        assert.deepEqual(same.subresources, version.subresources, `${where} ${version.name}`);
        assert.equal(same.deprecationWarning, version.deprecationWarning);
        if (PARTIAL.some((name) => entry.name.startsWith(name))) continue;
        problems.push(
          ...differences(
            same.schema.openAPIV3Schema,
            version.schema.openAPIV3Schema,
            `${where} ${version.name} `,
          ),
        );
      }
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("from 1.2 on v1beta1 is stored, and v1alpha1 waits for its conversion", () => {
  const graph = ownDefinitions("1.6.1", "1.6.1")[0]!;
  const versions = graph["spec"].versions.map((one: Any) => [one.name, one.served, one.storage]);
  assert.deepEqual(versions, [["v1alpha1", false, false], ["v1beta1", true, true]]);
  const before = ownDefinitions("1.1.0", "1.1.0")[0]!;
  assert.deepEqual(
    before["spec"].versions.map((one: Any) => [one.name, one.served, one.storage]),
    [["v1alpha1", true, true]],
  );
});

Deno.test("crdsFor takes the newest era that is not newer, and says where from", async () => {
  await using test = await testContext();
  const { ctx } = test;
  const crd = (name: string, versions: Any[]) =>
    JSON.stringify({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name },
      spec: { versions, conversion: { strategy: "Webhook" } },
    });
  const version = (name: string, storage: boolean) => ({
    name,
    served: true,
    storage,
    schema: {
      openAPIV3Schema: {
        type: "object",
        description: "talk",
        properties: { description: { type: "string", description: "talk" } },
      },
    },
  });
  const folder = `${ctx.home}/crds`;
  await Deno.mkdir(`${folder}/0.4.1`, { recursive: true });
  await Deno.mkdir(`${folder}/1.2`);
  await Deno.writeTextFile(`${folder}/0.4.1/a.yaml`, crd("old", [version("v1alpha1", true)]));
  await Deno.writeTextFile(
    `${folder}/1.2/a.yaml`,
    crd("new", [version("v1alpha1", true), version("v1beta1", false)]),
  );
  await using withFolder = await testContext({ env: { DYNAMO_CRDS_DIR: folder } });
  const release = (name: string) => ({ version: name, rules: name });
  const old = await crdsFor(withFolder.ctx, release("1.1.0"));
  assert.deepEqual(old.objects.map((one) => one.metadata.name), ["old"]);
  assert.deepEqual(old.source, { kind: "folder", path: `${folder}/0.4.1` });
  const made = (await crdsFor(withFolder.ctx, release("1.6.1"))).objects[0]!;
  assert.equal(made["spec"].conversion, undefined);
  assert.deepEqual(
    made["spec"].versions.map((one: Any) => [one.served, one.storage]),
    [[false, false], [true, true]],
  );
  assert.deepEqual(made["spec"].versions[0].schema.openAPIV3Schema, {
    type: "object",
    properties: { description: { type: "string" } },
  });
  const real = await crdsFor(withFolder.ctx, release("1.6.1"), { realOperator: true });
  assert.deepEqual(real.objects[0]!["spec"].conversion, { strategy: "Webhook" });
  await assert.rejects(crdsFor(withFolder.ctx, release("0.4.0")), /DYNAMO_CRDS_DIR .* 0\.4\.0/);
  assert.deepEqual((await crdsFor(ctx, release("0.4.1"))).source, { kind: "own" });
});
