// deno-lint-ignore-file no-console -- the original prints with it
/**
 * What the project counts on in `@cliffy/command`. Holds for the edition and for the original.
 */
import { Command, EnumType, ValidationError } from "@cliffy/command";
import { CompletionsCommand } from "@cliffy/command/completions";
import { HelpCommand } from "@cliffy/command/help";
import assert from "node:assert/strict";

// The original infers types from literals; these tests build commands from data.
// deno-lint-ignore no-explicit-any
type AnyCommand = any;

/** What an action was called with. */
interface Call {
  readonly options: Record<string, unknown>;
  readonly args: readonly unknown[];
}

/** Runs a command line on a command that records its calls. */
async function run(
  declare: (command: AnyCommand) => AnyCommand,
  words: string[],
): Promise<Call> {
  let call: Call | undefined;
  const command = declare(new Command().name("app") as AnyCommand)
    .action((options: Record<string, unknown>, ...args: unknown[]) => call = { options, args });
  await command.reset().throwErrors().parse(words);
  return call ?? assert.fail("the action was not called");
}

async function problem(
  declare: (command: AnyCommand) => AnyCommand,
  words: string[],
): Promise<string> {
  try {
    await run(declare, words);
  } catch (error) {
    assert.ok(error instanceof ValidationError, String(error));
    assert.equal(error.exitCode, 2);
    return error.message;
  }
  return assert.fail(`accepted: ${words.join(" ")}`);
}

/** What a body prints with console.log. */
async function printed(body: () => unknown): Promise<string> {
  const original = console.log;
  let text = "";
  console.log = (...parts: unknown[]) => text += parts.join(" ") + "\n";
  try {
    await body();
  } finally {
    console.log = original;
  }
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[\d+m/g, "");
}

const server = (command: AnyCommand) =>
  command.option("-p, --port <port:integer>", "Port to listen on", {
    default: 8080,
  })
    .option("-n, --name <name:string>", "Name")
    .option("-r, --ratio <ratio:number>", "Ratio")
    .option("--dry-run", "Change nothing")
    .option("-v, --verbose", "Say more")
    .option("--tag <tag:string>", "Tag", { collect: true })
    .option("--on <on:boolean>", "On or off")
    .option("--ids <ids:integer[]>", "Numbers")
    .option("--colour [colour]", "Colour")
    .option("--no-check", "Do not check");

const PARSED: readonly (readonly [string[], Record<string, unknown>])[] = [
  [[], {}],
  [["--port", "90"], { port: 90 }],
  [["--port=90"], { port: 90 }],
  [["-p", "90", "-v"], { port: 90, verbose: true }],
  [["--dry-run", "--verbose"], { dryRun: true, verbose: true }],
  [["--name=a=b"], { name: "a=b" }],
  [["--name", "5"], { name: "5" }],
  [["--ratio", "-1.5"], { ratio: -1.5 }],
  [["--tag", "a", "--tag", "b"], { tag: ["a", "b"] }],
  [["--tag", "a"], { tag: ["a"] }],
  [["--on", "false"], { on: false }],
  [["--ids", "1,2,3"], { ids: [1, 2, 3] }],
  [["--colour"], { colour: true }],
  [["--colour", "red"], { colour: "red" }],
  [["--no-check"], { check: false }],
];

for (const [words, expected] of PARSED) {
  Deno.test(`options: ${words.join(" ") || "none"}`, async () => {
    const { options, args } = await run(server, words);
    assert.deepEqual({ ...options }, { port: 8080, check: true, ...expected });
    assert.deepEqual(args, []);
  });
}

const ARGUMENTS: readonly (readonly [string, string[], unknown[]])[] = [
  ["<file:string>", ["a"], ["a"]],
  ["<file>", ["a"], ["a"]],
  ["<from:string> [to:string]", ["a"], ["a"]],
  ["<from:string> [to:string]", ["a", "b"], ["a", "b"]],
  ["[file:string]", [], []],
  ["<count:integer> [rest...:string]", ["5", "a", "b"], [5, "a", "b"]],
  ["<on:boolean>", ["true"], [true]],
];

for (const [definition, words, expected] of ARGUMENTS) {
  Deno.test(`arguments ${definition}: ${words.join(" ") || "none"}`, async () => {
    const { args } = await run(
      (command) => command.arguments(definition),
      words,
    );
    assert.deepEqual(args.filter((arg) => arg !== undefined), expected);
  });
}

const file = (command: AnyCommand) => server(command).arguments("<file:string>");
const MISTAKES: readonly (readonly [
  (command: AnyCommand) => AnyCommand,
  string[],
  string,
])[] = [
  [
    server,
    ["--prot", "1"],
    'Unknown option "--prot". Did you mean option "--port"?',
  ],
  [
    server,
    ["--port", "x"],
    'Option "--port" must be of type "integer", but got "x".',
  ],
  [
    server,
    ["--port", "1.5"],
    'Option "--port" must be of type "integer", but got "1.5".',
  ],
  [
    server,
    ["--ratio", "x"],
    'Option "--ratio" must be of type "number", but got "x".',
  ],
  [server, ["--port"], 'Missing value for option "--port".'],
  [
    server,
    ["--verbose=yes"],
    'Option "--verbose" doesn\'t take a value, but got "yes".',
  ],
  [
    server,
    ["--port", "1", "--port", "2"],
    'Option "--port" can only occur once, but was found several times.',
  ],
  [server, ["operand"], 'No arguments allowed for command "app".'],
  [file, [], "Missing argument(s): file"],
  [file, ["a", "b", "c"], "Too many arguments: b c"],
  [
    (command) => command.arguments("<count:number>"),
    ["x"],
    'Argument "count" must be of type "number", but got "x".',
  ],
  [
    (command) => command.option("--key <key>", "Key", { required: true }),
    [],
    'Missing required option "--key".',
  ],
  [
    (command) =>
      command.option("--all", "A", { conflicts: ["some"] }).option(
        "--some",
        "B",
      ),
    ["--all", "--some"],
    'Option "--all" conflicts with option "--some".',
  ],
  [
    (command) =>
      command.option("--all", "A", { depends: ["some"] }).option(
        "--some",
        "B",
      ),
    ["--all"],
    'Option "--all" depends on option "--some".',
  ],
];

for (const [declare, words, message] of MISTAKES) {
  Deno.test(`mistake: ${words.join(" ") || "none"}: ${message}`, async () => {
    assert.equal(await problem(declare, words), message);
  });
}

Deno.test("types of one's own: a list of values, and a function", async () => {
  const declare = (command: AnyCommand) =>
    command.type("form", new EnumType(["text", "json"]))
      .type("upper", ({ value }: { value: string }) => value.toUpperCase())
      .option("-o, --output <form:form>", "Form").option(
        "--name <name:upper>",
        "Name",
      );
  const { options } = await run(declare, ["-o", "json", "--name", "x"]);
  assert.deepEqual({ ...options }, { output: "json", name: "X" });
  assert.equal(
    await problem(declare, ["--output", "jsn"]),
    'Option "--output" must be of type "form", but got "jsn". Expected values: "text", "json"',
  );
});

Deno.test("words behind -- are kept apart", async () => {
  const command = new Command().name("app").option("-v, --verbose", "Say more")
    .throwErrors();
  const result = await (command as AnyCommand).parse([
    "-v",
    "--",
    "--port",
    "x",
  ]);
  assert.deepEqual({ ...result.options }, { verbose: true });
  assert.deepEqual(result.args ?? [], []);
  assert.deepEqual(result.literal, ["--port", "x"]);
});

/** A command with subcommands that record their calls. */
function tree(calls: unknown[]): AnyCommand {
  const record = (name: string) => (options: unknown, ...args: unknown[]) =>
    calls.push([name, { ...options as object }, ...args]);
  const root: AnyCommand = new Command().name("app").version("1.2.3")
    .description("An app.")
    .globalOption("-v, --verbose", "Say more");
  return root
    .command("serve <folder:string>", "Serves a folder").alias("s")
    .option("-p, --port <port:integer>", "Port")
    .action(record("serve"))
    .command(
      "build",
      new Command().description("Builds.\n\nIn full.").action(record("build")),
    )
    .command("secret").hidden().action(record("secret"))
    .command("help", new HelpCommand())
    .command("completions", new CompletionsCommand())
    .reset();
}

Deno.test("subcommands, aliases and global options in any place", async () => {
  const calls: unknown[] = [];
  await tree(calls).throwErrors().parse(["serve", "x", "-p", "1"]);
  await tree(calls).throwErrors().parse(["-v", "serve", "x"]);
  await tree(calls).throwErrors().parse(["serve", "x", "--verbose"]);
  await tree(calls).throwErrors().parse(["s", "x"]);
  await tree(calls).throwErrors().parse(["build"]);
  await tree(calls).throwErrors().parse(["secret"]);
  assert.deepEqual(calls, [
    ["serve", { port: 1 }, "x"],
    ["serve", { verbose: true }, "x"],
    ["serve", { verbose: true }, "x"],
    ["serve", {}, "x"],
    ["build", {}],
    ["secret", {}],
  ]);
});

Deno.test("an unknown subcommand is refused with a suggestion", async () => {
  await assert.rejects(tree([]).throwErrors().parse(["buld"]), (error) => {
    assert.ok(error instanceof ValidationError);
    assert.equal(
      error.message,
      'Unknown command "buld". Did you mean command "build"?',
    );
    return true;
  });
});

Deno.test("help names everything that is not hidden, without colours when asked", () => {
  const help: string = tree([]).getHelp({ colors: false });
  for (
    const part of [
      /Usage:\s+app/,
      /Version:\s+1\.2\.3/,
      /Description:\s+An app\./,
      /-h, --help\s+- Show this help\./,
      /-V, --version/,
      /-v, --verbose\s+- Say more/,
      /serve, s\s+<folder>\s+- Serves a folder/,
      /build\s+.*- Builds\./,
    ]
  ) assert.match(help, part);
  assert.ok(!help.includes("secret"));
  assert.ok(!help.includes("\x1b"));
  assert.ok(!help.includes("In full."));
});

Deno.test("help of options: value, default, required, values, examples", () => {
  const command: AnyCommand = new Command().name("app").description("An app.");
  const help: string = command.arguments("<file:string>")
    .type("form", new EnumType(["text", "json"]))
    .option("-p, --port <port:integer>", "Port to listen on", { default: 8080 })
    .option("--key <key:string>", "Key", { required: true })
    .option("--output <form:form>", "Form")
    .option("--quiet", "Hidden", { hidden: true })
    .example("app x", "Runs it").getHelp({ colors: false });
  assert.match(help, /Usage:\s+app <file> --key <key>/);
  assert.match(
    help,
    /-p, --port\s+<port>\s+- Port to listen on\s+\(Default: 8080\)/,
  );
  assert.match(help, /--key\s+<key>\s+- Key\s+\(required\)/);
  assert.match(help, /--output\s+<form>\s+- Form\s+\(Values: "text", "json"\)/);
  assert.match(help, /app x\s+Runs it/);
  assert.ok(!help.includes("--quiet"));
});

Deno.test("--help, help and --version print to stdout and run no action", async () => {
  const calls: unknown[] = [];
  const ask = (...words: string[]) => printed(() => tree(calls).noExit().parse(words));
  assert.match(await ask("--help"), /Usage:\s+app/);
  assert.match(await ask("serve", "-h"), /Serves a folder/);
  assert.match(await ask("help", "serve"), /Serves a folder/);
  assert.match(await ask("--version"), /1\.2\.3/);
  assert.equal(await ask("-V"), "1.2.3\n");
  assert.match(await ask(), /Commands:/);
  assert.deepEqual(calls, []);
});

for (const shell of ["bash", "zsh", "fish"]) {
  Deno.test(`completions for ${shell}`, async () => {
    const script = await printed(() => tree([]).noExit().parse(["completions", shell]));
    for (const word of ["app", "serve", "build", "verbose", "port"]) {
      assert.ok(script.includes(word), `${word} is missing`);
    }
    assert.ok(!script.includes("secret"));
    await checkScript(shell, script);
  });
}

/** Has the shell read the script, where there is that shell. */
async function checkScript(shell: string, script: string): Promise<void> {
  try {
    const child = new Deno.Command(shell, {
      args: ["-n"],
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script + "\n"));
    await writer.close();
    const { success, stderr } = await child.output();
    assert.ok(success, new TextDecoder().decode(stderr));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log(`SKIPPED: reading the script, as there is no ${shell}`);
  }
}

Deno.test("without throwErrors a mistake is printed below the help, and the exit code is 2", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "import { Command } from '@cliffy/command'; await new Command().name('app').parse(['--x'])",
    ],
    cwd: new URL("../../..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(code, 2);
  assert.match(new TextDecoder().decode(stdout), /Usage:\s+app/);
  assert.match(new TextDecoder().decode(stderr), /error: Unknown option "--x"/);
});

Deno.test("errors of actions pass through", async () => {
  const command: AnyCommand = new Command().name("app");
  command.action(() => {
    throw new TypeError("mine");
  });
  await assert.rejects(command.parse([]), new TypeError("mine"));
});

Deno.test("options of a group have a section of their own in the help", () => {
  const help = new Command().name("app")
    .option("--foo", "Foo option.")
    .group("Other options")
    .option("--bar", "Bar option.")
    .option("--baz", "Baz option.")
    .group(null)
    .option("--qux", "Qux option.")
    .getHelp({ colors: false });
  const sections = help.split(/\n(?=[A-Z][a-z ]+:)/);
  assert.match(
    sections.find((one) => one.startsWith("Options:"))!,
    /--foo[^]*--qux/,
  );
  const other = sections.find((one) => one.startsWith("Other options:"))!;
  assert.match(other, /--bar[^]*--baz/);
  assert.doesNotMatch(other, /--foo|--qux|--help/);
});
