/**
 * Tables of reports.
 *
 * @module
 */
import { escapeHtml } from "./charts.ts";

/** A table with a caption; the first column is text, the others numbers. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = (tag: string, row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
  return `<section class="table"><h2>${escapeHtml(caption)}</h2><div><table><thead>${
    cells("th", head)
  }</thead><tbody>${rows.map((row) => cells("td", row)).join("")}</tbody></table></div></section>`;
}

/** A table of names and texts, which wrap. */
export function factTable(
  caption: string,
  rows: readonly (readonly [string, string])[],
): string {
  const body = rows.map(([name, text]) =>
    `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(text)}</td></tr>`
  );
  return `<section class="table facts"><h2>${escapeHtml(caption)}</h2><div><table><tbody>${
    body.join("")
  }</tbody></table></div></section>`;
}
