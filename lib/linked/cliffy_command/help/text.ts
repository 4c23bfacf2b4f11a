/**
 * The text of `--help`.
 *
 * @module
 */
import { type Argument, type Option, shortForm } from "../definitions.ts";

/** How help is written. */
export interface HelpOptions {
  /** Use colours; NO_COLOR wins. */
  colors?: boolean;
  /** Show descriptions in full, not just their first line. */
  long?: boolean;
  /** Show the names of types: `<port:integer>`. */
  types?: boolean;
  /** Show defaults, conflicts and the like; true unless given. */
  hints?: boolean;
  /** Columns of the text. */
  width?: number;
}

/** What the help is made of. */
export interface HelpContent {
  /** Full name of the command. */
  readonly path: string;
  /** Arguments and required options, as they are typed. */
  readonly usage: string;
  /** Version, when the command has one. */
  readonly version: string | undefined;
  /** Description, one line or more. */
  readonly description: string;
  /** Visible options. */
  readonly options: readonly Option[];
  /** Visible subcommands. */
  readonly commands: readonly {
    readonly name: string;
    readonly args: readonly Argument[];
    readonly description: string;
  }[];
  /** Examples with what they do. */
  readonly examples: readonly {
    readonly name: string;
    readonly description: string;
  }[];
  /** Values that an argument may have, when they are known. */
  values(argument: Argument): readonly unknown[] | undefined;
}

/** Writes the help. */
export function helpText(
  content: HelpContent,
  options: HelpOptions,
  width: number,
): string {
  const style = styles(options.colors ?? true);
  const description = (text: string) => options.long ? dedent(text) : text.trim().split("\n")[0]!;
  const value = (argument: Argument) => options.types ? argument.raw : shortForm(argument);
  const head = [[
    "Usage:",
    `${content.path}${content.usage === "" ? "" : " " + content.usage}`,
  ]];
  if (content.version !== undefined) head.push(["Version:", content.version]);
  const headWidth = Math.max(...head.map(([name = ""]) => name.length));
  let text = "\n" +
    head.map(([name = "", what]) => `${style.bold(name.padEnd(headWidth))} ${what}\n`).join("");
  const section = (title: string, lines: readonly string[]) => {
    if (lines.length > 0) {
      text += `\n${style.bold(`${title}:`)}\n\n${lines.join("\n")}\n`;
    }
  };
  if (content.description !== "") {
    section(
      "Description",
      wrapLines(dedent(content.description), width - 2).map((l) => `  ${l}`.trimEnd()),
    );
  }
  for (
    const [name, group] of Map.groupBy(
      content.options,
      (option) => option.groupName,
    )
  ) {
    section(
      name ?? "Options",
      table(
        group.map((option) => [
          style.blue(option.flags.join(", ")),
          option.argument === undefined ? "" : style.magenta(value(option.argument)),
          "-",
          [description(option.description), hints(option, content, options)]
            .filter(Boolean)
            .join(" "),
        ]),
        width,
      ),
    );
  }
  section(
    "Commands",
    table(
      content.commands.map((command) => [
        style.blue(command.name),
        style.magenta(command.args.map(value).join(" ")),
        "-",
        command.description,
      ]),
      width,
    ),
  );
  section(
    "Examples",
    table(
      content.examples.map((
        { name, description },
      ) => [style.bold(name), dedent(description)]),
      width,
    ),
  );
  return text;
}

function hints(
  option: Option,
  content: HelpContent,
  options: HelpOptions,
): string {
  if (options.hints === false) return "";
  const parts: string[] = [];
  if (option.required) parts.push("required");
  if (option.default !== undefined || option.defaultText !== undefined) {
    const standard = typeof option.default === "function" ? option.default() : option.default;
    parts.push(`Default: ${option.defaultText ?? JSON.stringify(standard)}`);
  }
  if (option.depends?.length) {
    parts.push(`Depends: ${option.depends.map(dashed).join(", ")}`);
  }
  if (option.conflicts?.length) {
    parts.push(`Conflicts: ${option.conflicts.map(dashed).join(", ")}`);
  }
  const values = option.argument === undefined ? undefined : content.values(option.argument);
  if (values?.length) {
    parts.push(
      `Values: ${values.map((one) => JSON.stringify(one)).join(", ")}`,
    );
  }
  return parts.length === 0 ? "" : `(${parts.join(", ")})`;
}

/** `port` → `--port`. */
export function dashed(name: string): string {
  return name.startsWith("-") ? name : name.length > 1 ? `--${name}` : `-${name}`;
}

/** Takes the indentation of the first line off all lines. */
export function dedent(text: string): string {
  const lines = text.replace(/^(?:[ \t]*\r?\n)+/, "").trimEnd().split(/\r?\n/);
  const indent = /^\s*/.exec(lines[0] ?? "")?.[0].length ?? 0;
  return lines.map((line) => line.slice(Math.min(indent, line.search(/\S|$/))))
    .join("\n");
}

// Columns are aligned, empty ones left out; the last one is wrapped.
function table(rows: readonly (readonly string[])[], width: number): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths: number[] = [];
  for (let i = 0; i < count; i++) {
    widths.push(Math.max(...rows.map((row) => size(row[i] ?? ""))));
  }
  const lines: string[] = [];
  for (const row of rows) {
    let line = " ";
    row.slice(0, -1).forEach((cell, i) => {
      if (widths[i]! > 0) {
        line += ` ${cell}${" ".repeat(widths[i]! - size(cell))}${cell === "-" ? "" : " "}`;
      }
    });
    if (row.at(-2) === "-") line += " ";
    const indent = size(line);
    const rest = wrapLines(row.at(-1) ?? "", Math.max(24, width - indent));
    lines.push((line + (rest[0] ?? "")).trimEnd());
    for (const more of rest.slice(1)) lines.push(" ".repeat(indent) + more);
  }
  return lines;
}

function wrapLines(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => {
    const indent = /^\s*/.exec(line)?.[0] ?? "";
    const lines: string[] = [];
    let current = "";
    for (const word of line.trim().split(/ +/)) {
      if (
        current !== "" && indent.length + size(current) + 1 + size(word) > width
      ) {
        lines.push(indent + current);
        current = word;
      } else current += (current === "" ? "" : " ") + word;
    }
    return [...lines, indent + current];
  });
}

// deno-lint-ignore no-control-regex
const SGR = /\x1b\[\d+m/g;

function size(text: string): number {
  return [...text.replace(SGR, "")].length;
}

interface Styles {
  readonly bold: (text: string) => string;
  readonly blue: (text: string) => string;
  readonly magenta: (text: string) => string;
}

function styles(colors: boolean): Styles {
  const sgr = (on: number, off: number) => (text: string) =>
    colors && text !== "" ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return { bold: sgr(1, 22), blue: sgr(94, 39), magenta: sgr(95, 39) };
}
