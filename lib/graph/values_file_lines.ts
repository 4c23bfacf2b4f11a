/**
 * Where a key stands in a YAML text. The YAML library tells the line of a syntax error only, so
 * this follows the indentation of block style; inside `{…}` it tells the line of the last key
 * that has a line of its own.
 *
 * @module
 */

interface Open {
  readonly indent: number;
  readonly key: string;
  items: number;
}

/**
 * Line of the key at the path, counted from 1; the nearest parent's when the key itself has none,
 * and undefined when not even the first step is found. An entry of a list is a step by its index
 * or by the value of its `name`.
 */
export function lineOf(text: string, path: readonly string[]): number | undefined {
  let best: number | undefined;
  let bestDepth = 0;
  const open: Open[] = [];
  text.split("\n").forEach((line, index) => {
    const match = /^(\s*)((?:- +)*)(?:(["']?)([^"'#:{}[\],&*!|>%@`]+?)\3\s*:(?:\s|$)(.*))?/.exec(
      line,
    );
    if (match === null || (match[2] === "" && match[4] === undefined)) return;
    const [, space = "", dashes = "", , key, rest = ""] = match;
    const dashIndent = space.length;
    const indent = dashIndent + dashes.length;
    if (dashes !== "") {
      while (open.length > 0 && open.at(-1)!.indent > dashIndent) open.pop();
      // A list may stand at its key's own indentation.
      if (open.at(-1)?.key.startsWith("- ") && open.at(-1)!.indent === dashIndent) open.pop();
      const list = open.at(-1);
      const items = list === undefined ? 0 : list.items++;
      open.push({ indent: dashIndent, key: `- ${items}`, items: 0 });
    }
    if (key !== undefined) {
      while (open.length > 0 && open.at(-1)!.indent >= indent) open.pop();
      open.push({ indent, key, items: 0 });
      const entry = open.at(-2);
      if (key === "name" && entry?.key.startsWith("- ")) {
        open[open.length - 2] = { ...entry, key: `- ${rest.replace(/\s+#.*/, "").trim()}` };
      }
    }
    const here = open.map((one) => one.key.replace(/^- /, ""));
    let depth = 0;
    while (depth < here.length && depth < path.length && here[depth] === path[depth]) depth++;
    if (depth > bestDepth) {
      best = index + 1;
      bestDepth = depth;
    }
  });
  return best;
}
