/**
 * Where tests find Dynamo's real custom resource definitions: one folder an era.
 *
 * @module
 */
import { parse } from "@std/yaml";
import type { JsonSchema } from "../../lib/graph/json_schema.ts";

/** The era folder of each release that golden files are kept for. */
export const ERAS: Readonly<Record<string, string>> = {
  "0.4.1": "0.4.1",
  "0.5.1": "0.5.1",
  "0.7.0": "0.7",
  "0.9.0-post1": "0.9",
  "1.0.2": "1.0",
  "1.2.0": "1.2",
  "1.4.2": "1.4",
  "1.5.1": "1.5-dev",
  "1.6.1": "1.5-dev",
};

/** The folder that `DYNAMO_TEST_CRDS_DIR` names; undefined (and said) where there is none. */
export async function realDefinitionsFolder(): Promise<string | undefined> {
  const folder = Deno.env.get("DYNAMO_TEST_CRDS_DIR");
  const there = folder !== undefined &&
    await Deno.stat(`${folder}/0.4.1`).then(() => true, () => false);
  if (there) return folder;
  // deno-lint-ignore no-console -- a test that cannot run says so
  console.log(
    "SKIPPED: no CustomResourceDefinitions; DYNAMO_TEST_CRDS_DIR names a folder with one folder an era",
  );
  return undefined;
}

interface Definition {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: JsonSchema };
    }[];
  };
}

/** Schemas of `spec` in a definition's file, by the API versions that it has. */
export async function specSchemas(file: string): Promise<Record<string, JsonSchema>> {
  const { spec } = parse(await Deno.readTextFile(file), { schema: "core" }) as Definition;
  return Object.fromEntries(
    spec.versions.map(({ name, schema }) => [
      `nvidia.com/${name}`,
      schema.openAPIV3Schema.properties?.["spec"] ?? {},
    ]),
  );
}
