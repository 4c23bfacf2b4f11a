import { parse } from "@std/yaml";
import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { testContext } from "../cli/testing.ts";
import { loadExample } from "../graph/examples.ts";
import { manifestYaml } from "../graph/manifest.ts";
import { testRelease } from "../graph/testing.ts";
import { graphDeployment } from "./deploy.ts";
import { EXPORT_MARK, exportDeployment, type ExportOptions } from "./export.ts";

Deno.test("files for GitOps: complete, ours, and nobody else's overwritten", async () => {
  await using test = await testContext();
  const { ctx } = test;
  const deployment = graphDeployment(await loadExample(ctx, "vllm"), testRelease("1.6.1"), {
    namespace: "team",
    partOf: "blue",
  });
  const folder = `${ctx.home}/gitops`;
  const options: ExportOptions = {
    folder,
    deployment,
    texts: deployment.objects.map((object) => manifestYaml([object])),
    repo: { url: "https://git.example.com/team/models.git", path: "graphs/vllm", revision: "main" },
    overwrite: false,
    dryRun: false,
  };
  await exportDeployment(ctx, { ...options, dryRun: true });
  await assert.rejects(ctx.fs.stat(folder));
  await exportDeployment(ctx, options);
  // deno-lint-ignore no-explicit-any -- read back as anybody would
  const read = async (name: string): Promise<any> => {
    const text = await ctx.fs.readTextFile(`${folder}/${name}`);
    assert.ok(text.startsWith(EXPORT_MARK));
    return parse(text);
  };
  assert.deepEqual((await read("kustomization.yaml")).resources, [
    "dynamographdeployment-vllm.yaml",
  ]);
  assert.deepEqual(await read("dynamographdeployment-vllm.yaml"), deployment.objects[0]);
  const application = await read("argocd-application.yaml");
  assert.deepEqual(application.spec.source, {
    repoURL: options.repo.url,
    path: options.repo.path,
    targetRevision: options.repo.revision,
  });
  assert.equal(application.spec.destination.namespace, "team");
  for (const { metadata } of [application, deployment.objects[0]!]) {
    assert.equal(metadata.labels["app.kubernetes.io/part-of"], "blue");
  }
  await exportDeployment(ctx, options);
  await ctx.fs.writeTextFile(`${folder}/kustomization.yaml`, "mine: true\n");
  await assert.rejects(
    exportDeployment(ctx, options),
    (error) => error instanceof TaskError && error.code === "EXPORT_OTHERS" && error.exitCode === 2,
  );
  assert.equal(await ctx.fs.readTextFile(`${folder}/kustomization.yaml`), "mine: true\n");
  await exportDeployment(ctx, { ...options, overwrite: true });
  await read("kustomization.yaml");
});

Deno.test("a Secret is not written to files for Git", async () => {
  await using test = await testContext();
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" } };
  await assert.rejects(
    exportDeployment(test.ctx, {
      folder: test.ctx.home,
      deployment: { name: "x", namespace: "n", objects: [secret], graphs: [], warnings: [] },
      texts: [""],
      repo: { url: "u", path: "p", revision: "r" },
      overwrite: true,
      dryRun: false,
    }),
    (error) => error instanceof TaskError && error.code === "EXPORT_SECRET",
  );
});
