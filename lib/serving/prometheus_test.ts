import assert from "node:assert/strict";
import { TaskError } from "../cli/errors.ts";
import { parseMetrics, sampleNames, sumOf } from "./prometheus.ts";

const TEXT = `# HELP dynamo_frontend_requests_total Requests
# TYPE dynamo_frontend_requests_total counter
dynamo_frontend_requests_total{endpoint="chat",model="a/b",status="success"} 3
dynamo_frontend_requests_total{endpoint="chat",model="a/b",status="error",} 1 1700000000000
# TYPE ttft histogram
ttft_bucket{le="+Inf"} 4
ttft_sum 1.5e-1
ttft_count 4
odd{text="quote \\" brace } comma , back \\\\ line \\n"} NaN
empty{} -Inf
with_exemplar_total 2 # {trace="x"} 1
# EOF
`;

Deno.test("a scrape is read with labels, escapes, time stamps and odd values", () => {
  const metrics = parseMetrics(TEXT);
  assert.equal(metrics.types.get("ttft"), "histogram");
  assert.equal(sumOf(metrics, "dynamo_frontend_requests_total"), 4);
  assert.equal(sumOf(metrics, "dynamo_frontend_requests_total", { status: "error" }), 1);
  assert.equal(sumOf(metrics, "dynamo_frontend_requests_total", { status: "none" }), undefined);
  assert.equal(sumOf(metrics, "ttft_sum"), 0.15);
  assert.equal(sumOf(metrics, "with_exemplar_total"), 2);
  const odd = metrics.samples.find((sample) => sample.name === "odd");
  assert.equal(odd?.labels.text, 'quote " brace } comma , back \\ line \n');
  assert.ok(Number.isNaN(odd?.value));
  assert.equal(metrics.samples.find((sample) => sample.name === "empty")?.value, -Infinity);
  assert.equal(sampleNames(metrics).length, 7);
});

Deno.test("what is not in the format is an error that names the line", () => {
  for (
    const text of ["ok 1\n<html>\n", "ok 1\nname{a=1} 2\n", "ok 1\nname\n", 'ok 1\nname{a="1" 2\n']
  ) {
    assert.throws(
      () => parseMetrics(text),
      (error) =>
        error instanceof TaskError && error.code === "METRICS_MALFORMED" &&
        /Line 2/.test(error.message),
    );
  }
});
