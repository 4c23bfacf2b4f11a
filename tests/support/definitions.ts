/**
 * Where tests find Dynamo's real custom resource definitions: one folder an era.
 *
 * @module
 */

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
