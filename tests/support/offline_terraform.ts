/**
 * The real terraform for the tasks, with stub providers and modules in place of registries and
 * clouds: a small program to set as DYNAMO_TERRAFORM.
 *
 * @module
 */
import { findTerraform, resourceTypes, TERRAFORM_FOLDER } from "../terraform/terraform_runs.ts";

/** A program that runs terraform offline. */
export interface OfflineTerraform extends AsyncDisposable {
  /** Path for DYNAMO_TERRAFORM. */
  readonly path: string;
  /** Folder with a copy of each plan that was applied, all arguments, and names of variables. */
  readonly kept: string;
}

/** Makes the program; undefined, and said, when the tools are missing. */
export async function offlineTerraform(): Promise<OfflineTerraform | undefined> {
  const tools = await findTerraform();
  if (tools === undefined) return undefined;
  const folder = await Deno.makeTempDir({ prefix: "dynamo-eks-offline-terraform-" });
  const work = `${folder}/work`;
  // Fills the provider mirror and gets the modules, which init then finds in place.
  const { code, stderr, stdout } = await new Deno.Command(tools.tfcheck, {
    args: ["--work", work, "--root", TERRAFORM_FOLDER, TERRAFORM_FOLDER, "validate"],
    env: { TFCHECK_HOME: tools.home, TF_CLI_ARGS: "-no-color" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (code !== 0) {
    const text = new TextDecoder();
    throw new Error(`tfcheck: ${text.decode(stdout)}\n${text.decode(stderr)}`);
  }
  await addCluster(`${work}/src`);
  const real = await absolute(tools.terraform);
  const path = `${folder}/terraform`;
  const kept = `${folder}/kept`;
  await Deno.mkdir(kept);
  await Deno.writeTextFile(
    path,
    `#!/bin/sh
export GOGC=1600
export TF_CLI_CONFIG_FILE='${work}/terraformrc'
export TFSTUB_TYPES='${(await resourceTypes(`${work}/src`)).join(",")}'
if [ "$1" = init ] && [ ! -d .terraform/modules ]; then
  mkdir -p .terraform && cp -r '${work}/src/.terraform/modules' .terraform/modules
fi
echo "$@" >> '${kept}/arguments'
env | cut -d= -f1 >> '${kept}/variables'
if [ "$1" = apply ]; then for plan in *.tfplan; do cp "$plan" "${kept}/$$-$plan"; done; fi
exec '${real}' "$@"
`,
    { mode: 0o755 },
  );
  return {
    path,
    kept,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

// By the address of its API server a state tells which cluster it is of.
const CLUSTER = `
resource "aws_eks_cluster" "this" {
  name     = var.name
  role_arn = "arn:aws:iam::123456789012:role/\${var.name}"

  vpc_config {
    subnet_ids = var.subnet_ids
  }

  depends_on = [terraform_data.stub]
}
`;

/** Stub modules have no resources of a cloud: the one of EKS gets its cluster. */
async function addCluster(folder: string): Promise<void> {
  const { Modules } = JSON.parse(
    await Deno.readTextFile(`${folder}/.terraform/modules/modules.json`),
  ) as { readonly Modules: readonly { readonly Key: string; readonly Dir: string }[] };
  const file = `${folder}/${Modules.find(({ Key }) => Key === "eks")?.Dir}/main.tf`;
  const text = await Deno.readTextFile(file);
  if (!text.includes("aws_eks_cluster")) await Deno.writeTextFile(file, text + CLUSTER);
}

async function absolute(program: string): Promise<string> {
  if (program.includes("/")) return await Deno.realPath(program);
  const { stdout } = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] })
    .output();
  return new TextDecoder().decode(stdout).trim();
}
