/**
 * The parser's help within the columns of a terminal. Pure.
 *
 * @module
 */
import { wrap } from "./text.ts";

// Further right, a description gets too narrow to read.
const FURTHEST = 44;
const INDENT = "      ";

/**
 * The help with every line wrapped at `width`, descriptions below their own beginning; what the
 * examples' `commands` do comes below them where it does not fit beside.
 */
export function fitHelp(
  help: string,
  { width, commands }: { readonly width: number; readonly commands: readonly string[] },
): string {
  const lines = help.split("\n");
  const fitted: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const [, head, text] = /^(\s+\S.*?\s+- )(.*)$/.exec(line) ?? [];
    if (head === undefined || text === undefined) {
      if (line.length <= width) {
        fitted.push(line);
        continue;
      }
      const indent = /^\s*/.exec(line)![0];
      const example = commands.filter((one) => line.trim().startsWith(`${one} `))
        .sort((a, b) => b.length - a.length)[0];
      if (example !== undefined) {
        const [first = "", ...more] = wrap(example, width - 2, `${indent}    `);
        fitted.push(indent + first.trim(), ...more);
        fitted.push(...wrap(line.trim().slice(example.length), width, `${indent}    `));
        continue;
      }
      const paragraph = [line];
      while (lines[i + 1]?.startsWith(indent) && lines[i + 1]!.trim() !== "") {
        paragraph.push(lines[++i]!);
      }
      fitted.push(...wrap(paragraph.join(" ").trim(), width, indent));
      continue;
    }
    const words = [text];
    // What the parser has wrapped at its own width.
    while (isBelow(lines[i + 1], head.length)) words.push(lines[++i]!.trim());
    const far = head.length > FURTHEST;
    const indent = far ? INDENT : " ".repeat(head.length);
    const [first = "", ...more] = wrap(words.join(" "), width, indent);
    if (far) fitted.push(head.trimEnd().replace(/\s+-$/, ""), first, ...more);
    else fitted.push(head + first.trimStart(), ...more);
  }
  return fitted.join("\n");
}

function isBelow(line: string | undefined, column: number): boolean {
  return line !== undefined && line.trim() !== "" && line.slice(0, column).trim() === "";
}
