/**
 * Results of checks as JUnit XML, which CI systems show.
 *
 * @module
 */

/** One result. */
export interface JunitCase {
  /** Identifier. */
  readonly id: string;
  /** What was checked. */
  readonly title: string;
  /** How it ended. */
  readonly outcome: "passed" | "failed" | "skipped";
  /** Milliseconds. */
  readonly ms: number;
  /** What was seen, or went wrong. */
  readonly detail: string;
  /** The request as a curl line. */
  readonly curl?: string;
}

/** One suite of results as XML. */
export function junitXml(suite: string, cases: readonly JunitCase[]): string {
  const of = (outcome: JunitCase["outcome"]) =>
    cases.filter((one) => one.outcome === outcome).length;
  const counts = `tests="${cases.length}" failures="${of("failed")}" errors="0" skipped="${
    of("skipped")
  }" time="${seconds(cases.reduce((sum, { ms }) => sum + ms, 0))}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="${xml(suite)}" ${counts}>`,
    ...cases.map((one) => testCase(suite, one)),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function testCase(suite: string, { id, title, outcome, ms, detail, curl }: JunitCase): string {
  const start = `    <testcase classname="${xml(suite)}" name="${xml(`${id}: ${title}`)}" time="${
    seconds(ms)
  }">`;
  const body = outcome === "passed"
    ? `<system-out>${xml(detail)}</system-out>`
    : outcome === "skipped"
    ? `<skipped message="${xml(detail)}"/>`
    : `<failure message="${xml(detail)}">${xml(curl ?? "")}</failure>`;
  return `${start}${body}</testcase>`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

// XML 1.0 has no place for most control characters, not even escaped.
function xml(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replaceAll(/[&<>"]/g, (char) => ENTITIES[char]!);
}
