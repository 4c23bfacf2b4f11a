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
