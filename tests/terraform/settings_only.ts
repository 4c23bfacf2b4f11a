/**
 * The settings of `terraform/` alone: variables with their rules, and the locals that need nothing
 * else, copied into a folder where terraform needs no provider. A plan there takes 0.2 s.
 *
 * @module
 */
import assert from "node:assert/strict";
import { TERRAFORM_FOLDER } from "./terraform_runs.ts";

/** A `variable`, or one local value. */
export interface SettingItem {
  /** How it is referred to: `var.name` or `local.node_pools`. */
  readonly reference: string;
  /** Its text, as a block of its own. */
  readonly text: string;
}

/** Every variable and local value of the folder, by reference. */
export async function settingItems(): Promise<ReadonlyMap<string, SettingItem>> {
  const items: SettingItem[] = [];
  for await (const file of Deno.readDir(TERRAFORM_FOLDER)) {
    if (!file.name.endsWith(".tf")) continue;
    const text = await Deno.readTextFile(`${TERRAFORM_FOLDER}/${file.name}`);
    // Formatted files begin and end their blocks at the start of a line.
    for (
      const [block, kind, name] of text.matchAll(/^(variable|locals)(?: "(\w+)")? \{$[^]*?^\}$/gm)
    ) {
      if (kind === "variable") items.push({ reference: `var.${name}`, text: block });
      else items.push(...localItems(block));
    }
  }
  return new Map(items.map((item) => [item.reference, item]));
}

function localItems(block: string): SettingItem[] {
  const body = block.replace(/^locals \{\n/, "").replace(/\}$/, "");
  return body.split(/^(?= {2}\w+ += )/m).flatMap((text) => {
    const name = /^ {2}(\w+) += /.exec(text)?.[1];
    return name === undefined ? [] : [{ reference: `local.${name}`, text: `locals {\n${text}}` }];
  });
}

/** The items named, and all that they refer to. */
export function withReferences(
  items: ReadonlyMap<string, SettingItem>,
  wanted: Iterable<string>,
): SettingItem[] {
  const chosen = new Map<string, SettingItem>();
  const add = (reference: string) => {
    const item = items.get(reference);
    if (item === undefined || chosen.has(reference)) return;
    chosen.set(reference, item);
    for (const [found] of item.text.matchAll(/\b(?:var|local)\.\w+/g)) add(found);
  };
  for (const reference of wanted) add(reference);
  return [...chosen.values()];
}

/** What terraform said. */
export interface SettingsRun {
  /** Its exit code. */
  readonly code: number;
  /** What it printed, on both streams. */
  readonly output: string;
  /** Its standard output alone. */
  readonly stdout: string;
}

/** Runs terraform in a folder, with no settings of the user's and no call home. */
export async function runTerraform(
  terraform: string,
  folder: string,
  args: readonly string[],
): Promise<SettingsRun> {
  const result = await new Deno.Command(terraform, {
    args: [...args],
    cwd: folder,
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: folder,
      CHECKPOINT_DISABLE: "1",
      TF_IN_AUTOMATION: "1",
      TF_CLI_ARGS: "-no-color",
      GOGC: "1600",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(120_000),
  }).output();
  const [stdout, stderr] = [result.stdout, result.stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { code: result.code, output: `${stdout}\n${stderr}`, stdout: stdout! };
}

/**
 * What terraform makes of the references with each of these settings (the text of a `.tfvars` file),
 * all in one plan: `[{ "local.name": "dynamo-on-eks" }]`.
 */
export async function evaluate(
  terraform: string,
  references: readonly string[],
  files: readonly string[],
): Promise<Record<string, unknown>[]> {
  const folder = await Deno.makeTempDir({ prefix: "dynamo-eks-settings-" });
  try {
    await Deno.mkdir(`${folder}/settings`);
    const items = withReferences(await settingItems(), references);
    await Deno.writeTextFile(`${folder}/settings/main.tf`, moduleText(items, references));
    const calls = files.map((file, index) =>
      `module "case_${index}" {\n  source = "./settings"\n${file}\n}\n` +
      `output "case_${index}" {\n  value = module.case_${index}.values\n}\n`
    );
    await Deno.writeTextFile(`${folder}/main.tf`, calls.join("\n"));
    for (const args of [["init"], ["plan", "-input=false", "-out=plan"]]) {
      const { code, output } = await runTerraform(terraform, folder, args);
      assert.equal(code, 0, output);
    }
    const { stdout } = await runTerraform(terraform, folder, ["show", "-json", "plan"]);
    const outputs = JSON.parse(stdout).planned_values.outputs;
    return files.map((_, index) => outputs[`case_${index}`].value);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function moduleText(items: readonly SettingItem[], references: readonly string[]): string {
  const values = references.map((reference) => `    "${reference}" = ${reference}\n`).join("");
  const output = `output "values" {\n  value = {\n${values}  }\n}\n`;
  return [...items.map((item) => item.text), output].join("\n\n");
}

/** Runs `run` on each of the items, as many at a time as this machine has processors. */
export async function eachOf<T>(
  items: readonly T[],
  run: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const left = [...items.entries()];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      await run(next[1], next[0]);
    }
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, worker));
}
