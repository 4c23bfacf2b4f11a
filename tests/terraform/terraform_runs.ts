/**
 * Real terraform runs without a cloud: `tfcheck` serves the providers' schemas and makes up answers.
 *
 * @module
 */

/** Where the programs are. */
export interface TerraformTools {
  /** terraform, or OpenTofu where TFCHECK_TERRAFORM names it. */
  readonly terraform: string;
  /** tfcheck. */
  readonly tfcheck: string;
  /** Folder of its providers and work folders. */
  readonly home: string;
}

/** How a run ended. */
export interface TerraformRun {
  /** terraform's exit code; 2 when a second plan was not empty. */
  readonly code: number;
  /** What was printed: terraform's words, then tfcheck's own lines. */
  readonly output: string;
}

/** Settings of the blueprint: `{ name: "demo" }`. */
export type TerraformVariables = Readonly<Record<string, unknown>>;

/** One stack: a work folder with a state of its own, removed at the end. */
export interface TerraformStack extends AsyncDisposable {
  /** Runs `tfcheck ARGS`; `variables` go into a file. */
  run(args: readonly string[], options?: StackRunOptions): Promise<TerraformRun>;
  /** `terraform show -json` of the last plan, or of the state. */
  show(what: "plan" | "state"): Promise<TerraformView>;
  /** Whether all of `first` was over before any of `then` began; the reason when not. */
  order(op: "create" | "destroy", first: string, then: string): Promise<string | undefined>;
}

/** Options of {@link TerraformStack.run}. */
export interface StackRunOptions {
  /** Settings, as JSON; they beat those of `file`. */
  readonly variables?: TerraformVariables;
  /** A tfvars file. */
  readonly file?: string;
  /** Variables of tfcheck, for example `TFSTUB_DELAY`. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A resource in a plan or state. */
export interface TerraformResource {
  readonly address: string;
  readonly type: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A plan or a state as data. */
export interface TerraformView {
  /** Outputs that are known. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Resources of the root module and of the modules in it. */
  readonly resources: readonly TerraformResource[];
}

/** The folder under test. */
export const TERRAFORM_FOLDER = new URL("../../terraform", import.meta.url).pathname;

// The name under which tfcheck keeps a plan.
const PLAN = "tfcheck.tfplan";

/** The tools; undefined, and said, when they are missing. */
export async function findTerraform(): Promise<TerraformTools | undefined> {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? ""}/.cache`;
  const home = Deno.env.get("TFCHECK_HOME") ?? `${cache}/tfcheck`;
  const tfcheck = await firstRunning([
    Deno.env.get("TFCHECK"),
    "tfcheck",
    `${home}/bin/tfcheck`,
  ], ["modules"]);
  if (tfcheck === undefined) return skip("tfcheck is not installed; TFCHECK names it");
  const terraform = await firstRunning([
    Deno.env.get("TFCHECK_TERRAFORM"),
    "terraform",
    `${home}/bin/terraform`,
  ], ["version"]);
  if (terraform === undefined) return skip("terraform is not installed");
  return { terraform, tfcheck, home };
}

function skip(reason: string): undefined {
  // deno-lint-ignore no-console -- a test that cannot run says so
  console.log(`SKIPPED: terraform: ${reason}`);
  return undefined;
}

async function firstRunning(
  programs: readonly (string | undefined)[],
  args: readonly string[],
): Promise<string | undefined> {
  for (const program of programs) {
    if (program === undefined || program === "") continue;
    const { code } = await execute(program, args).catch(() => ({ code: -1 }));
    if (code === 0) return program;
  }
  return undefined;
}

async function execute(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    // terraform's graphs are garbage soon; collecting them all the time is half of its work.
    env: { NO_COLOR: "1", TF_CLI_ARGS: "-no-color", GOGC: "1600", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/**
 * Makes a stack. What tfcheck has initialised and found valid it would initialise and validate again
 * before each command; from then on plans and views are terraform's own commands.
 */
export async function terraformStack(tools: TerraformTools): Promise<TerraformStack> {
  const folder = await Deno.makeTempDir({ prefix: "dynamo-eks-terraform-" });
  const work = `${folder}/work`;
  const source = `${work}/src`;
  let types: string | undefined;
  const check = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const result = await execute(
      tools.tfcheck,
      ["--work", work, "--root", TERRAFORM_FOLDER, TERRAFORM_FOLDER, ...args],
      { TFCHECK_HOME: tools.home, ...env },
    );
    if (result.code === 0) types ??= (await resourceTypes(source)).join(",");
    return result;
  };
  const call = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    if (types === undefined) return await check(args, env);
    return await execute(tools.terraform, [`-chdir=${source}`, ...args], {
      CHECKPOINT_DISABLE: "1",
      PATH: `${tools.home}/shims:${Deno.env.get("PATH") ?? ""}`,
      TF_CLI_CONFIG_FILE: `${work}/terraformrc`,
      TF_INPUT: "0",
      TF_IN_AUTOMATION: "1",
      TFSTUB_LOG: `${work}/stub.jsonl`,
      TFSTUB_TYPES: types,
      ...env,
    });
  };
  return {
    async run([command = "", ...args], options = {}) {
      const files: string[] = options.file === undefined ? [] : [`-var-file=${options.file}`];
      if (options.variables !== undefined) {
        const path = `${folder}/settings.tfvars.json`;
        await Deno.writeTextFile(path, JSON.stringify(options.variables));
        files.push(`-var-file=${path}`);
      }
      const plans = command === "plan" && types !== undefined;
      const { code, stdout, stderr } = plans
        ? await call([command, `-out=${PLAN}`, ...args, ...files], options.env)
        : await check([command, ...args, ...files], options.env);
      return { code, output: `${stdout}\n${stderr}` };
    },
    async show(what) {
      const { code, stdout, stderr } = await call([
        "show",
        "-json",
        ...(what === "plan" ? [PLAN] : []),
      ]);
      if (code !== 0) throw new Error(`terraform show failed: ${stderr}`);
      return readView(JSON.parse(stdout));
    },
    async order(op, first, then) {
      const events = `${work}/events.jsonl`;
      const { code, stdout, stderr } = await execute(
        tools.tfcheck,
        ["assert-order", events, op, first, then],
        { TFCHECK_HOME: tools.home },
      );
      return code === 0 ? undefined : `${stdout}${stderr}`;
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Types that the configuration and its modules name: the providers serve no others, and start faster. */
export async function resourceTypes(folder: string): Promise<string[]> {
  const types = new Set<string>();
  const walk = async (path: string) => {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory && name !== "providers") await walk(`${path}/${name}`);
      if (!name.endsWith(".tf")) continue;
      const text = await Deno.readTextFile(`${path}/${name}`);
      for (const [, type] of text.matchAll(/^\s*(?:resource|data|ephemeral)\s+"([\w-]+)"/gm)) {
        types.add(type!);
      }
    }
  };
  await walk(folder);
  return [...types].sort();
}

interface RawModule {
  readonly resources?: readonly TerraformResource[];
  readonly child_modules?: readonly RawModule[];
}

interface RawValues {
  readonly outputs?: Readonly<Record<string, { readonly value?: unknown }>>;
  readonly root_module?: RawModule;
}

function readView(
  raw: { readonly planned_values?: RawValues; readonly values?: RawValues },
): TerraformView {
  const values = raw.planned_values ?? raw.values ?? {};
  const outputs = Object.entries(values.outputs ?? {}).map(([name, output]) =>
    [name, output.value] as const
  );
  return { outputs: Object.fromEntries(outputs), resources: resourcesOf(values.root_module) };
}

function resourcesOf(module: RawModule | undefined): TerraformResource[] {
  if (module === undefined) return [];
  return [...module.resources ?? [], ...(module.child_modules ?? []).flatMap(resourcesOf)];
}

/** terraform's words without the frames and line breaks of its diagnostics. */
export function plainWords(output: string): string {
  return output.replaceAll(/[│╷╵]/g, " ").replaceAll(/\s+/g, " ");
}
